import { invalidOption, tooFewRows } from '../errors.ts'
import {
  type FeatureMatrix,
  requireColumns,
  requireRowIndices,
  requireShape,
} from '../feature-matrix.ts'
import type { ColumnScaler } from '../statistics/column-scaler.ts'
import { createRandom, nextOpenUnit, RANDOM_ALGORITHM } from '../statistics/random.ts'
import { type LstmParameters, type LstmShape, lstmParameterCounts } from './lstm-network.ts'
import { trainLstm } from './lstm-training.ts'
import { fitObservedScaler, type InputScaling } from './observed-scaler.ts'
import { STREAM, type TrainingHistory } from './training.ts'
import { completeTraining, requireInteger, type TrainingOptions } from './training-options.ts'
import { channelNamesOf } from './window-matrix.ts'

/** Hyper-parameters of an LSTM autoencoder. */
export type LstmAutoencoderOptions = TrainingOptions &
  InputScaling & {
    /** Steps per window, ≥ 1; a divisor of the matrix's columns. */
    readonly stepCount: number
    /** Units of the encoder and of the decoder, default 32. */
    readonly hiddenSize?: number
    /**
     * Numbers a window is squeezed into by a linear layer between encoder and decoder; default
     * none: the decoder gets the encoder's last output.
     */
    readonly latentSize?: number
    /** Only the last so many steps count in the score, default all. Training sees all. */
    readonly scoredSteps?: number
    /**
     * Parameters and scaling to start from instead of new ones: a model fitted earlier. Its sizes
     * are kept.
     */
    readonly startFrom?: LstmAutoencoder
  }

/** Learned state of an LSTM autoencoder: plain data. */
export type LstmAutoencoder = TrainingHistory &
  LstmShape & {
    readonly kind: 'lstm_autoencoder'
    readonly stateVersion: 1
    /** Of the windows' matrix: step after step, all channels of each. */
    readonly columnNames: readonly string[]
    /** Per channel, over all windows and steps. */
    readonly scaler: ColumnScaler
    readonly scoredSteps: number
    readonly parameters: LstmParameters
    readonly seed: number
    readonly randomAlgorithm: typeof RANDOM_ALGORITHM
  }

/**
 * Fits an LSTM autoencoder: a recurrent network reads a window, keeps a few numbers of it, and a
 * second one restores the window from them. What it has not learnt to restore is unusual.
 *
 * Encoder and decoder are LSTMs of one layer with state 0 before the first step; the decoder gets
 * the same input at every step, and a linear layer turns its outputs into channels. Channels are
 * scaled by mean and standard deviation over all windows and steps. A NaN cell enters as the mean
 * and counts neither in the loss nor in the score. All parameters start uniform in ±1/√hidden, as
 * torch's (a referee in torch sets bias_hh to 0 and leaves it there: one bias per gate here). The
 * loss is ½·Σ errors² per window, averaged over the batch of default 64.
 * @param windows rows are windows, columns step after step, as `windowMatrix` makes; unscaled
 * @throws TOO_FEW_ROWS without windows, NOT_FINITE on ±∞, INVALID_OPTION, COLUMN_MISMATCH with
 *   `startFrom`
 * Cost about 6 · windows · steps · 4·hidden·(channels + 2·hidden) floating-point operations per
 * epoch; memory of 20 · hidden floats per step of a batch, and the scaled windows as floats.
 * Source: Malhotra et al., "LSTM-based Encoder-Decoder for Multi-sensor Anomaly Detection", 2016;
 * the decoder's repeated input as in Srivastava et al. 2015.
 */
export function fitLstmAutoencoder(
  windows: FeatureMatrix,
  options: LstmAutoencoderOptions,
): LstmAutoencoder {
  requireShape(windows)
  if (windows.rowCount === 0) throw tooFewRows('LSTM autoencoder', 1, 0)
  if (options.heldOutRows !== undefined) requireRowIndices(windows, options.heldOutRows)
  const training = completeTraining(options, { batchSize: 64, maxEpochs: 100, l2: 0 })
  const start = startOf(windows, options, training.seed)
  const { scoredSteps = start.stepCount } = options
  requireInteger('scoredSteps', scoredSteps, 1, start.stepCount)
  const trained = trainLstm(start, windows, training)
  return {
    kind: 'lstm_autoencoder',
    stateVersion: 1,
    columnNames: [...windows.columnNames],
    ...start,
    scoredSteps,
    ...trained,
    seed: training.seed,
    randomAlgorithm: RANDOM_ALGORITHM,
  }
}

/** What training starts from. */
export type LstmStart = LstmShape & Pick<LstmAutoencoder, 'scaler' | 'parameters'>

function startOf(windows: FeatureMatrix, options: LstmAutoencoderOptions, seed: number): LstmStart {
  const { startFrom, stepCount, hiddenSize = 32, latentSize } = options
  requireInteger('stepCount', stepCount, 1, 1_000_000)
  if (startFrom !== undefined) {
    requireColumns(startFrom.columnNames, windows)
    if (stepCount !== startFrom.stepCount) {
      throw invalidOption('stepCount', `${startFrom.stepCount} as in startFrom`, stepCount)
    }
    const { channelCount, scaler, parameters } = startFrom
    const sizes = { hiddenSize: startFrom.hiddenSize, latentSize: startFrom.latentSize }
    return { channelCount, stepCount, ...sizes, scaler, parameters }
  }
  requireInteger('hiddenSize', hiddenSize, 1, 4096)
  if (latentSize !== undefined) requireInteger('latentSize', latentSize, 1, 4096)
  const channelNames = channelNamesOf(windows.columnNames, stepCount)
  const channelCount = channelNames.length
  const shape = { channelCount, stepCount, hiddenSize, latentSize: latentSize ?? 0 }
  const scaler = fitObservedScaler('LSTM autoencoder fit', windows.values, channelNames, options)
  return { ...shape, scaler, parameters: uniformParameters(shape, seed) }
}

/** Draws the parameters in the order of `lstmParameterCounts`, each matrix row by row. */
function uniformParameters(shape: LstmShape, seed: number): LstmParameters {
  const random = createRandom(seed, STREAM.weights)
  const bound = 1 / Math.sqrt(shape.hiddenSize)
  const drawn = lstmParameterCounts(shape).map(([name, count]) => [
    name,
    Float32Array.from({ length: count }, () => (2 * nextOpenUnit(random) - 1) * bound),
  ])
  // `lstmParameterCounts` names every parameter once.
  return Object.fromEntries(drawn) as LstmParameters
}
