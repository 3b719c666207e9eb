import { logistic } from '../linear/margin-link.ts'
import { auroc, averagePrecision } from '../metrics/ranking-metrics.ts'
import { type SupervisedTarget, targetValues } from '../validation/supervised-target.ts'
import { writeShares } from './boosting-loss.ts'

/** How good margins are on validation rows. */
export type BoostingMetric = 'log loss' | 'average precision' | 'auroc' | 'squared error'

/**
 * Badness of margins, lower is better: weighted mean log loss or squared error, or the negative
 * average precision or AUROC.
 * @param margins output-major, outputs × rows
 * Cost O(rows · outputs), O(n log n) for rankings.
 */
export function badness(
  metric: BoostingMetric,
  target: SupervisedTarget,
  margins: Float64Array,
  weights: Float64Array,
): number {
  switch (metric) {
    case 'log loss':
      return target.kind === 'binary'
        ? binaryLogLoss(target.labels, margins, weights)
        : classLogLoss(targetValues(target), margins, weights)
    case 'squared error':
      return squaredError(targetValues(target), margins, weights)
    case 'average precision':
      return -averagePrecision(targetValues(target), margins)
    case 'auroc':
      return -auroc(targetValues(target), margins)
  }
}

/** Probabilities below this count as this, so that one sure mistake does not decide alone. */
const LEAST_PROBABILITY = 1e-15

function binaryLogLoss(
  labels: ArrayLike<number>,
  margins: Float64Array,
  weights: Float64Array,
): number {
  let loss = 0
  let total = 0
  for (let row = 0; row < weights.length; row++) {
    const probability = logistic(labels[row] === 1 ? margins[row]! : -margins[row]!)
    loss -= weights[row]! * Math.log(Math.max(LEAST_PROBABILITY, probability))
    total += weights[row]!
  }
  return loss / total
}

function classLogLoss(
  labels: ArrayLike<number>,
  margins: Float64Array,
  weights: Float64Array,
): number {
  const rowCount = weights.length
  const shares = new Float64Array(margins.length)
  writeShares(margins, rowCount, shares)
  let loss = 0
  let total = 0
  for (let row = 0; row < rowCount; row++) {
    const probability = shares[labels[row]! * rowCount + row]!
    loss -= weights[row]! * Math.log(Math.max(LEAST_PROBABILITY, probability))
    total += weights[row]!
  }
  return loss / total
}

function squaredError(
  values: ArrayLike<number>,
  margins: Float64Array,
  weights: Float64Array,
): number {
  let sum = 0
  let total = 0
  for (let row = 0; row < weights.length; row++) {
    const error = margins[row]! - values[row]!
    sum += weights[row]! * error * error
    total += weights[row]!
  }
  return sum / total
}
