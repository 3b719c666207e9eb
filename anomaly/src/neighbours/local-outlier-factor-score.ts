import {
  type FeatureMatrix,
  outputFor,
  requireColumns,
  requireFinite,
  requireRowIndices,
  selectRows,
} from '../feature-matrix.ts'
import { scaleRow } from '../statistics/column-scaler.ts'
import { addSquaredGaps } from './kd-tree-distance.ts'
import { findNearest, neighbourList } from './kd-tree-search.ts'
import { factorOf, type LocalOutlierFactorModel } from './local-outlier-factor.ts'
import { answerBlock, askForPoints, BLOCK_QUERIES, neighbourSearch } from './neighbour-search.ts'

/**
 * Local outlier factor of each row: > 0, about 1 among rows as dense as their neighbours, higher
 * is more abnormal; scikit-learn's `score_samples` with the sign turned. A training row finds
 * itself among its neighbours: to calibrate, use `scoreReferenceFactors`.
 * @throws COLUMN_MISMATCH, NOT_FINITE, SHAPE_MISMATCH
 * Cost about O(log r) to O(r) per row for r reference rows; exact.
 */
export function scoreLocalOutlierFactor(
  model: LocalOutlierFactorModel,
  matrix: FeatureMatrix,
  out?: Float64Array,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  const scores = outputFor(matrix, out)
  requireFinite('local outlier factor score', matrix)
  scoreFactorRows(model, matrix.values, 0, matrix.rowCount, scores)
  return scores
}

/**
 * Factors of the reference rows themselves, each without itself: the sample to calibrate on;
 * scikit-learn's `negative_outlier_factor_` with the sign turned.
 * @returns one score per entry of `model.referenceRows`, in that order
 */
export function scoreReferenceFactors(model: LocalOutlierFactorModel): Float64Array {
  const { tree } = model
  const { pointCount, originalIndices } = tree
  const search = neighbourSearch(tree, model.neighbourCount, pointCount)
  const scores = new Float64Array(pointCount)
  for (let start = 0; start < pointCount; start += BLOCK_QUERIES) {
    const count = Math.min(BLOCK_QUERIES, pointCount - start)
    askForPoints(search, start, count)
    for (let i = 0; i < count; i++) {
      scores[originalIndices[start + i]!] = factorOf(model, search.lists[i]!)
    }
  }
  return scores
}

/**
 * Part of each column in the factor: its share of the squared distances to the k neighbours, times
 * the factor, so that a row's contributions sum to its score. The share says which columns set
 * the row apart from its neighbours; the factor says whether that distance is unusual there.
 * @returns rowIndices.length × columns, row-major, ≥ 0; all 0 for a row equal to its neighbours
 * @throws as `scoreLocalOutlierFactor`; INVALID_OPTION for an index outside the matrix
 */
export function explainLocalOutlierFactor(
  model: LocalOutlierFactorModel,
  matrix: FeatureMatrix,
  rowIndices: ArrayLike<number>,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  requireRowIndices(matrix, rowIndices)
  const rows = selectRows(matrix, rowIndices)
  requireFinite('local outlier factor explain', rows)
  const columnCount = matrix.columnNames.length
  const found = neighbourList(model.neighbourCount)
  const query = new Float64Array(columnCount)
  const contributions = new Float64Array(rows.values.length)
  for (let row = 0; row < rows.rowCount; row++) {
    const cells = row * columnCount
    scaleRow(model.scaler, rows.values, cells, query, 0)
    findNearest(model.tree, query, -1, found)
    let total = 0
    for (let i = 0; i < found.count; i++) {
      addSquaredGaps(model.tree, query, found.positions[i]!, contributions, cells)
      total += found.squaredDistances[i]!
    }
    const scale = total > 0 ? factorOf(model, found) / total : 0
    for (let cell = cells; cell < cells + columnCount; cell++) {
      contributions[cell] = contributions[cell]! * scale
    }
  }
  return contributions
}

/** Scores rows [rowStart, rowEnd) into `out` at the same indices. Inputs were checked. */
export function scoreFactorRows(
  model: LocalOutlierFactorModel,
  values: Float64Array,
  rowStart: number,
  rowEnd: number,
  out: Float64Array,
): void {
  const columnCount = model.columnNames.length
  const search = neighbourSearch(model.tree, model.neighbourCount, rowEnd - rowStart)
  for (let start = rowStart; start < rowEnd; start += BLOCK_QUERIES) {
    const count = Math.min(BLOCK_QUERIES, rowEnd - start)
    for (let i = 0; i < count; i++) {
      scaleRow(model.scaler, values, (start + i) * columnCount, search.queries, i * columnCount)
    }
    answerBlock(search, count, -1)
    for (let i = 0; i < count; i++) out[start + i] = factorOf(model, search.lists[i]!)
  }
}
