import { invalidOption } from '../errors.ts'
import { selectInPlace } from '../statistics/quantile.ts'

/** Flags the K highest scores of a batch: what a crew can visit. Plain data. */
export type TopCountThreshold = {
  readonly kind: 'top_count_threshold'
  readonly stateVersion: 1
  /** K: rows to flag at most, an integer ≥ 0. */
  readonly level: number
}

/**
 * Threshold by capacity: the K highest scores of each batch. `precisionAtK` on labelled rows says
 * what it is worth.
 * @throws INVALID_OPTION unless an integer ≥ 0
 */
export function topCountThreshold(level: number): TopCountThreshold {
  if (!(Number.isInteger(level) && level >= 0))
    throw invalidOption('level', 'an integer ≥ 0', level)
  return { kind: 'top_count_threshold', stateVersion: 1, level }
}

/**
 * The (K + 1)-th highest score: at most K lie above it. Rows tied with it are left out, as nothing
 * tells which of them would deserve the visit.
 */
export function topCountCutoff({ level }: TopCountThreshold, scores: Float64Array): number {
  const present = scores.filter((score) => !Number.isNaN(score))
  if (level >= present.length) return Number.NEGATIVE_INFINITY
  return selectInPlace(present, 0, present.length, present.length - 1 - level)
}
