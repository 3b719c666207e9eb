import { invalidOption } from '../errors.ts'
import { descendingOrder, endOfTie, positivesBetween, requireLabels } from './ranking-metrics.ts'

/** Outcomes of flagged and unflagged rows. */
export type ConfusionCounts = {
  readonly truePositives: number
  readonly falsePositives: number
  readonly trueNegatives: number
  readonly falseNegatives: number
}

/**
 * Counts outcomes when rows with a score above `threshold` are flagged.
 * @param labels 1 (abnormal) or 0, one per score
 * @throws SHAPE_MISMATCH, NOT_FINITE, INVALID_OPTION
 * Cost O(n).
 */
export function confusionAt(
  labels: ArrayLike<number>,
  scores: Float64Array,
  threshold: number,
): ConfusionCounts {
  const positives = requireLabels('confusion', labels, scores)
  let truePositives = 0
  let flagged = 0
  for (let row = 0; row < scores.length; row++) {
    if (!(scores[row]! > threshold)) continue
    flagged++
    truePositives += labels[row]!
  }
  return {
    truePositives,
    falsePositives: flagged - truePositives,
    trueNegatives: scores.length - positives - (flagged - truePositives),
    falseNegatives: positives - truePositives,
  }
}

/**
 * Share of flagged rows that are abnormal; 0 if nothing is flagged, as scikit-learn has it.
 */
export function precisionOf({ truePositives, falsePositives }: ConfusionCounts): number {
  const flagged = truePositives + falsePositives
  return flagged === 0 ? 0 : truePositives / flagged
}

/** Share of abnormal rows that are flagged; 0 if there is none. */
export function recallOf({ truePositives, falseNegatives }: ConfusionCounts): number {
  const positives = truePositives + falseNegatives
  return positives === 0 ? 0 : truePositives / positives
}

/**
 * F-beta: the harmonic mean of precision and recall in which recall weighs beta times as much.
 * @param beta > 0; 1 balances, 0.5 favours precision
 * @returns in [0, 1]; 0 without a true positive
 * @throws INVALID_OPTION
 * Source: van Rijsbergen 1979.
 */
export function fBetaOf(counts: ConfusionCounts, beta = 1): number {
  return fBetaOfRates(precisionOf(counts), recallOf(counts), beta)
}

/** `fBetaOf` when precision and recall are known, such as event-wise ones. */
export function fBetaOfRates(precision: number, recall: number, beta = 1): number {
  if (!(beta > 0)) throw invalidOption('beta', '> 0', beta)
  const square = beta * beta
  const weight = square * precision + recall
  return weight === 0 ? 0 : ((1 + square) * precision * recall) / weight
}

/** What looking at the K highest scores yields. */
export type TopCountYield = {
  /** Abnormal rows found. */
  readonly found: number
  /** found / K. */
  readonly precision: number
  /** found / all abnormal rows; 0 if there is none. */
  readonly recall: number
  /** precision / share of abnormal rows: how many times better than visiting at random. */
  readonly lift: number
}

/**
 * Abnormal rows among the `count` highest scores. Rows tied at the border count by their
 * expectation under a random order, so that `found` may be fractional and no order matters.
 * @throws INVALID_OPTION unless count is an integer in [1, n]; SHAPE_MISMATCH, NOT_FINITE
 * Cost O(n log n).
 */
export function yieldAtK(
  labels: ArrayLike<number>,
  scores: Float64Array,
  count: number,
): TopCountYield {
  const positives = requireLabels('yield at K', labels, scores)
  if (!Number.isInteger(count) || count < 1 || count > scores.length) {
    throw invalidOption('count', `an integer in [1, ${scores.length}]`, count)
  }
  const order = descendingOrder(scores)
  let found = 0
  for (let start = 0; start < count; ) {
    const end = endOfTie(order, scores, start)
    const share = (Math.min(end, count) - start) / (end - start)
    found += share * positivesBetween(order, labels, start, end)
    start = end
  }
  const precision = found / count
  return {
    found,
    precision,
    recall: positives === 0 ? 0 : found / positives,
    lift: positives === 0 ? 0 : precision / (positives / scores.length),
  }
}

/** Share of abnormal rows among the `count` highest scores; as `yieldAtK`. */
export function precisionAtK(
  labels: ArrayLike<number>,
  scores: Float64Array,
  count: number,
): number {
  return yieldAtK(labels, scores, count).precision
}

/** Share of all abnormal rows among the `count` highest scores; as `yieldAtK`. */
export function recallAtK(labels: ArrayLike<number>, scores: Float64Array, count: number): number {
  return yieldAtK(labels, scores, count).recall
}
