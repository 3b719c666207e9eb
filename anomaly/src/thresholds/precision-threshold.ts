import { invalidOption } from '../errors.ts'
import { descendingOrder, requireTwoClasses } from '../metrics/ranking-metrics.ts'

/** Flags as much as a wanted precision on labelled rows allows. Plain data. */
export type PrecisionThreshold = {
  readonly kind: 'precision_threshold'
  readonly stateVersion: 1
  /** Precision wanted, in (0, 1). */
  readonly level: number
  /** Precision must hold at this one-sided confidence; 0.5 takes the observed one. */
  readonly confidence: number
  /** Distinct labelled scores, descending. */
  readonly scores: Float64Array
  /** Rows, and true positives among them, at or above each. */
  readonly flaggedCounts: Uint32Array
  readonly truePositiveCounts: Uint32Array
}

/** Options of `precisionThreshold`. */
export type PrecisionThresholdOptions = {
  /** Precision wanted. Default 0.8 (MON-25). */
  readonly level?: number
  /**
   * One-sided confidence that the true precision reaches it, in [0.5, 1). Default 0.5: the
   * observed precision. With few labels 0.9 is wise, as the best of many cutoffs flatters.
   */
  readonly confidence?: number
}

/**
 * Lowest cutoff, so the largest K, whose precision at K on labelled rows reaches the level.
 * @param labels 1 (abnormal) or 0; of rows whose share of abnormal ones is that of production
 * @param scores finite, one per label
 * @throws ONE_CLASS, SHAPE_MISMATCH, NOT_FINITE, INVALID_OPTION
 * Cost O(n log n). Source: MON-25, MOD-8; Wilson 1927 for the bound.
 */
export function precisionThreshold(
  labels: ArrayLike<number>,
  scores: Float64Array,
  { level = 0.8, confidence = 0.5 }: PrecisionThresholdOptions = {},
): PrecisionThreshold {
  if (!(level > 0 && level < 1)) throw invalidOption('level', 'in (0, 1)', level)
  if (!(confidence >= 0.5 && confidence < 1)) {
    throw invalidOption('confidence', 'in [0.5, 1)', confidence)
  }
  requireTwoClasses('precision threshold', labels, scores)
  const order = descendingOrder(scores)
  const distinct: number[] = []
  const flagged: number[] = []
  const truePositives: number[] = []
  let positives = 0
  for (const [i, row] of order.entries()) {
    positives += labels[row]!
    if (i + 1 < order.length && scores[order[i + 1]!] === scores[row]) continue
    distinct.push(scores[row]!)
    flagged.push(i + 1)
    truePositives.push(positives)
  }
  return {
    kind: 'precision_threshold',
    stateVersion: 1,
    level,
    confidence,
    scores: Float64Array.from(distinct),
    flaggedCounts: Uint32Array.from(flagged),
    truePositiveCounts: Uint32Array.from(truePositives),
  }
}

/**
 * Half-way between the lowest score that may be flagged and the next; +∞ if no cutoff reaches the
 * precision, −∞ if all do.
 */
export function precisionCutoff(threshold: PrecisionThreshold): number {
  const { level, confidence, scores, flaggedCounts, truePositiveCounts } = threshold
  const z = normalQuantile(confidence)
  for (let i = scores.length - 1; i >= 0; i--) {
    if (lowerBound(truePositiveCounts[i]!, flaggedCounts[i]!, z) < level) continue
    const score = scores[i]!
    if (i === scores.length - 1) return Number.NEGATIVE_INFINITY
    const next = scores[i + 1]!
    const middle = next + (score - next) / 2
    // Adjacent doubles have no middle of their own; the cutoff must stay below the score.
    return middle < score ? middle : next
  }
  return Number.POSITIVE_INFINITY
}

/** Wilson's lower bound of a share; the share itself for z = 0. */
function lowerBound(positives: number, count: number, z: number): number {
  const share = positives / count
  const square = z * z
  const spread = z * Math.sqrt((share * (1 - share) + square / (4 * count)) / count)
  return (share + square / (2 * count) - spread) / (1 + square / count)
}

/**
 * Quantile of the standard normal distribution for p in [0.5, 1), error below 4.5e−4: enough for a
 * confidence. Source: Abramowitz & Stegun 1964, 26.2.23.
 */
function normalQuantile(p: number): number {
  if (p === 0.5) return 0
  const t = Math.sqrt(-2 * Math.log(1 - p))
  const above = 2.515517 + t * (0.802853 + t * 0.010328)
  const below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308))
  return Math.max(0, t - above / below)
}
