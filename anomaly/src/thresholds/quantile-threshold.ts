import { invalidOption } from '../errors.ts'
import { quantileOfSorted } from '../statistics/quantile.ts'
import { sortedScores } from './reference-scores.ts'

/** Flags what lies above a quantile of reference scores. Plain data. */
export type QuantileThreshold = {
  readonly kind: 'quantile_threshold'
  readonly stateVersion: 1
  /** Share of the reference that lies above the cutoff, in (0, 1): the contamination. */
  readonly level: number
  /** Reference scores, ascending. */
  readonly sortedScores: Float64Array
}

/**
 * Cutoff at the quantile 1 − level of reference scores, interpolated linearly.
 * @param scores of any reference rows, finite; of healthy rows `conformalThreshold` promises more
 * @param level share to flag, in (0, 1). Default 0.05
 * @throws TOO_FEW_ROWS if empty, NOT_FINITE, INVALID_OPTION
 * Cost O(n log n), one copy.
 */
export function quantileThreshold(scores: Float64Array, level = 0.05): QuantileThreshold {
  if (!(level > 0 && level < 1)) throw invalidOption('level', 'in (0, 1)', level)
  const sorted = sortedScores('quantile threshold', scores)
  return { kind: 'quantile_threshold', stateVersion: 1, level, sortedScores: sorted }
}

/** The quantile 1 − level. */
export function quantileCutoff({ level, sortedScores: sorted }: QuantileThreshold): number {
  return quantileOfSorted(sorted, 1 - level)
}
