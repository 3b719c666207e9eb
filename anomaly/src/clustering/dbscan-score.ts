import {
  type FeatureMatrix,
  outputFor,
  requireColumns,
  requireFinite,
  requireRowIndices,
  selectRows,
} from '../feature-matrix.ts'
import { addSquaredGaps } from '../neighbours/kd-tree-distance.ts'
import { findNearest, neighbourList } from '../neighbours/kd-tree-search.ts'
import { scaleRow } from '../statistics/column-scaler.ts'
import type { DbscanModel } from './dbscan.ts'
import { NOISE } from './density-clusters.ts'

/**
 * Distance of each row to the nearest core row, in radii: 0 on a core row, at most 1 within a
 * cluster, above 1 for noise; higher is more abnormal. To calibrate, use `scoreDbscanTraining`.
 * @throws COLUMN_MISMATCH, NOT_FINITE, SHAPE_MISMATCH
 * Cost about O(log cores) to O(cores) per row; exact.
 */
export function scoreDbscan(
  model: DbscanModel,
  matrix: FeatureMatrix,
  out?: Float64Array,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  const scores = outputFor(matrix, out)
  requireFinite('dbscan score', matrix)
  scoreDbscanRows(model, matrix.values, 0, matrix.rowCount, scores)
  return scores
}

/**
 * Scores of training rows without themselves: a row that lies on a core row is measured to the
 * nearest *other* core row, so that not every core row scores 0 and there is something to
 * calibrate on. With a single core row that row scores 0.
 * @throws as `scoreDbscan`
 */
export function scoreDbscanTraining(model: DbscanModel, matrix: FeatureMatrix): Float64Array {
  requireColumns(model.columnNames, matrix)
  requireFinite('dbscan score', matrix)
  const columnCount = matrix.columnNames.length
  const found = neighbourList(Math.min(2, model.tree.pointCount))
  const query = new Float64Array(columnCount)
  const scores = new Float64Array(matrix.rowCount)
  for (let row = 0; row < matrix.rowCount; row++) {
    scaleRow(model.scaler, matrix.values, row * columnCount, query, 0)
    findNearest(model.tree, query, -1, found)
    const isItself = found.squaredDistances[0] === 0
    scores[row] = Math.sqrt(found.squaredDistances[isItself ? found.count - 1 : 0]!) / model.radius
  }
  return scores
}

/**
 * Cluster of each row: that of the nearest core row if it lies within the radius, else −1
 * (`NOISE`). Equally near core rows: the earlier training row decides.
 * @throws COLUMN_MISMATCH, NOT_FINITE
 * Cost as `scoreDbscan`.
 */
export function assignDbscanClusters(model: DbscanModel, matrix: FeatureMatrix): Int32Array {
  requireColumns(model.columnNames, matrix)
  requireFinite('dbscan assignment', matrix)
  const { tree, radius, clusterOfCore } = model
  const columnCount = matrix.columnNames.length
  const found = neighbourList(1)
  const query = new Float64Array(columnCount)
  const labels = new Int32Array(matrix.rowCount)
  for (let row = 0; row < matrix.rowCount; row++) {
    scaleRow(model.scaler, matrix.values, row * columnCount, query, 0)
    findNearest(tree, query, -1, found)
    const isWithin = found.squaredDistances[0]! <= radius * radius
    const core = tree.originalIndices[found.positions[0]!]!
    labels[row] = isWithin ? clusterOfCore[core]! : NOISE
  }
  return labels
}

/**
 * Part of each column in the distance to the nearest core row: its share of the squared distance,
 * times the score, so that a row's contributions sum to its score.
 * @returns rowIndices.length × columns, row-major, ≥ 0
 * @throws as `scoreDbscan`; INVALID_OPTION for an index outside the matrix
 */
export function explainDbscan(
  model: DbscanModel,
  matrix: FeatureMatrix,
  rowIndices: ArrayLike<number>,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  requireRowIndices(matrix, rowIndices)
  const rows = selectRows(matrix, rowIndices)
  requireFinite('dbscan explain', rows)
  const columnCount = matrix.columnNames.length
  const found = neighbourList(1)
  const query = new Float64Array(columnCount)
  const contributions = new Float64Array(rows.values.length)
  for (let row = 0; row < rows.rowCount; row++) {
    const cells = row * columnCount
    scaleRow(model.scaler, rows.values, cells, query, 0)
    findNearest(model.tree, query, -1, found)
    addSquaredGaps(model.tree, query, found.positions[0]!, contributions, cells)
    const distance = Math.sqrt(found.squaredDistances[0]!)
    const scale = distance > 0 ? 1 / (distance * model.radius) : 0
    for (let cell = cells; cell < cells + columnCount; cell++) {
      contributions[cell] = contributions[cell]! * scale
    }
  }
  return contributions
}

/** Scores rows [rowStart, rowEnd) into `out` at the same indices. Inputs were checked. */
export function scoreDbscanRows(
  model: DbscanModel,
  values: Float64Array,
  rowStart: number,
  rowEnd: number,
  out: Float64Array,
): void {
  const columnCount = model.columnNames.length
  const found = neighbourList(1)
  const query = new Float64Array(columnCount)
  for (let row = rowStart; row < rowEnd; row++) {
    scaleRow(model.scaler, values, row * columnCount, query, 0)
    findNearest(model.tree, query, -1, found)
    out[row] = Math.sqrt(found.squaredDistances[0]!) / model.radius
  }
}
