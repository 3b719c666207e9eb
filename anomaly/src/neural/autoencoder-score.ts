import {
  type FeatureMatrix,
  outputFor,
  requireColumns,
  requireRowIndices,
  selectRows,
} from '../feature-matrix.ts'
import { paddedColumns } from './arena.ts'
import type { Autoencoder } from './autoencoder.ts'
import {
  createDenseNetwork,
  type DenseNetwork,
  forwardDense,
  gatherDense,
  loadDense,
} from './dense-network.ts'
import { scaleObserved } from './observed-scaler.ts'

/** Rows that go through the network together; what they need stays in the fast caches. */
const ROWS_AT_ONCE = 256

/** Networks of models scored before: laying one out costs more than scoring a row. */
const networks = new WeakMap<Autoencoder, DenseNetwork>()

/**
 * Anomaly score of each row: the mean squared difference between the scaled row and what the
 * network restores of it, over its cells that are not NaN; 0 for a row of NaN only.
 * @param matrix rowCount × columns in the model's order, unscaled; NaN allowed
 * @param out receives the scores, default a new array
 * @returns rowCount scores ≥ 0, about 1 for a row restored no better than by the mean
 * @throws COLUMN_MISMATCH, SHAPE_MISMATCH
 * Cost 2 · weights floating-point operations per row.
 */
export function scoreAutoencoder(
  model: Autoencoder,
  matrix: FeatureMatrix,
  out?: Float64Array,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  const scores = outputFor(matrix, out)
  scoreAutoencoderRows(model, matrix.values, 0, matrix.rowCount, scores)
  return scores
}

/** Scores rows [rowStart, rowEnd) of checked values into the cells of `out` of the same number. */
export function scoreAutoencoderRows(
  model: Autoencoder,
  values: Float64Array,
  rowStart: number,
  rowEnd: number,
  out: Float64Array,
): void {
  const network = networkOf(model)
  const { floats } = network.kernel
  const columnCount = model.columnNames.length
  const stride = paddedColumns(columnCount)
  const { output } = network.layers.at(-1)!
  for (let start = rowStart; start < rowEnd; start += ROWS_AT_ONCE) {
    const end = Math.min(start + ROWS_AT_ONCE, rowEnd)
    const hasMissing = restore(network, model, values, start, end)
    for (let row = start; row < end; row++) {
      const wanted = network.target + (row - start) * stride
      const restored = output + (row - start) * stride
      const score = hasMissing ? observedError : meanError
      out[row] = score(floats, wanted, restored, columnCount)
    }
  }
}

/** Mean squared difference of two rows. */
function meanError(floats: Float32Array, wanted: number, restored: number, count: number): number {
  let squares = 0
  for (let i = 0; i < count; i++) {
    const error = floats[wanted + i]! - floats[restored + i]!
    squares += error * error
  }
  return squares / count
}

/** The same over cells that are not NaN: the same sum where none is. */
function observedError(
  floats: Float32Array,
  wanted: number,
  restored: number,
  count: number,
): number {
  let squares = 0
  let observed = 0
  for (let i = 0; i < count; i++) {
    const error = floats[wanted + i]! - floats[restored + i]!
    if (Number.isNaN(error)) continue
    squares += error * error
    observed++
  }
  return squares / Math.max(1, observed)
}

/**
 * Share of each column in the score of the given rows: its squared error over the number of cells
 * that are not NaN. The shares of a row add up to its score.
 * @returns rowIndices.length × columns, row-major, ≥ 0; 0 for a NaN cell
 * @throws COLUMN_MISMATCH, SHAPE_MISMATCH, INVALID_OPTION for a row index outside the matrix
 */
export function explainAutoencoder(
  model: Autoencoder,
  matrix: FeatureMatrix,
  rowIndices: ArrayLike<number>,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  requireRowIndices(matrix, rowIndices)
  const { values, rowCount } = selectRows(matrix, rowIndices)
  const network = networkOf(model)
  const { floats } = network.kernel
  const columnCount = model.columnNames.length
  const stride = paddedColumns(columnCount)
  const { output } = network.layers.at(-1)!
  const shares = new Float64Array(rowCount * columnCount)
  for (let start = 0; start < rowCount; start += ROWS_AT_ONCE) {
    const end = Math.min(start + ROWS_AT_ONCE, rowCount)
    restore(network, model, values, start, end)
    for (let row = start; row < end; row++) {
      const wanted = network.target + (row - start) * stride
      const restored = output + (row - start) * stride
      writeShares(floats, wanted, restored, shares, row * columnCount, columnCount)
    }
  }
  return shares
}

function writeShares(
  floats: Float32Array,
  wanted: number,
  restored: number,
  shares: Float64Array,
  sharesAt: number,
  count: number,
): void {
  let observed = 0
  for (let i = 0; i < count; i++) if (!Number.isNaN(floats[wanted + i]!)) observed++
  for (let i = 0; i < count; i++) {
    const error = floats[wanted + i]! - floats[restored + i]!
    shares[sharesAt + i] = Number.isNaN(error) ? 0 : (error * error) / observed
  }
}

/** Puts scaled rows [start, end) into the target and restores them. @returns if a cell is NaN */
function restore(
  network: DenseNetwork,
  model: Autoencoder,
  values: Float64Array,
  start: number,
  end: number,
): boolean {
  const { kernel, target } = network
  const stride = paddedColumns(model.columnNames.length)
  const hasMissing = scaleObserved(model.scaler, values, start, end, kernel.floats, target, stride)
  gatherDense(network, target, end - start)
  forwardDense(network, end - start, false)
  return hasMissing
}

function networkOf(model: Autoencoder): DenseNetwork {
  const known = networks.get(model)
  if (known !== undefined) return known
  const { layerSizes, activation, weights, biases } = model
  const network = createDenseNetwork(layerSizes, activation, ROWS_AT_ONCE, {
    trainingRows: 0,
    dropoutLayers: 0,
  })
  loadDense(network, weights, biases)
  const { kernel, items } = network
  for (let row = 0; row < ROWS_AT_ONCE; row++) kernel.integers[items + row] = row
  networks.set(model, network)
  return network
}
