import { invalidOption, tooFewRows } from '../errors.ts'
import {
  type FeatureMatrix,
  requireColumns,
  requireRowIndices,
  requireShape,
  selectRows,
} from '../feature-matrix.ts'
import type { ColumnScaler } from '../statistics/column-scaler.ts'
import { createRandom, nextOpenUnit, RANDOM_ALGORITHM } from '../statistics/random.ts'
import type { HiddenActivation } from './dense-network.ts'
import { trainDense } from './dense-training.ts'
import { fitObservedScaler, type InputScaling } from './observed-scaler.ts'
import { STREAM, type TrainingHistory } from './training.ts'
import { completeTraining, requireInteger, type TrainingOptions } from './training-options.ts'

/** Hyper-parameters of an autoencoder. */
export type AutoencoderOptions = TrainingOptions &
  InputScaling & {
    /**
     * Units of the hidden layers, from the input to the output. Default 32, 16, 10, 16, 32 for 45
     * columns (MOD-23) and the same shares of any other number, but at least 16, 8, 1, 8, 16: few
     * columns may still depend on each other along curves. The narrowest layer is what the network
     * can keep of a row: too narrow and every row errs, too wide and none does.
     */
    readonly hiddenSizes?: readonly number[]
    /**
     * Default 'tanh': a ReLU unit that no row reaches any more never comes back, which costs a
     * narrow layer much, and it restores rows far outside as well as those it learnt from.
     */
    readonly activation?: HiddenActivation
    /**
     * Share of outputs set to zero at random in each step of training, in the layers up to the
     * narrowest; the others are scaled up. Default 0. Source: Srivastava et al. 2014.
     */
    readonly dropout?: number
    /**
     * Weights, biases and scaling to start from instead of new ones: a model fitted earlier, to
     * follow slow change. Its layers and activation are kept.
     */
    readonly startFrom?: Autoencoder
  }

/**
 * Learned state of a dense autoencoder: plain data.
 *
 * Layer l maps x to f(x·W + b) with W layerSizes[l] × layerSizes[l + 1], f the activation, and the
 * identity in the last.
 */
export type Autoencoder = TrainingHistory & {
  readonly kind: 'autoencoder'
  readonly stateVersion: 1
  readonly columnNames: readonly string[]
  readonly scaler: ColumnScaler
  /** Columns, hidden layers, columns. */
  readonly layerSizes: Uint32Array
  readonly activation: HiddenActivation
  /** The W of every layer, row-major, one after another. */
  readonly weights: Float32Array
  /** The b of every layer, one after another. */
  readonly biases: Float32Array
  readonly seed: number
  readonly randomAlgorithm: typeof RANDOM_ALGORITHM
}

/**
 * Fits an autoencoder: a network that squeezes a row through few numbers and restores it. What it
 * has not learnt to restore is unusual.
 *
 * Columns are scaled by mean and standard deviation of their training cells. A NaN cell enters as
 * the mean and counts neither in the loss nor in the score. Weights and biases start uniform in
 * ±√(6 / (inputs + outputs)) (Glorot & Bengio 2010; as scikit-learn), Adam takes the steps, the
 * last batch of an epoch may be smaller. The loss is ½·Σ errors² per row, averaged over the batch.
 * @param matrix rowCount × columns, unscaled; NaN allowed, ±∞ refused
 * @param rows training rows, default all
 * @throws TOO_FEW_ROWS without rows, NOT_FINITE on ±∞, INVALID_OPTION, COLUMN_MISMATCH with
 *   `startFrom`
 * Cost about 6 · rows · weights floating-point operations per epoch.
 */
