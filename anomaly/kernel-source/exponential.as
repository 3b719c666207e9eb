// e^x for x in [−87, 0] as (2^n, p): e^x = 2^n·(1 + p), e^x − 1 = 2^n·p + (2^n − 1).
// x = n·ln 2 + r with |r| ≤ ln(2)/2; ln 2 in two parts (Cody & Waite 1980), so that n·ln 2 is
// exact in its first part; p is the Taylor sum of e^r − 1 to r⁷, whose error 5e−9 is below half
// a unit in the last place. Smallest power: 2^−126, the smallest normal number.

// Adding and taking away 1.5·2²³ rounds to the nearest integer, ties to even, and leaves it in
// the low bits of the sum.
const ROUNDING: f32 = 12582912

@inline
export function roundedExponent(x: v128): v128 {
  return f32x4.add(f32x4.mul(x, f32x4.splat(1.4426950408889634)), f32x4.splat(ROUNDING))
}

@inline
export function powerOfTwo(rounded: v128): v128 {
  return i32x4.shl(i32x4.add(rounded, i32x4.splat(127)), 23)
}

@inline
export function remainderExpMinusOne(x: v128, rounded: v128): v128 {
  const n = f32x4.sub(rounded, f32x4.splat(ROUNDING))
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)))
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-0.00021219444005469057)))
  let p = f32x4.splat(0.0001984126984126984)
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.001388888888888889))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.008333333333333333))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.041666666666666664))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.16666666666666666))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.5))
  return f32x4.add(f32x4.mul(f32x4.mul(p, r), r), r)
}

// tanh x = −m / (m + 2) with m = e^(−2|x|) − 1, and the sign of x: no cancellation anywhere.
@inline
export function tanhOf(x: v128): v128 {
  const magnitude = f32x4.abs(x)
  const exponent = f32x4.max(f32x4.mul(magnitude, f32x4.splat(-2)), f32x4.splat(-87))
  const rounded = roundedExponent(exponent)
  const power = powerOfTwo(rounded)
  const m = f32x4.add(
    f32x4.mul(power, remainderExpMinusOne(exponent, rounded)),
    f32x4.sub(power, f32x4.splat(1)),
  )
  const positive = f32x4.div(f32x4.neg(m), f32x4.add(m, f32x4.splat(2)))
  return v128.bitselect(x, positive, i32x4.splat(<i32>0x80000000))
}

// 1 / (1 + e^−x) = s / (1 + e) with e = e^−|x| and s = 1 for x ≥ 0, e below.
@inline
export function sigmoidOf(x: v128): v128 {
  const exponent = f32x4.max(f32x4.neg(f32x4.abs(x)), f32x4.splat(-87))
  const rounded = roundedExponent(exponent)
  const power = powerOfTwo(rounded)
  const e = f32x4.add(f32x4.mul(power, remainderExpMinusOne(exponent, rounded)), power)
  const one = f32x4.splat(1)
  const numerator = v128.bitselect(one, e, f32x4.ge(x, f32x4.splat(0)))
  return f32x4.div(numerator, f32x4.add(one, e))
}
