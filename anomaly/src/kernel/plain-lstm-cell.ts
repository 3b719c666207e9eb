import { plainSigmoid, plainTanh } from './plain-exponential.ts'

const f32 = Math.fround

/** Plain twin of `lstmCell` in `kernel-source/lstm-cell.as`. */
export function plainLstmCell(
  x: Float32Array,
  gates: number,
  cBefore: number,
  c: number,
  tanhC: number,
  h: number,
  rows: number,
  units: number,
): void {
  for (let row = 0; row < rows; row++) {
    for (let unit = 0; unit < units; unit++) {
      const gate = gates + row * 4 * units + unit
      const at = row * units + unit
      const input = plainSigmoid(x[gate]!)
      const forget = plainSigmoid(x[gate + units]!)
      const candidate = plainTanh(x[gate + 2 * units]!)
      const output = plainSigmoid(x[gate + 3 * units]!)
      const state = f32(f32(forget * x[cBefore + at]!) + f32(input * candidate))
      const squashed = plainTanh(state)
      x[gate] = input
      x[gate + units] = forget
      x[gate + 2 * units] = candidate
      x[gate + 3 * units] = output
      x[c + at] = state
      x[tanhC + at] = squashed
      x[h + at] = output * squashed
    }
  }
}

/** Plain twin of `lstmCellBackward`. */
export function plainLstmCellBackward(
  x: Float32Array,
  gates: number,
  cBefore: number,
  tanhC: number,
  dh: number,
  dc: number,
  rows: number,
  units: number,
): void {
  for (let row = 0; row < rows; row++) {
    for (let unit = 0; unit < units; unit++) {
      const gate = gates + row * 4 * units + unit
      const at = row * units + unit
      const input = x[gate]!
      const forget = x[gate + units]!
      const candidate = x[gate + 2 * units]!
      const output = x[gate + 3 * units]!
      const squashed = x[tanhC + at]!
      const dOutput = x[dh + at]!
      const tanhSlope = f32(1 - f32(squashed * squashed))
      const dState = f32(x[dc + at]! + f32(f32(dOutput * output) * tanhSlope))
      const candidateSlope = f32(1 - f32(candidate * candidate))
      x[dc + at] = dState * forget
      x[gate] = f32(dState * candidate) * f32(input * f32(1 - input))
      x[gate + units] = f32(dState * x[cBefore + at]!) * f32(forget * f32(1 - forget))
      x[gate + 2 * units] = f32(dState * input) * candidateSlope
      x[gate + 3 * units] = f32(dOutput * squashed) * f32(output * f32(1 - output))
    }
  }
}
