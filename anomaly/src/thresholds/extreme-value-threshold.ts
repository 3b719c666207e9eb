import { invalidOption, tooFewRows } from '../errors.ts'
import { countAtLeast } from '../sketches/sorted-counts.ts'
import { quantileOfSorted } from '../statistics/quantile.ts'
import { fitGeneralisedPareto, paretoExcess } from './generalised-pareto.ts'
import { sortedScores } from './reference-scores.ts'

/** Flags scores that a fitted tail exceeds with a small chance only. Plain data. */
export type ExtremeValueThreshold = {
  readonly kind: 'extreme_value_threshold'
  readonly stateVersion: 1
  /** Chance that a score of the reference's kind exceeds the cutoff, e.g. 1e−4. */
  readonly level: number
  /** Where the tail begins, in score units. */
  readonly tailStart: number
  /** Generalised Pareto distribution of the excesses over it. */
  readonly shape: number
  readonly scale: number
  /** Scores in the tail, and in all. */
  readonly excessCount: number
  readonly rowCount: number
}

/** Options of `extremeValueThreshold`. */
export type ExtremeValueOptions = {
  /** Chance of a false alarm per score. Default 1e−4, as SPOT. */
  readonly level?: number
  /** Quantile at which the tail begins. Default 0.98, as SPOT. */
  readonly tailQuantile?: number
}

/** Fewer excesses leave the shape to chance. */
const MIN_EXCESSES = 10

/**
 * Peaks over threshold: fits the tail of reference scores and extrapolates to chances far smaller
 * than 1 / n, without guessing a contamination.
 * @param scores of reference rows, finite; a few anomalies among them make the cutoff cautious
 * @throws TOO_FEW_ROWS with fewer than 10 scores in the tail (500 rows at the default quantile, or
 *   too many equal scores), NOT_FINITE, INVALID_OPTION
 * Cost O(n log n). Source: Siffer et al. 2017, "Anomaly detection in streams with extreme value
 * theory", section 3 and eq. 1; Pickands 1975.
 */
export function extremeValueThreshold(
  scores: Float64Array,
  { level = 1e-4, tailQuantile = 0.98 }: ExtremeValueOptions = {},
): ExtremeValueThreshold {
  if (!(tailQuantile > 0 && tailQuantile < 1)) {
    throw invalidOption('tailQuantile', 'in (0, 1)', tailQuantile)
  }
  const sorted = sortedScores('extreme value threshold', scores)
  const tailStart = quantileOfSorted(sorted, tailQuantile)
  const tail = sorted.subarray(sorted.length - countAtLeast(sorted, tailStart))
  const excesses = tail.map((score) => score - tailStart).filter((excess) => excess > 0)
  if (excesses.length < MIN_EXCESSES) {
    throw tooFewRows('tail of the extreme value threshold', MIN_EXCESSES, excesses.length)
  }
  const rowCount = sorted.length
  const most = excesses.length / rowCount
  if (!(level > 0 && level <= most)) {
    throw invalidOption('level', `in (0, ${most}], the share of scores in the tail`, level)
  }
  return {
    kind: 'extreme_value_threshold',
    stateVersion: 1,
    level,
    tailStart,
    ...fitGeneralisedPareto(excesses),
    excessCount: excesses.length,
    rowCount,
  }
}

/** z = t + (σ/γ)((level · n / excesses)^(−γ) − 1). */
export function extremeValueCutoff(threshold: ExtremeValueThreshold): number {
  const { level, tailStart, excessCount, rowCount } = threshold
  return tailStart + paretoExcess(threshold, (level * rowCount) / excessCount)
}
