import { invalidOption } from '../errors.ts'
import type { ModelState } from '../model-file/model-file.ts'
import {
  invalidState,
  readFloats,
  readLiteral,
  readNumber,
  readObject,
} from '../model-file/model-state-reader.ts'
import { combinedWeights, requireTarget } from '../validation/supervised-target.ts'
import {
  evaluateIsotonic,
  fitIsotonicRegression,
  type IsotonicRegression,
} from './isotonic-regression.ts'
import { evaluatePlatt, fitPlattScaling, type PlattScaling } from './platt-scaling.ts'

/** A learned map from margins (or any score) to probabilities. Plain data. */
export type ProbabilityCalibration = IsotonicRegression | PlattScaling

/** Options of `fitProbabilityCalibration`. */
export type ProbabilityCalibrationOptions = {
  /**
   * `'isotonic'` follows any rising shape, `'platt'` has two parameters; `'auto'` (default) is
   * isotonic from 1,000 rows on, where it no longer overfits (Niculescu-Mizil & Caruana 2005).
   */
  readonly method?: 'auto' | 'isotonic' | 'platt'
  /** One weight ≥ 0 per row, default 1. */
  readonly rowWeights?: ArrayLike<number>
}

const ISOTONIC_MIN_ROWS = 1_000

/**
 * Learns which share of rows with a given margin are of class 1, on rows that the model was not
 * fitted on: a later time slice, or the held-out folds. For Platt pass margins (log-odds), not
 * probabilities; isotonic takes either.
 * @throws SHAPE_MISMATCH, ONE_CLASS, NOT_FINITE, INVALID_OPTION, TOO_FEW_ROWS
 * Cost O(n log n).
 */
export function fitProbabilityCalibration(
  margins: Float64Array,
  labels: ArrayLike<number>,
  { method = 'auto', rowWeights }: ProbabilityCalibrationOptions = {},
): ProbabilityCalibration {
  const chosen =
    method === 'auto' ? (margins.length < ISOTONIC_MIN_ROWS ? 'platt' : 'isotonic') : method
  if (chosen === 'platt') return fitPlattScaling(margins, labels, rowWeights)
  if (chosen !== 'isotonic') throw invalidOption('method', 'auto, isotonic or platt', method)
  const target = { kind: 'binary', labels } as const
  requireTarget(target, margins.length)
  const weights = combinedWeights(
    target,
    margins.length,
    rowWeights === undefined ? {} : { rowWeights },
  )
  const isUsed = (_: number, row: number) => weights[row]! > 0
  return fitIsotonicRegression(margins.filter(isUsed), Float64Array.from(labels).filter(isUsed), {
    weights: weights.filter((weight) => weight > 0),
  })
}

/**
 * Probability of class 1 for each margin.
 * @param out receives one probability per margin; may be `margins` itself
 * @throws SHAPE_MISMATCH
 */
export function calibrateProbabilities(
  calibration: ProbabilityCalibration,
  margins: Float64Array,
  out?: Float64Array,
): Float64Array {
  return calibration.kind === 'platt_scaling'
    ? evaluatePlatt(calibration, margins, out)
    : evaluateIsotonic(calibration, margins, out)
}

/**
 * Turns decoded data into a calibration.
 * @throws MODEL_FILE_INVALID naming the field
 */
export function parseProbabilityCalibration(value: ModelState): ProbabilityCalibration {
  const state = readObject(value, 'probability calibration')
  const kind = readLiteral(state, 'kind', ['platt_scaling', 'isotonic_regression'])
  const stateVersion = readLiteral(state, 'stateVersion', [1])
  if (kind === 'platt_scaling') {
    return {
      kind,
      stateVersion,
      slope: readNumber(state, 'slope'),
      offset: readNumber(state, 'offset'),
    }
  }
  const { inputs: found } = state
  const length = found instanceof Float64Array ? Math.max(1, found.length) : 1
  const inputs = readFloats(state, 'inputs', length)
  const outputs = readFloats(state, 'outputs', length)
  for (let i = 1; i < length; i++) {
    if (!(inputs[i]! > inputs[i - 1]!)) throw invalidState(`inputs[${i}]`, 'rising', inputs[i])
  }
  return { kind, stateVersion, inputs, outputs }
}
