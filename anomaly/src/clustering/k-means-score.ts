import {
  type FeatureMatrix,
  outputFor,
  requireColumns,
  requireFinite,
  requireRowIndices,
  selectRows,
} from '../feature-matrix.ts'
import { scaleRow } from '../statistics/column-scaler.ts'
import type { KMeansModel } from './k-means.ts'
import { squaredGap } from './lloyd.ts'

/**
 * Distance of each row to the nearest centre: ≥ 0, in scaled units, higher is more abnormal.
 * @throws COLUMN_MISMATCH, NOT_FINITE, SHAPE_MISMATCH
 * Cost O(rows · clusters · columns).
 */
export function scoreKMeans(
  model: KMeansModel,
  matrix: FeatureMatrix,
  out?: Float64Array,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  const scores = outputFor(matrix, out)
  requireFinite('k-means score', matrix)
  scoreKMeansRows(model, matrix.values, 0, matrix.rowCount, scores)
  return scores
}

/**
 * Cluster of each row, from 0: that of the nearest centre; of equally near ones the lowest.
 * @throws COLUMN_MISMATCH, NOT_FINITE
 */
export function assignKMeansClusters(model: KMeansModel, matrix: FeatureMatrix): Uint32Array {
  requireColumns(model.columnNames, matrix)
  requireFinite('k-means assignment', matrix)
  const columnCount = matrix.columnNames.length
  const query = new Float64Array(columnCount)
  const labels = new Uint32Array(matrix.rowCount)
  for (let row = 0; row < matrix.rowCount; row++) {
    scaleRow(model.scaler, matrix.values, row * columnCount, query, 0)
    labels[row] = nearestCentre(model, query)
  }
  return labels
}

/**
 * Part of each column in the distance to the nearest centre: its share of the squared distance,
 * times the score, so that a row's contributions sum to its score.
 * @returns rowIndices.length × columns, row-major, ≥ 0
 * @throws as `scoreKMeans`; INVALID_OPTION for an index outside the matrix
 */
export function explainKMeans(
  model: KMeansModel,
  matrix: FeatureMatrix,
  rowIndices: ArrayLike<number>,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  requireRowIndices(matrix, rowIndices)
  const rows = selectRows(matrix, rowIndices)
  requireFinite('k-means explain', rows)
  const columnCount = matrix.columnNames.length
  const query = new Float64Array(columnCount)
  const contributions = new Float64Array(rows.values.length)
  for (let row = 0; row < rows.rowCount; row++) {
    const cells = row * columnCount
    scaleRow(model.scaler, rows.values, cells, query, 0)
    const centre = nearestCentre(model, query) * columnCount
    const distance = Math.sqrt(squaredGap(query, 0, model.centres, centre, columnCount))
    for (let d = 0; d < columnCount && distance > 0; d++) {
      const gap = query[d]! - model.centres[centre + d]!
      contributions[cells + d] = (gap * gap) / distance
    }
  }
  return contributions
}

/** Scores rows [rowStart, rowEnd) into `out` at the same indices. Inputs were checked. */
export function scoreKMeansRows(
  model: KMeansModel,
  values: Float64Array,
  rowStart: number,
  rowEnd: number,
  out: Float64Array,
): void {
  const columnCount = model.columnNames.length
  const query = new Float64Array(columnCount)
  for (let row = rowStart; row < rowEnd; row++) {
    scaleRow(model.scaler, values, row * columnCount, query, 0)
    const centre = nearestCentre(model, query) * columnCount
    out[row] = Math.sqrt(squaredGap(query, 0, model.centres, centre, columnCount))
  }
}

function nearestCentre({ centres, clusterCount }: KMeansModel, query: Float64Array): number {
  const columnCount = query.length
  let nearest = 0
  let smallest = Number.POSITIVE_INFINITY
  for (let cluster = 0; cluster < clusterCount; cluster++) {
    const square = squaredGap(query, 0, centres, cluster * columnCount, columnCount)
    if (square < smallest) {
      smallest = square
      nearest = cluster
    }
  }
  return nearest
}