export function fitAutoencoder(
  matrix: FeatureMatrix,
  options: AutoencoderOptions = {},
  rows?: ArrayLike<number>,
): Autoencoder {
  requireShape(matrix)
  if (rows !== undefined) {
    requireRowIndices(matrix, rows)
    if (options.heldOutRows !== undefined) {
      throw invalidOption('heldOutRows', 'absent where rows are given: take the rows out', 'both')
    }
    return fitAutoencoder(selectRows(matrix, rows), options)
  }
  if (matrix.rowCount === 0) throw tooFewRows('autoencoder', 1, 0)
  if (options.heldOutRows !== undefined) requireRowIndices(matrix, options.heldOutRows)
  const batchSize = options.batchSize ?? defaultBatch(matrix.rowCount)
  const maxEpochs = defaultEpochs(matrix.rowCount, batchSize)
  const training = completeTraining(options, { batchSize, maxEpochs, l2: 1e-4 })
  const { dropout = 0 } = options
  if (!(dropout >= 0 && dropout < 1)) throw invalidOption('dropout', 'in [0, 1)', dropout)
  const start = startOf(matrix, options, training.seed)
  const trained = trainDense(start, matrix, { ...training, dropout })
  return {
    kind: 'autoencoder',
    stateVersion: 1,
    columnNames: [...matrix.columnNames],
    ...start,
    ...trained,
    seed: training.seed,
    randomAlgorithm: RANDOM_ALGORITHM,
  }
}

/** What training starts from. */
export type DenseStart = Pick<
  Autoencoder,
  'scaler' | 'layerSizes' | 'activation' | 'weights' | 'biases'
>

function startOf(matrix: FeatureMatrix, options: AutoencoderOptions, seed: number): DenseStart {
  const { startFrom } = options
  if (startFrom !== undefined) {
    requireColumns(startFrom.columnNames, matrix)
    const { scaler, layerSizes, activation, weights, biases } = startFrom
    return { scaler, layerSizes, activation, weights, biases }
  }
  const { activation = 'tanh' } = options
  if (activation !== 'relu' && activation !== 'tanh') {
    throw invalidOption('activation', 'relu or tanh', activation)
  }
  const columnCount = matrix.columnNames.length
  const { hiddenSizes = defaultHiddenSizes(columnCount) } = options
  if (hiddenSizes.length === 0) throw invalidOption('hiddenSizes', 'at least one layer', 'none')
  for (const [layer, size] of hiddenSizes.entries()) {
    requireInteger(`hiddenSizes[${layer}]`, size, 1, 65_536)
  }
  const layerSizes = Uint32Array.of(columnCount, ...hiddenSizes, columnCount)
  const scaler = fitObservedScaler('autoencoder fit', matrix.values, matrix.columnNames, options)
  return { scaler, layerSizes, activation, ...glorotWeights(layerSizes, seed) }
}

/** Layers of MOD-23 for 45 columns, in proportion for others. */
function defaultHiddenSizes(columnCount: number): readonly number[] {
  const share = (units: number, least: number) =>
    Math.max(least, Math.round((units * columnCount) / 45))
  return [share(32, 16), share(16, 8), share(10, 1), share(16, 8), share(32, 16)]
}

/**
 * 256 rows per step, as usual for large tables; fewer for small ones, so that an epoch has some
 * thirty steps, and never under 16: Adam needs hundreds of steps, and epochs are limited.
 */
function defaultBatch(rowCount: number): number {
  return Math.min(256, Math.max(16, 2 ** Math.floor(Math.log2(rowCount / 32))))
}

/** 100 (MOD-23), or what gives some 5,000 steps: a small table needs as many as a large one. */
function defaultEpochs(rowCount: number, batchSize: number): number {
  return Math.max(100, Math.ceil(5000 / Math.ceil(rowCount / batchSize)))
}

/** Draws the weights of layer 0 row by row, then its biases, then layer 1, and so on. */
function glorotWeights(
  layerSizes: Uint32Array,
  seed: number,
): { readonly weights: Float32Array; readonly biases: Float32Array } {
  const random = createRandom(seed, STREAM.weights)
  const weights: number[] = []
  const biases: number[] = []
  for (let layer = 1; layer < layerSizes.length; layer++) {
    const inputs = layerSizes[layer - 1]!
    const outputs = layerSizes[layer]!
    const bound = Math.sqrt(6 / (inputs + outputs))
    const draw = () => (2 * nextOpenUnit(random) - 1) * bound
    for (let i = 0; i < inputs * outputs; i++) weights.push(draw())
    for (let i = 0; i < outputs; i++) biases.push(draw())
  }
  return { weights: Float32Array.from(weights), biases: Float32Array.from(biases) }
}
