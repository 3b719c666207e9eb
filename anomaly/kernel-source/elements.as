import { addressOf } from './arena'

// Row j of `out` becomes column j of the rows × columns matrix at `a`; columns need not be a
// multiple of 4.
export function transpose(
  a: usize,
  aStride: usize,
  rows: i32,
  columns: i32,
  out: usize,
  outStride: usize,
): void {
  a = addressOf(a)
  out = addressOf(out)
  aStride <<= 2
  outStride <<= 2
  for (let row = 0; row < rows; row++) {
    let from = a
    let to = out
    for (let column = 0; column < columns; column++) {
      store<f32>(to, load<f32>(from))
      from += 4
      to += outStride
    }
    a += aStride
    out += 4
  }
}

// out[j] += x[0][j], then x[1][j], …
export function addRows(x: usize, stride: usize, rows: i32, columns: i32, out: usize): void {
  x = addressOf(x)
  out = addressOf(out)
  stride <<= 2
  const columnEnd = (<usize>columns) << 2
  for (let at: usize = 0; at < columnEnd; at += 16) {
    let sums = v128.load(out + at)
    let from = x + at
    for (let row = 0; row < rows; row++) {
      sums = f32x4.add(sums, v128.load(from))
      from += stride
    }
    v128.store(out + at, sums)
  }
}

// out = factor · x
export function scaleInto(out: usize, x: usize, factor: f32, count: usize): void {
  out = addressOf(out)
  x = addressOf(x)
  const end = x + (count << 2)
  const factors = f32x4.splat(factor)
  for (; x < end; x += 16, out += 16) v128.store(out, f32x4.mul(factors, v128.load(x)))
}

// x = x · factors, cell by cell
export function multiplyInto(x: usize, factors: usize, count: usize): void {
  x = addressOf(x)
  factors = addressOf(factors)
  const end = x + (count << 2)
  for (; x < end; x += 16, factors += 16) {
    v128.store(x, f32x4.mul(v128.load(x), v128.load(factors)))
  }
}

// Rows of `from` named by the 32-bit indices at `items`, one after another: as they are into
// `target`, with NaN replaced by 0 into `input`.
export function gatherRows(
  from: usize,
  fromStride: usize,
  items: usize,
  count: i32,
  columns: usize,
  target: usize,
  input: usize,
): void {
  from = addressOf(from)
  fromStride <<= 2
  items = addressOf(items)
  columns <<= 2
  target = addressOf(target)
  input = addressOf(input)
  for (let item = 0; item < count; item++) {
    const row = from + <usize>load<u32>(items) * fromStride
    for (let at: usize = 0; at < columns; at += 16) {
      const cells = v128.load(row + at)
      v128.store(target + at, cells)
      v128.store(input + at, v128.and(cells, f32x4.eq(cells, cells)))
    }
    items += 4
    target += columns
    input += columns
  }
}
