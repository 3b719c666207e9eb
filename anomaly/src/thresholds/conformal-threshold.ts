import { invalidOption } from '../errors.ts'
import { countAtLeast } from '../sketches/sorted-counts.ts'
import { sortedScores } from './reference-scores.ts'

/** Flags scores that are rare among healthy ones, with a guaranteed rate of false alarms. */
export type ConformalThreshold = {
  readonly kind: 'conformal_threshold'
  readonly stateVersion: 1
  /** Chance of a false alarm per healthy row, in (0, 1). */
  readonly level: number
  /** Scores of healthy rows that the detector did not see in its fit, ascending. */
  readonly sortedScores: Float64Array
}

/**
 * Split (inductive) conformal threshold: a healthy row exchangeable with the calibration rows is
 * flagged with chance at most `level`, and at least level − 1/(n + 1) without ties, whatever the
 * distribution and the detector. No asymptotics: it holds for any n; below 1/level − 1 rows
 * nothing can be flagged.
 * @param scores of healthy rows held out of the fit, finite. Rows of the training set score too
 *   low and void the guarantee
 * @param level default 0.01
 * @throws TOO_FEW_ROWS if empty, NOT_FINITE, INVALID_OPTION
 * Cost O(n log n), one copy. Source: Vovk, Gammerman & Shafer 2005; Laxhammar & Falkman 2015.
 */
export function conformalThreshold(scores: Float64Array, level = 0.01): ConformalThreshold {
  if (!(level > 0 && level < 1)) throw invalidOption('level', 'in (0, 1)', level)
  const sorted = sortedScores('conformal threshold', scores)
  return { kind: 'conformal_threshold', stateVersion: 1, level, sortedScores: sorted }
}

/**
 * p-value of each score: p = (1 + #{calibration scores ≥ s}) / (n + 1), the chance that a healthy
 * row scores at least so high.
 * @param calibration a threshold that keeps healthy scores
 * @returns in [1/(n + 1), 1]; NaN for a NaN score
 * Cost O(log n) per score.
 */
export function conformalPValues(
  calibration: { readonly sortedScores: Float64Array },
  scores: Float64Array,
): Float64Array {
  const { sortedScores: sorted } = calibration
  const pValues = new Float64Array(scores.length)
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!
    pValues[i] = Number.isNaN(score)
      ? Number.NaN
      : (1 + countAtLeast(sorted, score)) / (sorted.length + 1)
  }
  return pValues
}

/** p ≤ level exactly when the score is above this: the ⌊level · (n + 1)⌋-th largest score. */
export function conformalCutoff({ level, sortedScores: sorted }: ConformalThreshold): number {
  return scoreOfPValue(sorted, level)
}

/** The score above which exactly the p-values up to `pValue` lie. */
export function scoreOfPValue(sorted: Float64Array, pValue: number): number {
  const count = sorted.length
  let rank = Math.floor(pValue * (count + 1))
  // The product may round across a whole number; the definition is p ≤ level.
  if ((rank + 1) / (count + 1) <= pValue) rank++
  if (rank > 0 && rank / (count + 1) > pValue) rank--
  if (rank <= 0) return Number.POSITIVE_INFINITY
  return rank > count ? Number.NEGATIVE_INFINITY : sorted[count - rank]!
}
