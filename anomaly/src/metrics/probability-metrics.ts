import { AnomalyError, invalidOption, shapeMismatch, tooFewRows } from '../errors.ts'
import { descendingOrder } from './ranking-metrics.ts'

/**
 * Brier score: mean squared difference between probability and outcome.
 * @param labels 1 or 0, one per probability
 * @param probabilities of label 1, in [0, 1]
 * @returns in [0, 1]; lower is better, p(1 − p) for a constant forecast of the base rate p
 * @throws SHAPE_MISMATCH, INVALID_OPTION, TOO_FEW_ROWS
 * Cost O(n). Source: Brier 1950; equal to scikit-learn's brier_score_loss.
 */
export function brierScore(labels: ArrayLike<number>, probabilities: Float64Array): number {
  requireProbabilities('Brier score', labels, probabilities)
  let sum = 0
  for (let i = 0; i < probabilities.length; i++) sum += (probabilities[i]! - labels[i]!) ** 2
  return sum / probabilities.length
}

/**
 * Logarithmic loss: mean −ln of the probability given to what happened.
 * @returns ≥ 0, nats; probabilities are held 2⁻⁵² away from 0 and 1, so that one sure mistake
 *   costs 36 and not ∞
 * @throws as `brierScore`
 * Cost O(n). Source: equal to scikit-learn's log_loss.
 */
export function logLoss(labels: ArrayLike<number>, probabilities: Float64Array): number {
  requireProbabilities('log loss', labels, probabilities)
  let sum = 0
  for (let i = 0; i < probabilities.length; i++) {
    const given = labels[i] === 1 ? probabilities[i]! : 1 - probabilities[i]!
    sum -= Math.log(Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, given)))
  }
  return sum / probabilities.length
}

/** Forecast and outcome of rows with like probabilities. */
export type CalibrationBin = {
  readonly count: number
  readonly meanProbability: number
  readonly positiveShare: number
}

/** How far probabilities are from frequencies. */
export type CalibrationError = {
  /** Mean of |mean probability − share of positives| over bins, weighted by their rows. */
  readonly expected: number
  /** The largest of these. */
  readonly maximum: number
  readonly bins: readonly CalibrationBin[]
}

/**
 * Calibration error with bins of equal mass: rows in order of probability, cut into parts of equal
 * size, so that no bin is empty however rare the positives. Equal probabilities stay together.
 * @param binCount default 10; fewer rows than bins give one bin per row
 * @throws as `brierScore`
 * Cost O(n log n). Source: Naeini et al. 2015; Nguyen & O'Connor 2015 for equal mass.
 */
export function calibrationError(
  labels: ArrayLike<number>,
  probabilities: Float64Array,
  binCount = 10,
): CalibrationError {
  requireProbabilities('calibration error', labels, probabilities)
  if (!(Number.isInteger(binCount) && binCount >= 1)) {
    throw invalidOption('binCount', 'an integer ≥ 1', binCount)
  }
  const order = descendingOrder(probabilities)
  const bins: CalibrationBin[] = []
  const rowCount = order.length
  let start = 0
  for (let bin = 1; bin <= binCount; bin++) {
    let end = Math.round((bin * rowCount) / binCount)
    if (end <= start) continue
    while (end < rowCount && probabilities[order[end]!] === probabilities[order[end - 1]!]) end++
    bins.push(binOf(labels, probabilities, order.subarray(start, end)))
    start = end
  }
  let expected = 0
  let maximum = 0
  for (const { count, meanProbability, positiveShare } of bins) {
    const gap = Math.abs(meanProbability - positiveShare)
    expected += (gap * count) / rowCount
    maximum = Math.max(maximum, gap)
  }
  return { expected, maximum, bins: bins.reverse() }
}

function binOf(
  labels: ArrayLike<number>,
  probabilities: Float64Array,
  rows: Uint32Array,
): CalibrationBin {
  let sum = 0
  let positives = 0
  for (let i = 0; i < rows.length; i++) {
    sum += probabilities[rows[i]!]!
    positives += labels[rows[i]!]!
  }
  const count = rows.length
  return { count, meanProbability: sum / count, positiveShare: positives / count }
}

function requireProbabilities(
  what: string,
  labels: ArrayLike<number>,
  probabilities: Float64Array,
): void {
  if (labels.length !== probabilities.length) {
    throw shapeMismatch('labels.length', probabilities.length, labels.length)
  }
  if (probabilities.length === 0) throw tooFewRows(what, 1, 0)
  for (let i = 0; i < probabilities.length; i++) {
    const label = labels[i]
    if (label !== 0 && label !== 1) throw invalidOption(`labels[${i}]`, '0 or 1', label)
    const probability = probabilities[i]!
    if (!(probability >= 0 && probability <= 1)) {
      throw new AnomalyError(
        'INVALID_OPTION',
        `${what}: probability ${i} is ${probability}, expected in [0, 1]; calibrate scores first`,
        { index: i, found: probability },
      )
    }
  }
}
