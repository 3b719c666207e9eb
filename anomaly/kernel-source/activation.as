import { addressOf } from './arena'
import { tanhOf } from './exponential'

// x = x if x > 0, else 0
export function relu(x: usize, count: usize): void {
  x = addressOf(x)
  const end = x + (count << 2)
  const zero = f32x4.splat(0)
  for (; x < end; x += 16) {
    const cells = v128.load(x)
    v128.store(x, v128.and(cells, f32x4.gt(cells, zero)))
  }
}

// d = d where the output y is > 0, else 0
export function reluBackward(d: usize, y: usize, count: usize): void {
  d = addressOf(d)
  y = addressOf(y)
  const end = d + (count << 2)
  const zero = f32x4.splat(0)
  for (; d < end; d += 16, y += 16) {
    v128.store(d, v128.and(v128.load(d), f32x4.gt(v128.load(y), zero)))
  }
}

export function tanh(x: usize, count: usize): void {
  x = addressOf(x)
  const end = x + (count << 2)
  for (; x < end; x += 16) v128.store(x, tanhOf(v128.load(x)))
}

// d = d · (1 − y²) for the output y = tanh(x)
export function tanhBackward(d: usize, y: usize, count: usize): void {
  d = addressOf(d)
  y = addressOf(y)
  const end = d + (count << 2)
  const one = f32x4.splat(1)
  for (; d < end; d += 16, y += 16) {
    const output = v128.load(y)
    const slope = f32x4.sub(one, f32x4.mul(output, output))
    v128.store(d, f32x4.mul(v128.load(d), slope))
  }
}
