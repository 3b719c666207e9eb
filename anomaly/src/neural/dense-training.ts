import type { FeatureMatrix } from '../feature-matrix.ts'
import { createRandom, nextOpenUnit, type Random } from '../statistics/random.ts'
import { paddedColumns } from './arena.ts'
import type { Autoencoder, DenseStart } from './autoencoder.ts'
import {
  backwardDense,
  createDenseNetwork,
  type DenseNetwork,
  forwardDense,
  gatherDense,
  loadDense,
  readDense,
} from './dense-network.ts'
import { scaleObserved } from './observed-scaler.ts'
import { stepParameters } from './parameter-block.ts'
import { runTraining, STREAM, type TrainingHistory } from './training.ts'
import type { CompleteTraining } from './training-options.ts'

/** Trains from the given weights on all rows of the matrix. */
export function trainDense(
  start: DenseStart,
  matrix: FeatureMatrix,
  options: CompleteTraining & { readonly dropout: number },
): TrainingHistory & Pick<Autoencoder, 'weights' | 'biases'> {
  const { layerSizes, activation, scaler } = start
  const { rowCount, values } = matrix
  const { l2, learningRate, dropout, seed } = options
  const network = createDenseNetwork(
    layerSizes,
    activation,
    Math.min(options.batchSize, rowCount),
    {
      trainingRows: rowCount,
      dropoutLayers: dropout > 0 ? encoderLayers(layerSizes) : 0,
    },
  )
  loadDense(network, start.weights, start.biases)
  const { kernel, parameters, cells, items, target } = network
  const stride = paddedColumns(matrix.columnNames.length)
  const hasMissing = scaleObserved(scaler, values, 0, rowCount, kernel.floats, cells, stride)
  const take = (rows: Uint32Array) => {
    kernel.integers.set(rows, items)
    gatherDense(network, cells, rows.length)
  }
  const random = createRandom(seed, STREAM.dropout)
  let step = 0
  const history = runTraining(
    {
      parameters: kernel.floats.subarray(parameters.values, parameters.values + parameters.count),
      train(rows) {
        take(rows)
        if (dropout > 0) drawDropout(network, rows.length, dropout, random)
        forwardDense(network, rows.length, true)
        const squares = backwardDense(network, rows.length, l2)
        stepParameters(kernel, parameters, ++step, learningRate)
        return squares
      },
      measure(rows) {
        take(rows)
        forwardDense(network, rows.length, false)
        const { output, outputGradient } = network.layers.at(-1)!
        return kernel.residual(output, target, outputGradient, 1, rows.length * stride)
      },
      observedCells: (rows) =>
        hasMissing
          ? countObserved(values, matrix.columnNames.length, rows)
          : rows.length * matrix.columnNames.length,
    },
    rowCount,
    options,
  )
  return { ...history, ...readDense(network) }
}

/** Hidden layers up to the narrowest. */
function encoderLayers(layerSizes: Uint32Array): number {
  const hidden = layerSizes.subarray(1, layerSizes.length - 1)
  return hidden.indexOf(Math.min(...hidden)) + 1
}

/** Cells of the given rows that are not NaN. */
export function countObserved(
  values: Float64Array,
  columnCount: number,
  rows: Uint32Array,
): number {
  let count = 0
  for (let i = 0; i < rows.length; i++) {
    const cells = rows[i]! * columnCount
    for (let column = 0; column < columnCount; column++) {
      if (!Number.isNaN(values[cells + column]!)) count++
    }
  }
  return count
}

/** Factors 0 with probability `dropout`, else 1 / (1 − dropout), for every dropped layer. */
function drawDropout(network: DenseNetwork, rows: number, dropout: number, random: Random): void {
  const { floats } = network.kernel
  const kept = 1 / (1 - dropout)
  for (const { dropoutFactors, weights } of network.layers) {
    if (dropoutFactors === undefined) continue
    const end = dropoutFactors + rows * paddedColumns(weights.columns)
    for (let i = dropoutFactors; i < end; i++) {
      floats[i] = nextOpenUnit(random) < dropout ? 0 : kept
    }
  }
}
