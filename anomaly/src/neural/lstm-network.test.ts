import { describe, expect, test } from 'vitest'
import { createRandom, nextNormal } from '../statistics/random.ts'
import { backwardLstm } from './lstm-backward.ts'
import { forwardLstm, gatherWindows } from './lstm-forward.ts'
import {
  createLstmNetwork,
  type LstmNetwork,
  type LstmShape,
  loadLstm,
  lstmParameterCounts,
  readLstm,
} from './lstm-network.ts'
import { stepParameters } from './parameter-block.ts'

const ROWS = 5
const L2 = 0.2

/** A network with random parameters and windows, one cell missing. */
function filledNetwork(shape: LstmShape, kernelKind: 'simd' | 'plain'): LstmNetwork {
  const network = createLstmNetwork(shape, ROWS, {
    windowCount: ROWS,
    isTrained: true,
    kernelKind,
  })
  const random = createRandom(9)
  const draws = (count: number) => Float32Array.from({ length: count }, () => nextNormal(random))
  const parameters = Object.fromEntries(
    lstmParameterCounts(shape).map(([name, count]) => [name, draws(count).map((x) => 0.5 * x)]),
  )
  loadLstm(network, { ...readLstm(network), ...parameters })
  const { floats, integers } = network.kernel
  const width = network.widths.channel
  for (let step = 0; step < ROWS * shape.stepCount; step++) {
    floats.set(draws(shape.channelCount), network.cells + step * width)
  }
  floats[network.cells + 2 * width + 1] = Number.NaN
  for (let row = 0; row < ROWS; row++) integers[network.items + row] = (row * 3) % ROWS
  return network
}

type Parameters = ReturnType<typeof numbersOf>

