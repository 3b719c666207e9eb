import { describe, expect, test } from 'vitest'
import { createRandom, nextNormal } from '../statistics/random.ts'
import { paddedColumns } from './arena.ts'
import {
  backwardDense,
  createDenseNetwork,
  type DenseNetwork,
  forwardDense,
  gatherDense,
  type HiddenActivation,
  loadDense,
  readDense,
} from './dense-network.ts'
import { stepParameters } from './parameter-block.ts'

const SIZES = [5, 7, 3, 6, 5]
const ROWS = 9
const L2 = 0.3

/** A network with random weights and rows, one cell missing. */
function filledNetwork(activation: HiddenActivation, kernelKind: 'simd' | 'plain'): DenseNetwork {
  const network = createDenseNetwork(SIZES, activation, ROWS, {
    trainingRows: ROWS,
    dropoutLayers: 0,
    kernelKind,
  })
  const random = createRandom(5)
  const draws = (count: number, scale: number) =>
    Float32Array.from({ length: count }, () => scale * nextNormal(random))
  loadDense(network, draws(5 * 7 + 7 * 3 + 3 * 6 + 6 * 5, 0.5), draws(21, 0.2))
  const { floats, integers } = network.kernel
  for (let row = 0; row < ROWS; row++) {
    floats.set(draws(5, 1), network.cells + row * paddedColumns(5))
    integers[network.items + row] = (row * 4) % ROWS
  }
  floats[network.cells + 3 * paddedColumns(5) + 2] = Number.NaN
  return network
}

/** The rows of the network in double precision. */
function rowsOf(network: DenseNetwork): number[][] {
  return Array.from({ length: ROWS }, (_, row) => {
    const start = network.cells + row * paddedColumns(5)
    return Array.from(network.kernel.floats.subarray(start, start + 5))
  })
}

/** The loss from its definition, in double precision. */
function naiveLoss(
  rows: readonly (readonly number[])[],
  weights: readonly number[],
  biases: readonly number[],
  activation: HiddenActivation,
): number {
  const squash = activation === 'relu' ? (x: number) => Math.max(x, 0) : Math.tanh
  let loss = 0
  for (const row of rows) {
    let values = row.map((cell) => (Number.isNaN(cell) ? 0 : cell))
    let weightsAt = 0
    let biasesAt = 0
    for (let layer = 1; layer < SIZES.length; layer++) {
      const width = SIZES[layer] ?? 0
      const outputs = Array.from({ length: width }, (_, unit) => {
        const sum = values.reduce((s, x, i) => s + x * weights[weightsAt + i * width + unit]!, 0)
        return sum + biases[biasesAt + unit]!
      })
      weightsAt += values.length * width
      biasesAt += width
      values = layer < SIZES.length - 1 ? outputs.map(squash) : outputs
    }
    for (const [column, cell] of row.entries()) {
      if (!Number.isNaN(cell)) loss += (values[column]! - cell) ** 2 / 2
    }
  }
  const decay = weights.reduce((sum, weight) => sum + weight * weight, 0)
  return (loss + (L2 * decay) / 2) / rows.length
}

describe.each(['relu', 'tanh'] as const)('dense network with %s', (activation) => {
  test('has the gradients of finite differences of the naive loss', () => {
    const network = filledNetwork(activation, 'simd')
    const rows = rowsOf(network)
    gatherDense(network, network.cells, ROWS)
    forwardDense(network, ROWS, true)
    const squares = backwardDense(network, ROWS, L2)
    const weights = Array.from(readDense(network).weights)
    const biases = Array.from(readDense(network).biases)
    const decay = (L2 * weights.reduce((sum, weight) => sum + weight * weight, 0)) / 2
    const lossAt = () => naiveLoss(rows, weights, biases, activation)
    expect((squares / 2 + decay) / ROWS).toBeCloseTo(lossAt(), 5)
    const gradients = readDense(network, 'gradients')
    for (const [parameters, found] of [
      [weights, gradients.weights],
      [biases, gradients.biases],
    ] as const) {
      for (const [i, value] of parameters.entries()) {
        parameters[i] = value + 1e-5
        const above = lossAt()
        parameters[i] = value - 1e-5
        const slope = (above - lossAt()) / 2e-5
        parameters[i] = value
        // 32-bit sums of some ten terms of size one.
        expect(Math.abs(found[i]! - slope)).toBeLessThan(1e-5)
      }
    }
  })

  test('learns the same bytes with and without SIMD', () => {
    const networks = (['simd', 'plain'] as const).map((kind) => filledNetwork(activation, kind))
    const results = networks.map((network) => {
      for (let step = 1; step <= 5; step++) {
        gatherDense(network, network.cells, ROWS)
        forwardDense(network, ROWS, true)
        backwardDense(network, ROWS, L2)
        stepParameters(network.kernel, network.parameters, step, 0.01)
      }
      return readDense(network)
    })
    expect(results[0]).toEqual(results[1])
  })
})
