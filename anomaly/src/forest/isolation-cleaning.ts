import { AnomalyError, invalidOption } from '../errors.ts'
import type { FeatureMatrix } from '../feature-matrix.ts'
import {
  fitIsolationForest,
  type IsolationForest,
  type IsolationForestOptions,
} from './isolation-forest.ts'
import { scoreIsolationForest } from './isolation-score.ts'

/** How much of the training set iterative cleaning may remove. */
export type CleaningOptions = {
  /** Rounds of score, drop, refit; 1 or 2, default 1. */
  readonly roundCount?: number
  /** Share of the rows dropped per round, the highest scores first; default 0.02. */
  readonly dropFraction?: number
}

/** A forest fitted on a cleaned training set. */
export type CleanedForest = {
  readonly forest: IsolationForest
  /** Rows the final forest was fitted on, ascending. */
  readonly keptRows: Uint32Array
  /** Rows dropped as probably abnormal, ascending. */
  readonly droppedRows: Uint32Array
}

/** Largest share of rows that cleaning may drop in total. */
export const MAX_DROPPED_FRACTION = 0.1

/**
 * Fits, drops the rows that look most abnormal, and refits on the rest: a guard against faults in
 * the training period. Calibrate on the scores of *all* rows, not of the kept ones.
 * @throws CLEANING_LIMIT if the rounds would drop more than 10 % in total: choose another period
 * Cost: roundCount + 1 fits and roundCount scorings.
 */
export function cleanAndRefit(
  matrix: FeatureMatrix,
  options: IsolationForestOptions = {},
  cleaning: CleaningOptions = {},
): CleanedForest {
  const { roundCount = 1, dropFraction = 0.02 } = cleaning
  if (roundCount !== 1 && roundCount !== 2) throw invalidOption('roundCount', '1 or 2', roundCount)
  if (!(dropFraction >= 0 && dropFraction < 1)) {
    throw invalidOption('dropFraction', 'in [0, 1)', dropFraction)
  }
  if (roundCount * dropFraction > MAX_DROPPED_FRACTION + 1e-12) {
    throw new AnomalyError(
      'CLEANING_LIMIT',
      `cleaning would drop ${roundCount} × ${dropFraction} of the rows, at most ${MAX_DROPPED_FRACTION} in total; choose another data period`,
      { roundCount, dropFraction },
    )
  }
  let forest = fitIsolationForest(matrix, options)
  const isDropped = new Uint8Array(matrix.rowCount)
  let keptRows = remainingRows(isDropped, 0)
  for (let round = 0; round < roundCount; round++) {
    const scores = scoreIsolationForest(forest, matrix)
    dropHighest(scores, keptRows, Math.floor(keptRows.length * dropFraction), isDropped)
    keptRows = remainingRows(isDropped, 0)
    forest = fitIsolationForest(matrix, options, keptRows)
  }
  return { forest, keptRows, droppedRows: remainingRows(isDropped, 1) }
}

/** Marks the `count` highest scores among `rows`; ties drop the earlier row. */
function dropHighest(
  scores: Float64Array,
  rows: Uint32Array,
  count: number,
  isDropped: Uint8Array,
): void {
  const order = Array.from(rows).sort((a, b) => scores[b]! - scores[a]! || a - b)
  for (let i = 0; i < count; i++) isDropped[order[i]!] = 1
}

function remainingRows(isDropped: Uint8Array, state: number): Uint32Array {
  const rows: number[] = []
  for (let row = 0; row < isDropped.length; row++) if (isDropped[row] === state) rows.push(row)
  return Uint32Array.from(rows)
}
