import { addressOf } from './arena'
import { sigmoidOf, tanhOf } from './exponential'

// One step of an LSTM (Hochreiter & Schmidhuber 1997; Gers 2000 for the forget gate), rows ×
// units. A row of `gates` holds four blocks of `units`: input, forget, candidate, output; before
// the step their weighted sums, after it their values. Other matrices have `units` columns.
// c = f·cBefore + i·g, h = o·tanh(c).
export function lstmCell(
  gates: usize,
  cBefore: usize,
  c: usize,
  tanhC: usize,
  h: usize,
  rows: i32,
  units: usize,
): void {
  gates = addressOf(gates)
  cBefore = addressOf(cBefore)
  c = addressOf(c)
  tanhC = addressOf(tanhC)
  h = addressOf(h)
  const width = units << 2
  for (let row = 0; row < rows; row++) {
    for (let at: usize = 0; at < width; at += 16) {
      const cell = gates + at
      const input = sigmoidOf(v128.load(cell))
      const forget = sigmoidOf(v128.load(cell + width))
      const candidate = tanhOf(v128.load(cell + 2 * width))
      const output = sigmoidOf(v128.load(cell + 3 * width))
      const state = f32x4.add(
        f32x4.mul(forget, v128.load(cBefore + at)),
        f32x4.mul(input, candidate),
      )
      const squashed = tanhOf(state)
      v128.store(cell, input)
      v128.store(cell + width, forget)
      v128.store(cell + 2 * width, candidate)
      v128.store(cell + 3 * width, output)
      v128.store(c + at, state)
      v128.store(tanhC + at, squashed)
      v128.store(h + at, f32x4.mul(output, squashed))
    }
    gates += 4 * width
    cBefore += width
    c += width
    tanhC += width
    h += width
  }
}

// Gradient of one step: replaces the gate values by the gradient of their weighted sums, and
// `dc`, the gradient of c from the step after, by that of cBefore.
export function lstmCellBackward(
  gates: usize,
  cBefore: usize,
  tanhC: usize,
  dh: usize,
  dc: usize,
  rows: i32,
  units: usize,
): void {
  gates = addressOf(gates)
  cBefore = addressOf(cBefore)
  tanhC = addressOf(tanhC)
  dh = addressOf(dh)
  dc = addressOf(dc)
  const width = units << 2
  const one = f32x4.splat(1)
  for (let row = 0; row < rows; row++) {
    for (let at: usize = 0; at < width; at += 16) {
      const cell = gates + at
      const input = v128.load(cell)
      const forget = v128.load(cell + width)
      const candidate = v128.load(cell + 2 * width)
      const output = v128.load(cell + 3 * width)
      const squashed = v128.load(tanhC + at)
      const dOutput = v128.load(dh + at)
      const throughTanh = f32x4.mul(
        f32x4.mul(dOutput, output),
        f32x4.sub(one, f32x4.mul(squashed, squashed)),
      )
      const dState = f32x4.add(v128.load(dc + at), throughTanh)
      v128.store(dc + at, f32x4.mul(dState, forget))
      v128.store(
        cell,
        f32x4.mul(f32x4.mul(dState, candidate), f32x4.mul(input, f32x4.sub(one, input))),
      )
      v128.store(
        cell + width,
        f32x4.mul(
          f32x4.mul(dState, v128.load(cBefore + at)),
          f32x4.mul(forget, f32x4.sub(one, forget)),
        ),
      )
      v128.store(
        cell + 2 * width,
        f32x4.mul(
          f32x4.mul(dState, input),
          f32x4.sub(one, f32x4.mul(candidate, candidate)),
        ),
      )
      v128.store(
        cell + 3 * width,
        f32x4.mul(f32x4.mul(dOutput, squashed), f32x4.mul(output, f32x4.sub(one, output))),
      )
    }
    gates += 4 * width
    cBefore += width
    tanhC += width
    dh += width
    dc += width
  }
}
