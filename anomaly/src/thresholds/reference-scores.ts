import { AnomalyError, tooFewRows } from '../errors.ts'
import { sortValues } from '../sketches/value-sort.ts'

/**
 * Scores in ascending order, the evidence most thresholds keep.
 * @throws TOO_FEW_ROWS below `minimum`, NOT_FINITE
 */
export function sortedScores(what: string, scores: Float64Array, minimum = 1): Float64Array {
  requireFiniteScores(what, scores)
  if (scores.length < minimum) throw tooFewRows(what, minimum, scores.length)
  return sortValues(scores)
}

/** Refuses NaN and infinite scores, naming the first. */
export function requireFiniteScores(what: string, scores: Float64Array): void {
  const at = scores.findIndex((score) => !Number.isFinite(score))
  if (at < 0) return
  throw new AnomalyError(
    'NOT_FINITE',
    `${what}: score ${at} is ${scores[at]}, expected a finite number`,
    { index: at, found: scores[at] },
  )
}
