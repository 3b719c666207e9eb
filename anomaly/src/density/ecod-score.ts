import {
  type FeatureMatrix,
  outputFor,
  requireColumns,
  requireRowIndices,
} from '../feature-matrix.ts'
import type { EcodModel } from './ecod.ts'

/**
 * ECOD score of each row: Σ over columns of the largest of −ln P(≤ x), −ln P(≥ x) and the tail
 * that the column's skewness points to. ≥ 0, higher is more abnormal. Missing cells count like the
 * mean of the row's other columns; a row without any known cell scores NaN.
 *
 * Training rows score exactly as in PyOD's `decision_scores_`. PyOD scores new rows by adding the
 * whole batch to the training data, so that scores depend on the batch; here the learned
 * distribution stays, and a value beyond it has tail probability 1/(n + 1).
 * @throws COLUMN_MISMATCH, SHAPE_MISMATCH
 * Cost O(cells · log reference rows).
 */
export function scoreEcod(
  model: EcodModel,
  matrix: FeatureMatrix,
  out?: Float64Array,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  const scores = outputFor(matrix, out)
  scoreEcodRows(model, matrix.values, 0, matrix.rowCount, scores)
  return scores
}

/**
 * Exact parts of the score: each column's own term, ≥ 0; 0 for missing cells. A row's parts sum
 * to its score.
 * @returns rowIndices.length × columns, row-major
 * @throws as `scoreEcod`; INVALID_OPTION for an index outside the matrix
 */
export function explainEcod(
  model: EcodModel,
  matrix: FeatureMatrix,
  rowIndices: ArrayLike<number>,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  requireRowIndices(matrix, rowIndices)
  const columnCount = matrix.columnNames.length
  const contributions = new Float64Array(rowIndices.length * columnCount)
  const terms = new Float64Array(columnCount)
  for (let i = 0; i < rowIndices.length; i++) {
    const known = fillTerms(model, matrix.values, rowIndices[i]! * columnCount, terms)
    const scale = known > 0 ? columnCount / known : 0
    for (let column = 0; column < columnCount; column++) {
      contributions[i * columnCount + column] = terms[column]! * scale
    }
  }
  return contributions
}

/** Scores rows [rowStart, rowEnd) into `out` at the same indices. Inputs were checked. */
export function scoreEcodRows(
  model: EcodModel,
  values: Float64Array,
  rowStart: number,
  rowEnd: number,
  out: Float64Array,
): void {
  const columnCount = model.columnNames.length
  const terms = new Float64Array(columnCount)
  for (let row = rowStart; row < rowEnd; row++) {
    const known = fillTerms(model, values, row * columnCount, terms)
    let sum = 0
    for (let column = 0; column < columnCount; column++) sum += terms[column]!
    out[row] = known === 0 ? Number.NaN : sum * (columnCount / known)
  }
}

/** Writes each column's term, 0 where unknown; returns how many are known. */
function fillTerms(
  model: EcodModel,
  values: Float64Array,
  cells: number,
  terms: Float64Array,
): number {
  const { distinctCounts, skewSigns } = model
  let known = 0
  let start = 0
  for (let column = 0; column < terms.length; column++) {
    const value = values[cells + column]!
    const end = start + distinctCounts[column]!
    terms[column] = 0
    if (end > start && !Number.isNaN(value)) {
      known++
      terms[column] = tailTerm(model, start, end, value, skewSigns[column]!)
    }
    start = end
  }
  return known
}

function tailTerm(
  { distinctValues, countsUpTo }: EcodModel,
  start: number,
  end: number,
  value: number,
  skewSign: number,
): number {
  let low = start
  let high = end
  while (low < high) {
    const middle = (low + high) >>> 1
    if (distinctValues[middle]! < value) low = middle + 1
    else high = middle
  }
  const total = countsUpTo[end - 1]!
  const countBelow = low > start ? countsUpTo[low - 1]! : 0
  const isKnownValue = low < end && distinctValues[low] === value
  const left = tailScore(isKnownValue ? countsUpTo[low]! : countBelow, total)
  const right = tailScore(total - countBelow, total)
  // As PyOD writes it: negative skew looks at the left tail, positive at the right, none at both.
  const skewed = (skewSign < 1 ? left : 0) + (skewSign > -1 ? right : 0)
  return Math.max(left, right, skewed)
}

/** −ln of the share of values in a tail; beyond all of them, that of one more value. */
function tailScore(count: number, total: number): number {
  return count > 0 ? -Math.log(count / total) : Math.log(total + 1)
}
