import { type FeatureMatrix, requireColumns, requireRows } from '../feature-matrix.ts'
import { combinedWeights, type SupervisedTarget } from '../validation/supervised-target.ts'
import { type BoostingMetric, badness } from './boosting-metric.ts'
import type { BoostingValidation } from './boosting-options.ts'

/** Validation rows and how well the rounds so far did on them. */
export type RoundJudge = {
  readonly matrix: FeatureMatrix
  readonly target: SupervisedTarget
  readonly weights: Float64Array
  readonly metric: BoostingMetric
  readonly patience: number
  /** Output-major, outputs × rows. */
  readonly margins: Float64Array
  leastBadness: number
  /** Rounds up to and with the best; 0 if none beat the base margins. */
  bestRounds: number
}

/**
 * Judges the base margins, the value that rounds have to beat.
 * @throws COLUMN_MISMATCH, TOO_FEW_ROWS, ONE_CLASS where the metric needs both classes
 */
export function startJudge(
  columnNames: readonly string[],
  baseMargins: Float64Array,
  { matrix, target, metric, patience = 20, ...weighting }: BoostingValidation,
): RoundJudge {
  requireColumns(columnNames, matrix)
  requireRows('validation', matrix)
  const weights = combinedWeights(target, matrix.rowCount, weighting)
  const margins = new Float64Array(baseMargins.length * matrix.rowCount)
  for (let i = 0; i < margins.length; i++) {
    margins[i] = baseMargins[Math.floor(i / matrix.rowCount)]!
  }
  const chosen = metric ?? (target.kind === 'regression' ? 'squared error' : 'log loss')
  const leastBadness = badness(chosen, target, margins, weights)
  return { matrix, target, weights, metric: chosen, patience, margins, leastBadness, bestRounds: 0 }
}

/** Judges the margins after `round`; false if patience has run out. */
export function judgeRound(judge: RoundJudge, round: number): boolean {
  const found = badness(judge.metric, judge.target, judge.margins, judge.weights)
  if (found < judge.leastBadness) {
    judge.leastBadness = found
    judge.bestRounds = round + 1
  }
  return round + 1 - judge.bestRounds < judge.patience
}