function numbersOf(network: LstmNetwork, of: 'values' | 'gradients') {
  const { encoderInput, encoderState, encoderBias, ...rest } = readLstm(network, of)
  const { latentWeights, latentBias, decoderInput, decoderState, decoderBias } = rest
  return {
    encoderInput: Array.from(encoderInput),
    encoderState: Array.from(encoderState),
    encoderBias: Array.from(encoderBias),
    latentWeights: Array.from(latentWeights),
    latentBias: Array.from(latentBias),
    decoderInput: Array.from(decoderInput),
    decoderState: Array.from(decoderState),
    decoderBias: Array.from(decoderBias),
    outputWeights: Array.from(rest.outputWeights),
    outputBias: Array.from(rest.outputBias),
  }
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

/** x·W + b, W row-major with as many columns as b. */
function affine(x: readonly number[], weights: readonly number[], bias: readonly number[]) {
  return bias.map((start, column) =>
    x.reduce((sum, value, row) => sum + value * weights[row * bias.length + column]!, start),
  )
}

/** One step of an LSTM as in the textbook, in double precision. */
function naiveCell(sums: readonly number[], c: readonly number[]) {
  const size = c.length
  const next = c.map(
    (state, unit) =>
      sigmoid(sums[size + unit]!) * state +
      sigmoid(sums[unit]!) * Math.tanh(sums[2 * size + unit]!),
  )
  const h = next.map((state, unit) => sigmoid(sums[3 * size + unit]!) * Math.tanh(state))
  return { c: next, h }
}

/** What the network restores of a window: step × channel. */
function naiveOutput(shape: LstmShape, p: Parameters, window: readonly (readonly number[])[]) {
  const none = Array.from({ length: shape.hiddenSize }, () => 0)
  let state = { c: none, h: none }
  for (const channels of window) {
    const inputs = channels.map((cell) => (Number.isNaN(cell) ? 0 : cell))
    const sums = affine(inputs, p.encoderInput, p.encoderBias)
    state = naiveCell(affine(state.h, p.encoderState, sums), state.c)
  }
  const latent = shape.latentSize === 0 ? state.h : affine(state.h, p.latentWeights, p.latentBias)
  const start = affine(latent, p.decoderInput, p.decoderBias)
  state = { c: none, h: none }
  return window.map(() => {
    state = naiveCell(affine(state.h, p.decoderState, start), state.c)
    return affine(state.h, p.outputWeights, p.outputBias)
  })
}

function naiveLoss(shape: LstmShape, p: Parameters, windows: readonly number[][][]): number {
  let loss = 0
  for (const window of windows) {
    const output = naiveOutput(shape, p, window)
    for (const [step, channels] of window.entries()) {
      for (const [channel, cell] of channels.entries()) {
        if (!Number.isNaN(cell)) loss += (output[step]![channel]! - cell) ** 2 / 2
      }
    }
  }
  for (const [name, values] of Object.entries(p)) {
    if (!name.endsWith('Bias')) loss += (L2 / 2) * values.reduce((sum, x) => sum + x * x, 0)
  }
  return loss / windows.length
}

function windowsOf(network: LstmNetwork): number[][][] {
  const { shape, widths, cells, kernel } = network
  return Array.from({ length: ROWS }, (_, row) =>
    Array.from({ length: shape.stepCount }, (__, step) => {
      const start = cells + (row * shape.stepCount + step) * widths.channel
      return Array.from(kernel.floats.subarray(start, start + shape.channelCount))
    }),
  )
}

const shapes: readonly LstmShape[] = [
  { channelCount: 3, stepCount: 4, hiddenSize: 5, latentSize: 0 },
  { channelCount: 2, stepCount: 3, hiddenSize: 6, latentSize: 3 },
  { channelCount: 5, stepCount: 1, hiddenSize: 4, latentSize: 0 },
]

describe.each(shapes)('LSTM network of $channelCount channels, latent $latentSize', (shape) => {
  test('has the gradients of finite differences of the naive loss', () => {
    const network = filledNetwork(shape, 'simd')
    const windows = windowsOf(network)
    gatherWindows(network, ROWS)
    forwardLstm(network, ROWS)
    const squares = backwardLstm(network, ROWS, L2)
    const parameters = numbersOf(network, 'values')
    const undecayed = naiveLoss(shape, parameters, windows)
    const gradients = numbersOf(network, 'gradients')
    let decay = 0
    for (const [name, values] of Object.entries(parameters)) {
      if (!name.endsWith('Bias')) decay += values.reduce((sum, x) => sum + x * x, 0)
    }
    expect((squares + L2 * decay) / 2 / ROWS).toBeCloseTo(undecayed, 4)
    for (const [name, count] of lstmParameterCounts(shape)) {
      const values = parameters[name]
      for (let i = 0; i < count; i++) {
        const value = values[i]!
        values[i] = value + 1e-5
        const above = naiveLoss(shape, parameters, windows)
        values[i] = value - 1e-5
        const slope = (above - naiveLoss(shape, parameters, windows)) / 2e-5
        values[i] = value
        // 32-bit sums of some tens of terms of size one.
        expect(Math.abs(gradients[name][i]! - slope), `${name}[${i}]`).toBeLessThan(2e-5)
      }
    }
  })

  test('restores the same whatever ran before and however many rows go along', () => {
    const network = filledNetwork(shape, 'simd')
    gatherWindows(network, ROWS)
    forwardLstm(network, ROWS)
    const { channel } = network.widths
    const outputOf = (rows: number) =>
      Array.from({ length: shape.stepCount }, (_, step) => {
        const start = network.output + step * rows * channel
        return Array.from(network.kernel.floats.subarray(start, start + channel))
      })
    const among = outputOf(ROWS)
    gatherWindows(network, 1)
    forwardLstm(network, 1)
    expect(outputOf(1)).toEqual(among)
    gatherWindows(network, ROWS)
    forwardLstm(network, ROWS)
    expect(outputOf(ROWS)).toEqual(among)
  })

  test('learns the same bytes with and without SIMD', () => {
    const [simd, plain] = (['simd', 'plain'] as const).map((kind) => {
      const network = filledNetwork(shape, kind)
      for (let step = 1; step <= 4; step++) {
        const rows = step === 2 ? 2 : ROWS
        gatherWindows(network, rows)
        forwardLstm(network, rows)
        backwardLstm(network, rows, L2)
        stepParameters(network.kernel, network.parameters, step, 0.01)
      }
      return readLstm(network)
    })
    expect(simd).toEqual(plain)
  })
})
