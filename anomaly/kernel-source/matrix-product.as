import { addressOf } from './arena'

// C = S + A·B, rows × inner times inner × columns. Element (i, k) of A is at
// a + i·aRowStep + k·aInnerStep, so that a transposed A is read in place. S is where the sums
// start: a row of zeros or a bias (startStride 0), or C itself to add to it.
// Order of each sum: start, then k = 0, 1, …
export function multiply(
  a: usize,
  aRowStep: usize,
  aInnerStep: usize,
  b: usize,
  bStride: usize,
  start: usize,
  startStride: usize,
  c: usize,
  cStride: usize,
  rows: i32,
  inner: i32,
  columns: i32,
): void {
  a = addressOf(a)
  b = addressOf(b)
  start = addressOf(start)
  c = addressOf(c)
  aRowStep <<= 2
  aInnerStep <<= 2
  bStride <<= 2
  startStride <<= 2
  cStride <<= 2
  const columnEnd = (<usize>columns) << 2
  let row = 0
  for (; row + 4 <= rows; row += 4) {
    let at: usize = 0
    for (; at + 32 <= columnEnd; at += 32) {
      block4x8(a, aRowStep, aInnerStep, b + at, bStride, start + at, startStride, c + at, cStride, inner)
    }
    if (at < columnEnd) {
      block4x4(a, aRowStep, aInnerStep, b + at, bStride, start + at, startStride, c + at, cStride, inner)
    }
    a += aRowStep << 2
    start += startStride << 2
    c += cStride << 2
  }
  for (; row < rows; row++) {
    for (let at: usize = 0; at < columnEnd; at += 16) {
      block1x4(a, aInnerStep, b + at, bStride, start + at, c + at, inner)
    }
    a += aRowStep
    start += startStride
    c += cStride
  }
}

// 8 sums, 2 cells of B and 1 of A fill 11 of the 16 vector registers of x86-64.
@inline
function block4x8(
  a: usize,
  aRowStep: usize,
  aInnerStep: usize,
  b: usize,
  bStride: usize,
  start: usize,
  startStride: usize,
  c: usize,
  cStride: usize,
  inner: i32,
): void {
  let c00 = v128.load(start)
  let c01 = v128.load(start, 16)
  let c10 = v128.load(start + startStride)
  let c11 = v128.load(start + startStride, 16)
  let c20 = v128.load(start + 2 * startStride)
  let c21 = v128.load(start + 2 * startStride, 16)
  let c30 = v128.load(start + 3 * startStride)
  let c31 = v128.load(start + 3 * startStride, 16)
  let a0 = a
  let a1 = a0 + aRowStep
  let a2 = a1 + aRowStep
  let a3 = a2 + aRowStep
  for (let k = 0; k < inner; k++) {
    const b0 = v128.load(b)
    const b1 = v128.load(b, 16)
    let cell = v128.load32_splat(a0)
    c00 = f32x4.add(c00, f32x4.mul(cell, b0))
    c01 = f32x4.add(c01, f32x4.mul(cell, b1))
    cell = v128.load32_splat(a1)
    c10 = f32x4.add(c10, f32x4.mul(cell, b0))
    c11 = f32x4.add(c11, f32x4.mul(cell, b1))
    cell = v128.load32_splat(a2)
    c20 = f32x4.add(c20, f32x4.mul(cell, b0))
    c21 = f32x4.add(c21, f32x4.mul(cell, b1))
    cell = v128.load32_splat(a3)
    c30 = f32x4.add(c30, f32x4.mul(cell, b0))
    c31 = f32x4.add(c31, f32x4.mul(cell, b1))
    a0 += aInnerStep
    a1 += aInnerStep
    a2 += aInnerStep
    a3 += aInnerStep
    b += bStride
  }
  v128.store(c, c00)
  v128.store(c, c01, 16)
  c += cStride
  v128.store(c, c10)
  v128.store(c, c11, 16)
  c += cStride
  v128.store(c, c20)
  v128.store(c, c21, 16)
  c += cStride
  v128.store(c, c30)
  v128.store(c, c31, 16)
}

@inline
function block4x4(
  a: usize,
  aRowStep: usize,
  aInnerStep: usize,
  b: usize,
  bStride: usize,
  start: usize,
  startStride: usize,
  c: usize,
  cStride: usize,
  inner: i32,
): void {
  let c0 = v128.load(start)
  let c1 = v128.load(start + startStride)
  let c2 = v128.load(start + 2 * startStride)
  let c3 = v128.load(start + 3 * startStride)
  let a0 = a
  let a1 = a0 + aRowStep
  let a2 = a1 + aRowStep
  let a3 = a2 + aRowStep
  for (let k = 0; k < inner; k++) {
    const cells = v128.load(b)
    c0 = f32x4.add(c0, f32x4.mul(v128.load32_splat(a0), cells))
    c1 = f32x4.add(c1, f32x4.mul(v128.load32_splat(a1), cells))
    c2 = f32x4.add(c2, f32x4.mul(v128.load32_splat(a2), cells))
    c3 = f32x4.add(c3, f32x4.mul(v128.load32_splat(a3), cells))
    a0 += aInnerStep
    a1 += aInnerStep
    a2 += aInnerStep
    a3 += aInnerStep
    b += bStride
  }
  v128.store(c, c0)
  c += cStride
  v128.store(c, c1)
  c += cStride
  v128.store(c, c2)
  c += cStride
  v128.store(c, c3)
}

@inline
function block1x4(
  a: usize,
  aInnerStep: usize,
  b: usize,
  bStride: usize,
  start: usize,
  c: usize,
  inner: i32,
): void {
  let sums = v128.load(start)
  for (let k = 0; k < inner; k++) {
    sums = f32x4.add(sums, f32x4.mul(v128.load32_splat(a), v128.load(b)))
    a += aInnerStep
    b += bStride
  }
  v128.store(c, sums)
}
