import type { KernelFunctions, MatrixKernel } from './matrix-kernel.ts'
import { plainTanh } from './plain-exponential.ts'
import { plainLstmCell, plainLstmCellBackward } from './plain-lstm-cell.ts'

const f32 = Math.fround

/** The kernel in plain TypeScript: the same bits, some forty times slower. */
export function plainKernel(floatCount: number): MatrixKernel {
  const floats = new Float32Array(floatCount)
  const integers = new Uint32Array(floats.buffer)
  return {
    kind: 'plain',
    floats,
    integers,
    ...plainProducts(floats),
    gatherRows: plainGather(floats, integers),
    ...plainActivations(floats),
    residual: (...cells) => plainResidual(floats, ...cells),
    adamStep: plainAdam(floats),
    lstmCell: (...cells) => plainLstmCell(floats, ...cells),
    lstmCellBackward: (...cells) => plainLstmCellBackward(floats, ...cells),
  }
}

function plainProducts(
  x: Float32Array,
): Pick<KernelFunctions, 'multiply' | 'transpose' | 'addRows' | 'scaleInto' | 'multiplyInto'> {
  return {
    multiply(a, aRowStep, aInnerStep, b, bStride, s, sStride, c, cStride, rows, inner, columns) {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          let sum = x[s + row * sStride + column]!
          for (let k = 0; k < inner; k++) {
            const left = x[a + row * aRowStep + k * aInnerStep]!
            sum = f32(sum + f32(left * x[b + k * bStride + column]!))
          }
          x[c + row * cStride + column] = sum
        }
      }
    },
    transpose(a, aStride, rows, columns, out, outStride) {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          x[out + column * outStride + row] = x[a + row * aStride + column]!
        }
      }
    },
    addRows(from, stride, rows, columns, out) {
      for (let column = 0; column < columns; column++) {
        let sum = x[out + column]!
        for (let row = 0; row < rows; row++) sum = f32(sum + x[from + row * stride + column]!)
        x[out + column] = sum
      }
    },
    scaleInto(out, from, factor, count) {
      const rounded = f32(factor)
      for (let i = 0; i < count; i++) x[out + i] = rounded * x[from + i]!
    },
    multiplyInto(cells, factors, count) {
      for (let i = 0; i < count; i++) x[cells + i] = x[cells + i]! * x[factors + i]!
    },
  }
}

function plainGather(x: Float32Array, integers: Uint32Array): KernelFunctions['gatherRows'] {
  return (from, fromStride, items, count, columns, target, input) => {
    for (let item = 0; item < count; item++) {
      const row = from + integers[items + item]! * fromStride
      for (let column = 0; column < columns; column++) {
        const cell = x[row + column]!
        x[target + item * columns + column] = cell
        x[input + item * columns + column] = Number.isNaN(cell) ? 0 : cell
      }
    }
  }
}

function plainActivations(
  x: Float32Array,
): Pick<KernelFunctions, 'relu' | 'reluBackward' | 'tanh' | 'tanhBackward'> {
  return {
    relu(cells, count) {
      for (let i = cells; i < cells + count; i++) x[i] = x[i]! > 0 ? x[i]! : 0
    },
    reluBackward(d, y, count) {
      for (let i = 0; i < count; i++) x[d + i] = x[y + i]! > 0 ? x[d + i]! : 0
    },
    tanh(cells, count) {
      for (let i = cells; i < cells + count; i++) x[i] = plainTanh(x[i]!)
    },
    tanhBackward(d, y, count) {
      for (let i = 0; i < count; i++) {
        const output = x[y + i]!
        x[d + i] = x[d + i]! * f32(1 - f32(output * output))
      }
    },
  }
}

function plainResidual(
  x: Float32Array,
  y: number,
  target: number,
  d: number,
  factor: number,
  count: number,
): number {
  const rounded = f32(factor)
  const sums = new Float64Array(4)
  for (let i = 0; i < count; i++) {
    const wanted = x[target + i]!
    const error = Number.isNaN(wanted) ? 0 : f32(x[y + i]! - wanted)
    x[d + i] = error * rounded
    sums[i & 3] = sums[i & 3]! + error * error
  }
  return sums[0]! + sums[1]! + (sums[2]! + sums[3]!)
}

function plainAdam(x: Float32Array): KernelFunctions['adamStep'] {
  return (parameters, gradients, m, v, count, stepSize, rootCorrection, ...rest) => {
    const [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon] = rest
    const [mean1, mean2] = [f32(beta1), f32(oneMinusBeta1)]
    const [square1, square2] = [f32(beta2), f32(oneMinusBeta2)]
    const [alpha, correction, eps] = [f32(stepSize), f32(rootCorrection), f32(epsilon)]
    for (let i = 0; i < count; i++) {
      const gradient = x[gradients + i]!
      const mean = f32(f32(mean1 * x[m + i]!) + f32(mean2 * gradient))
      const square = f32(f32(square1 * x[v + i]!) + f32(f32(square2 * gradient) * gradient))
      x[m + i] = mean
      x[v + i] = square
      const root = f32(f32(f32(Math.sqrt(square)) * correction) + eps)
      x[parameters + i] = x[parameters + i]! - f32(f32(alpha * mean) / root)
    }
  }
}
