import {
  type FeatureMatrix,
  outputFor,
  requireColumns,
  requireRowIndices,
  selectRows,
} from '../feature-matrix.ts'
import type { LstmAutoencoder } from './lstm-autoencoder.ts'
import { forwardLstm, gatherWindows } from './lstm-forward.ts'
import { createLstmNetwork, type LstmNetwork, loadLstm } from './lstm-network.ts'
import { scaleObserved } from './observed-scaler.ts'

/** Windows that go through the network together. */
const WINDOWS_AT_ONCE = 64

/** Networks of models scored before: laying one out costs more than scoring a window. */
const networks = new WeakMap<LstmAutoencoder, LstmNetwork>()

/**
 * Anomaly score of each window: the mean squared difference between the scaled window and what the
 * network restores of it, over the cells of its scored steps that are not NaN; 0 if all are.
 * @param windows in the model's columns, unscaled; NaN allowed
 * @param out receives the scores, default a new array
 * @returns one score ≥ 0 per window, about 1 for a window restored no better than by the mean
 * @throws COLUMN_MISMATCH, SHAPE_MISMATCH
 * Cost 2 · steps · 4·hidden·(channels + 2·hidden) floating-point operations per window.
 */
export function scoreLstmAutoencoder(
  model: LstmAutoencoder,
  windows: FeatureMatrix,
  out?: Float64Array,
): Float64Array {
  requireColumns(model.columnNames, windows)
  const scores = outputFor(windows, out)
  scoreLstmWindows(model, windows.values, 0, windows.rowCount, scores)
  return scores
}

/** Scores windows [start, end) of checked values into the cells of `out` of the same number. */
export function scoreLstmWindows(
  model: LstmAutoencoder,
  values: Float64Array,
  start: number,
  end: number,
  out: Float64Array,
): void {
  const width = model.columnNames.length
  const squares = new Float64Array(width)
  for (let first = start; first < end; first += WINDOWS_AT_ONCE) {
    const last = Math.min(first + WINDOWS_AT_ONCE, end)
    const network = restore(model, values, first, last)
    for (let window = first; window < last; window++) {
      const observed = squaredErrors(model, network, window - first, last - first, squares, 0)
      let sum = 0
      for (let cell = 0; cell < width; cell++) sum += squares[cell]!
      out[window] = sum / Math.max(1, observed)
    }
  }
}

/**
 * Share of each channel at each step in the score of the given windows: its squared error over the
 * number of scored cells that are not NaN. The shares of a window add up to its score.
 * @returns rowIndices.length × (steps · channels), step after step as the windows, ≥ 0; 0 for a
 *   NaN cell and for a step that is not scored
 * @throws COLUMN_MISMATCH, SHAPE_MISMATCH, INVALID_OPTION for an index outside the matrix
 */
export function explainLstmAutoencoder(
  model: LstmAutoencoder,
  windows: FeatureMatrix,
  rowIndices: ArrayLike<number>,
): Float64Array {
  requireColumns(model.columnNames, windows)
  requireRowIndices(windows, rowIndices)
  const { values, rowCount } = selectRows(windows, rowIndices)
  const width = model.columnNames.length
  const shares = new Float64Array(rowCount * width)
  for (let first = 0; first < rowCount; first += WINDOWS_AT_ONCE) {
    const last = Math.min(first + WINDOWS_AT_ONCE, rowCount)
    const network = restore(model, values, first, last)
    for (let window = first; window < last; window++) {
      const cells = window * width
      const observed = squaredErrors(model, network, window - first, last - first, shares, cells)
      for (let cell = cells; cell < cells + width; cell++) {
        shares[cell] = shares[cell]! / Math.max(1, observed)
      }
    }
  }
  return shares
}

/** Squared errors of one restored window from `out[at]`. @returns scored cells that are not NaN */
function squaredErrors(
  model: LstmAutoencoder,
  network: LstmNetwork,
  row: number,
  rows: number,
  out: Float64Array,
  at: number,
): number {
  const { floats } = network.kernel
  const { channelCount, stepCount, scoredSteps } = model
  const stride = network.widths.channel
  let observed = 0
  for (let step = stepCount - scoredSteps; step < stepCount; step++) {
    const cells = (step * rows + row) * stride
    for (let channel = 0; channel < channelCount; channel++) {
      const wanted = floats[network.target + cells + channel]!
      const error = wanted - floats[network.output + cells + channel]!
      const isObserved = !Number.isNaN(wanted)
      out[at + step * channelCount + channel] = isObserved ? error * error : 0
      if (isObserved) observed++
    }
  }
  return observed
}

/** Restores windows [start, end), at most WINDOWS_AT_ONCE, and returns the network that did. */
function restore(
  model: LstmAutoencoder,
  values: Float64Array,
  start: number,
  end: number,
): LstmNetwork {
  const network = networkOf(model)
  const { kernel, widths, cells } = network
  const { stepCount, scaler } = model
  const [firstStep, lastStep] = [start * stepCount, end * stepCount]
  scaleObserved(scaler, values, firstStep, lastStep, kernel.floats, cells, widths.channel)
  gatherWindows(network, end - start)
  forwardLstm(network, end - start)
  return network
}

function networkOf(model: LstmAutoencoder): LstmNetwork {
  const known = networks.get(model)
  if (known !== undefined) return known
  const network = createLstmNetwork(model, WINDOWS_AT_ONCE, {
    windowCount: WINDOWS_AT_ONCE,
    isTrained: false,
  })
  loadLstm(network, model.parameters)
  const { kernel, items } = network
  for (let row = 0; row < WINDOWS_AT_ONCE; row++) kernel.integers[items + row] = row
  networks.set(model, network)
  return network
}
