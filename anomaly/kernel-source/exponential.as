// e^x for x in [−87, 0] as (2^n, p): e^x = 2^n·(1 + p), e^x − 1 = 2^n·p + (2^n − 1).
// x = n·ln 2 + r with |r| ≤ ln(2)/2; ln 2 in two parts (Cody & Waite 1980), so that n·ln 2 is
// exact in its first part; p is the Taylor sum of e^r − 1 to r⁷, whose error 5e−9 is below half
// a unit in the last place, in Estrin's order. Smallest power: 2^−126, the smallest normal number.

// Constants lie in memory: a broadcast load costs one instruction, a vector constant several.
const CONSTANTS = memory.data<f32>([
  1.4426950408889634, // 0: log₂e
  // 1: adding and taking away 1.5·2²³ rounds to the nearest integer, ties to even, and leaves
  // it in the low bits of the sum.
  12582912,
  0.693359375, // 2: ln 2, first part
  0.00021219444005469057, // 3: what the first part is above ln 2
  0.5, // 4: 1/2!
  0.16666666666666666, // 5: 1/3!
  0.041666666666666664, // 6: 1/4!
  0.008333333333333333, // 7: 1/5!
  0.001388888888888889, // 8: 1/6!
  0.0001984126984126984, // 9: 1/7!
  1, // 10
  2, // 11
])
// Bits of floats; data of memory cannot be negative.
const EXPONENT_BIAS = memory.data<u32>([127])
const SIGN_BIT = memory.data<u32>([0x80000000])
const LEAST_EXPONENT = memory.data<u32>([0xc2ae0000]) // −87

@inline
function constant(index: usize): v128 {
  return v128.load32_splat(CONSTANTS + (index << 2))
}

@inline
function signBit(): v128 {
  return v128.load32_splat(SIGN_BIT)
}

@inline
function leastExponent(): v128 {
  return v128.load32_splat(LEAST_EXPONENT)
}

@inline
function roundedExponent(x: v128): v128 {
  return f32x4.add(f32x4.mul(x, constant(0)), constant(1))
}

@inline
function powerOfTwo(rounded: v128): v128 {
  return i32x4.shl(i32x4.add(rounded, v128.load32_splat(EXPONENT_BIAS)), 23)
}

@inline
function remainderExpMinusOne(x: v128, rounded: v128): v128 {
  const n = f32x4.sub(rounded, constant(1))
  const r = f32x4.add(f32x4.sub(x, f32x4.mul(n, constant(2))), f32x4.mul(n, constant(3)))
  const square = f32x4.mul(r, r)
  const low = f32x4.add(constant(4), f32x4.mul(r, constant(5)))
  const middle = f32x4.add(constant(6), f32x4.mul(r, constant(7)))
  const high = f32x4.add(constant(8), f32x4.mul(r, constant(9)))
  const upper = f32x4.add(middle, f32x4.mul(square, high))
  return f32x4.add(r, f32x4.mul(square, f32x4.add(low, f32x4.mul(square, upper))))
}

// tanh x = −m / (m + 2) with m = e^(−2|x|) − 1, and the sign of x: no cancellation anywhere.
@inline
export function tanhOf(x: v128): v128 {
  const negative = v128.or(x, signBit())
  const exponent = f32x4.pmax(f32x4.mul(negative, constant(11)), leastExponent())
  const rounded = roundedExponent(exponent)
  const power = powerOfTwo(rounded)
  const m = f32x4.add(
    f32x4.mul(power, remainderExpMinusOne(exponent, rounded)),
    f32x4.sub(power, constant(10)),
  )
  const unsigned = f32x4.div(m, f32x4.add(m, constant(11)))
  return v128.bitselect(x, unsigned, signBit())
}

// 1 / (1 + e^−x) = s / (1 + e) with e = e^−|x| and s = 1 for x ≥ 0, e below.
@inline
export function sigmoidOf(x: v128): v128 {
  const exponent = f32x4.pmax(v128.or(x, signBit()), leastExponent())
  const rounded = roundedExponent(exponent)
  const power = powerOfTwo(rounded)
  const e = f32x4.add(f32x4.mul(power, remainderExpMinusOne(exponent, rounded)), power)
  const one = constant(10)
  const numerator = v128.bitselect(one, e, f32x4.ge(x, f32x4.splat(0)))
  return f32x4.div(numerator, f32x4.add(one, e))
}
