import {
  type FeatureMatrix,
  outputFor,
  requireColumns,
  requireRowIndices,
} from '../feature-matrix.ts'
import type { HbosModel } from './hbos.ts'

/**
 * Histogram-based outlier score of each row: Σ over columns of −log2(density + regularisation).
 * Any real number, higher is more abnormal. Missing cells count like the mean of the row's other
 * columns; a row without any known cell scores NaN.
 * @throws COLUMN_MISMATCH, SHAPE_MISMATCH
 * Cost O(cells).
 */
export function scoreHbos(
  model: HbosModel,
  matrix: FeatureMatrix,
  out?: Float64Array,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  const scores = outputFor(matrix, out)
  scoreHbosRows(model, matrix.values, 0, matrix.rowCount, scores)
  return scores
}

/**
 * Exact parts of the score: each column's own term, which may be negative for very common values;
 * 0 for missing cells. A row's parts sum to its score.
 * @returns rowIndices.length × columns, row-major
 * @throws as `scoreHbos`; INVALID_OPTION for an index outside the matrix
 */
export function explainHbos(
  model: HbosModel,
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
export function scoreHbosRows(
  model: HbosModel,
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
  model: HbosModel,
  values: Float64Array,
  cells: number,
  terms: Float64Array,
): number {
  const { binCounts, edges, binScores, outsideScores, tolerance } = model
  let known = 0
  let firstBin = 0
  for (let column = 0; column < terms.length; column++) {
    const binCount = binCounts[column]!
    const value = values[cells + column]!
    terms[column] = 0
    if (binCount > 0 && !Number.isNaN(value)) {
      known++
      // Every earlier column has one border more than bins.
      const bin = binOf(edges, firstBin + column, binCount, value, tolerance)
      terms[column] = bin < 0 ? outsideScores[column]! : binScores[firstBin + bin]!
    }
    firstBin += binCount
  }
  return known
}

/** Bin whose upper border is the first ≥ value; −1 for a value too far out of range. */
function binOf(
  edges: Float64Array,
  firstEdge: number,
  binCount: number,
  value: number,
  tolerance: number,
): number {
  const lastEdge = firstEdge + binCount
  const lowest = edges[firstEdge]!
  const highest = edges[lastEdge]!
  if (value <= lowest) {
    return lowest - value <= (edges[firstEdge + 1]! - lowest) * tolerance ? 0 : -1
  }
  if (value > highest) {
    const isNear = value - highest <= (highest - edges[lastEdge - 1]!) * tolerance
    return isNear ? binCount - 1 : -1
  }
  // Equal widths give the bin but for rounding, which the borders themselves settle.
  const guess = Math.floor(((value - lowest) / (highest - lowest)) * binCount)
  let bin = Math.min(guess, binCount - 1)
  while (value <= edges[firstEdge + bin]!) bin--
  while (value > edges[firstEdge + bin + 1]!) bin++
  return bin
}
