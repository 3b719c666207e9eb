/**
 * Plain twin of `kernel-source/exponential.as`, operation by operation. The product or sum of two
 * 32-bit floats, computed in double precision and then rounded, is the 32-bit result (Figueroa
 * 1995: 53 ≥ 2·24 + 2), which also holds for quotients and roots.
 */
const f32 = Math.fround

const LOG2_E = f32(Math.LOG2E)
const ROUNDING = 12_582_912
const LN2_HIGH = f32(0.693359375)
const LN2_EXCESS = f32(0.00021219444005469057)
const C7 = f32(1 / 5040)
const C6 = f32(1 / 720)
const C5 = f32(1 / 120)
const C4 = f32(1 / 24)
const C3 = f32(1 / 6)

const bits = new Int32Array(1)
const power = new Float32Array(bits.buffer)

/** 2^n for integer n in [−126, 127]. */
function powerOfTwo(n: number): number {
  bits[0] = (n + 127) << 23
  return power[0]!
}

/** Nearest integer of x·log₂e, ties to even. */
function roundedExponent(x: number): number {
  return f32(f32(f32(x * LOG2_E) + ROUNDING) - ROUNDING)
}

/** e^r − 1 with r = x − n·ln 2. */
function remainderExpMinusOne(x: number, n: number): number {
  const r = f32(f32(x - f32(n * LN2_HIGH)) + f32(n * LN2_EXCESS))
  const square = f32(r * r)
  const low = f32(0.5 + f32(r * C3))
  const middle = f32(C4 + f32(r * C5))
  const high = f32(C6 + f32(r * C7))
  const upper = f32(middle + f32(square * high))
  return f32(r + f32(square * f32(low + f32(square * upper))))
}

/** tanh of a 32-bit float. */
export function plainTanh(x: number): number {
  const exponent = Math.max(f32(Math.abs(x) * -2), -87)
  const n = roundedExponent(exponent)
  const scale = powerOfTwo(n)
  const m = f32(f32(scale * remainderExpMinusOne(exponent, n)) + f32(scale - 1))
  const magnitude = Math.abs(f32(m / f32(m + 2)))
  return x < 0 || Object.is(x, -0) ? -magnitude : magnitude
}

/** 1 / (1 + e^−x) of a 32-bit float. */
export function plainSigmoid(x: number): number {
  const exponent = Math.max(-Math.abs(x), -87)
  const n = roundedExponent(exponent)
  const scale = powerOfTwo(n)
  const e = f32(f32(scale * remainderExpMinusOne(exponent, n)) + scale)
  return f32((x >= 0 ? 1 : e) / f32(1 + e))
}
