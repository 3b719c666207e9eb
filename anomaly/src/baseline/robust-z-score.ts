import { invalidOption } from '../errors.ts'
import {
  type FeatureMatrix,
  outputFor,
  requireColumns,
  requireRowIndices,
  requireRows,
} from '../feature-matrix.ts'
import { fitGroupStatistics, type ScaleFloors } from './group-statistics.ts'

/** Options of the robust z-score. */
export type RobustZScoreOptions = {
  /** Smallest scale per column, in its unit; default 1e-9 where absent. */
  readonly floors?: ScaleFloors
  /**
   * Largest |z| that the score averages, default 3: one sensor gone astray and a whole row a little
   * off both show. 1 is the largest alone.
   */
  readonly largestCount?: number
}

/** Learned state of the robust z-score: plain data. */
export type RobustZScoreModel = {
  readonly kind: 'robust_z_score'
  readonly stateVersion: 1
  readonly columnNames: readonly string[]
  readonly largestCount: number
  readonly trainingRowCount: number
  /** Median of each column; NaN where it had no value, and is then left out. */
  readonly centres: Float64Array
  /** 1.4826·MAD, else IQR/1.349, else standard deviation, at least the floor; > 0 or NaN. */
  readonly scales: Float64Array
}

/**
 * Learns median and robust scale of each column: the yardstick for every other detector, for rows
 * that need no group. For devices and cohorts see `fitRobustBaseline`.
 * @param matrix rowCount × columns, unscaled; NaN cells are left out
 * @throws TOO_FEW_ROWS without rows, NOT_FINITE for ±∞, INVALID_OPTION
 * Cost O(cells) by selection.
 */
export function fitRobustZScore(
  matrix: FeatureMatrix,
  options: RobustZScoreOptions = {},
): RobustZScoreModel {
  const { floors = {}, largestCount = 3 } = options
  if (!Number.isInteger(largestCount) || largestCount < 1) {
    throw invalidOption('largestCount', 'an integer ≥ 1', largestCount)
  }
  requireRows('robust z-score', matrix)
  const everyRow = new Uint32Array(matrix.rowCount)
  const { centres, scales } = fitGroupStatistics(matrix, everyRow, 1, floors)
  return {
    kind: 'robust_z_score',
    stateVersion: 1,
    columnNames: [...matrix.columnNames],
    largestCount,
    trainingRowCount: matrix.rowCount,
    centres,
    scales,
  }
}

/**
 * Mean of the largest |z| of each row: ≥ 0, higher is more abnormal; NaN if every cell is missing.
 * @throws COLUMN_MISMATCH, SHAPE_MISMATCH
 * Cost O(cells).
 */
export function scoreRobustZScore(
  model: RobustZScoreModel,
  matrix: FeatureMatrix,
  out?: Float64Array,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  const scores = outputFor(matrix, out)
  scoreZRows(model, matrix.values, 0, matrix.rowCount, scores)
  return scores
}

/**
 * Signed z of every cell of the given rows: positive above the centre; 0 for missing cells.
 * |z| > 3 is strong.
 * @returns rowIndices.length × columns, row-major
 * @throws as `scoreRobustZScore`; INVALID_OPTION for an index outside the matrix
 */
export function explainRobustZScore(
  model: RobustZScoreModel,
  matrix: FeatureMatrix,
  rowIndices: ArrayLike<number>,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  requireRowIndices(matrix, rowIndices)
  const columnCount = matrix.columnNames.length
  const contributions = new Float64Array(rowIndices.length * columnCount)
  for (let i = 0; i < rowIndices.length; i++) {
    const cells = rowIndices[i]! * columnCount
    for (let column = 0; column < columnCount; column++) {
      const z = (matrix.values[cells + column]! - model.centres[column]!) / model.scales[column]!
      contributions[i * columnCount + column] = Number.isNaN(z) ? 0 : z
    }
  }
  return contributions
}

/** Scores rows [rowStart, rowEnd) into `out` at the same indices. Inputs were checked. */
export function scoreZRows(
  model: RobustZScoreModel,
  values: Float64Array,
  rowStart: number,
  rowEnd: number,
  out: Float64Array,
): void {
  const { centres, scales } = model
  const columnCount = centres.length
  const largest = new Float64Array(Math.min(model.largestCount, columnCount))
  for (let row = rowStart; row < rowEnd; row++) {
    let count = 0
    for (let column = 0; column < columnCount; column++) {
      const z = (values[row * columnCount + column]! - centres[column]!) / scales[column]!
      if (!Number.isNaN(z)) count = keepLargest(largest, count, Math.abs(z))
    }
    let sum = 0
    for (let i = 0; i < count; i++) sum += largest[i]!
    out[row] = count === 0 ? Number.NaN : sum / count
  }
}

/** Puts a value into the falling list of the largest; returns how many it holds. */
function keepLargest(largest: Float64Array, count: number, value: number): number {
  if (count === largest.length && value <= largest[count - 1]!) return count
  let at = Math.min(count, largest.length - 1)
  while (at > 0 && largest[at - 1]! < value) {
    largest[at] = largest[at - 1]!
    at--
  }
  largest[at] = value
  return Math.min(count + 1, largest.length)
}
