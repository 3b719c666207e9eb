import { addressOf } from './arena'

// d = (y − target) · factor, and 0 where the target is NaN: a cell that was not measured.
// Returns Σ (y − target)², summed in double precision: cell i into sum i mod 4, then
// (s0 + s1) + (s2 + s3).
export function residual(y: usize, target: usize, d: usize, factor: f32, count: usize): f64 {
  y = addressOf(y)
  target = addressOf(target)
  d = addressOf(d)
  const end = y + (count << 2)
  const factors = f32x4.splat(factor)
  let low = f64x2.splat(0)
  let high = f64x2.splat(0)
  for (; y < end; y += 16, target += 16, d += 16) {
    const wanted = v128.load(target)
    const error = v128.and(f32x4.sub(v128.load(y), wanted), f32x4.eq(wanted, wanted))
    v128.store(d, f32x4.mul(error, factors))
    const first = f64x2.promote_low_f32x4(error)
    const second = f64x2.promote_low_f32x4(v128.shuffle<i32>(error, error, 2, 3, 2, 3))
    low = f64x2.add(low, f64x2.mul(first, first))
    high = f64x2.add(high, f64x2.mul(second, second))
  }
  const firstPair = f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1)
  return firstPair + (f64x2.extract_lane(high, 0) + f64x2.extract_lane(high, 1))
}
