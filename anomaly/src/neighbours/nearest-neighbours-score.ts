import {
  type FeatureMatrix,
  outputFor,
  requireColumns,
  requireFinite,
  requireRowIndices,
  selectRows,
} from '../feature-matrix.ts'
import { scaleRow } from '../statistics/column-scaler.ts'
import { mapRow } from '../statistics/whitening.ts'
import { findNearest, type NeighbourList, neighbourList } from './kd-tree-search.ts'
import type { NearestNeighbourModel } from './nearest-neighbours.ts'
import { answerBlock, askForPoints, BLOCK_QUERIES, neighbourSearch } from './neighbour-search.ts'

/**
 * Distance of each row to its nearest reference rows: ≥ 0, in scaled units, higher is more
 * abnormal. A training row finds itself at distance 0: to calibrate, use
 * `scoreReferenceRows` instead.
 * @throws COLUMN_MISMATCH, NOT_FINITE, SHAPE_MISMATCH
 * Cost about O(log r) to O(r) per row, by how clustered the reference is; exact.
 */
export function scoreNearestNeighbours(
  model: NearestNeighbourModel,
  matrix: FeatureMatrix,
  out?: Float64Array,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  const scores = outputFor(matrix, out)
  requireFinite('nearest neighbours score', matrix)
  scoreNeighbourRows(model, matrix.values, 0, matrix.rowCount, scores)
  return scores
}

/**
 * Scores of the reference rows themselves, each without itself: the sample to calibrate on.
 * @returns one score per entry of `model.referenceRows`, in that order
 */
export function scoreReferenceRows(model: NearestNeighbourModel): Float64Array {
  const { tree } = model
  const search = neighbourSearch(tree, model.neighbourCount, tree.pointCount)
  const scores = new Float64Array(tree.pointCount)
  for (let start = 0; start < tree.pointCount; start += BLOCK_QUERIES) {
    const count = Math.min(BLOCK_QUERIES, tree.pointCount - start)
    askForPoints(search, start, count)
    for (let i = 0; i < count; i++) {
      scores[tree.originalIndices[start + i]!] = distanceOf(model, search.lists[i]!)
    }
  }
  return scores
}

/**
 * Part of each column in the distance: squared differences per column over the neighbours that
 * the score uses, scaled so that a row's contributions sum to its score. Under whitening a column
 * gets δ_j · (Σ⁻¹δ)_j, which may be negative: then it makes the row less unusual.
 * @returns rowIndices.length × columns, row-major
 * @throws as `scoreNearestNeighbours`; INVALID_OPTION for an index outside the matrix
 */
export function explainNearestNeighbours(
  model: NearestNeighbourModel,
  matrix: FeatureMatrix,
  rowIndices: ArrayLike<number>,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  requireRowIndices(matrix, rowIndices)
  const rows = selectRows(matrix, rowIndices)
  requireFinite('nearest neighbours explain', rows)
  const columnCount = matrix.columnNames.length
  const found = neighbourList(model.neighbourCount)
  const scratch = queryScratch(columnCount)
  const contributions = new Float64Array(rows.values.length)
  for (let row = 0; row < rows.rowCount; row++) {
    const cells = row * columnCount
    setQuery(model, rows.values, cells, scratch)
    findNearest(model.tree, scratch.query, -1, found)
    let total = 0
    for (let i = model.distance === 'kth' ? found.count - 1 : 0; i < found.count; i++) {
      addSquaredDifferences(model, scratch, found.positions[i]!, contributions, cells)
      total += found.squaredDistances[i]!
    }
    const scale = total > 0 ? distanceOf(model, found) / total : 0
    for (let cell = cells; cell < cells + columnCount; cell++) {
      contributions[cell] = contributions[cell]! * scale
    }
  }
  return contributions
}

/** Scores rows [rowStart, rowEnd) into `out` at the same indices. Inputs were checked. */
export function scoreNeighbourRows(
  model: NearestNeighbourModel,
  values: Float64Array,
  rowStart: number,
  rowEnd: number,
  out: Float64Array,
): void {
  const columnCount = model.columnNames.length
  const search = neighbourSearch(model.tree, model.neighbourCount, rowEnd - rowStart)
  const scratch = queryScratch(columnCount)
  for (let start = rowStart; start < rowEnd; start += BLOCK_QUERIES) {
    const count = Math.min(BLOCK_QUERIES, rowEnd - start)
    for (let i = 0; i < count; i++) {
      setQuery(model, values, (start + i) * columnCount, scratch)
      search.queries.set(scratch.query, i * columnCount)
    }
    answerBlock(search, count, -1)
    for (let i = 0; i < count; i++) out[start + i] = distanceOf(model, search.lists[i]!)
  }
}

type QueryScratch = {
  readonly scaled: Float64Array
  /** What the tree is asked for: the scaled row, whitened if the model whitens. */
  readonly query: Float64Array
  readonly difference: Float64Array
}

function queryScratch(columnCount: number): QueryScratch {
  return {
    scaled: new Float64Array(columnCount),
    query: new Float64Array(columnCount),
    difference: new Float64Array(columnCount),
  }
}

function setQuery(
  model: NearestNeighbourModel,
  values: Float64Array,
  cells: number,
  { scaled, query }: QueryScratch,
): void {
  if (model.whitening === null) {
    scaleRow(model.scaler, values, cells, query, 0)
    return
  }
  scaleRow(model.scaler, values, cells, scaled, 0)
  mapRow(model.whitening.forward, scaled.length, scaled, 0, query, 0)
}

/** Adds each column's part of the squared distance to one reference point. */
function addSquaredDifferences(
  model: NearestNeighbourModel,
  { scaled, query, difference }: QueryScratch,
  position: number,
  contributions: Float64Array,
  cells: number,
): void {
  const { tree, whitening } = model
  const columnCount = tree.dimensionCount
  const point = position * columnCount
  for (let i = 0; i < columnCount; i++) difference[i] = query[i]! - tree.points[point + i]!
  if (whitening !== null) mapRow(whitening.backward, columnCount, difference, 0, scaled, 0)
  for (let column = 0; column < columnCount; column++) {
    let part = difference[column]! * difference[column]!
    if (whitening !== null) {
      // (forwardᵀ · difference)_column is (Σ⁻¹δ)_column, `scaled` holds δ.
      let weighted = 0
      for (let axis = 0; axis < columnCount; axis++) {
        weighted += whitening.forward[axis * columnCount + column]! * difference[axis]!
      }
      part = scaled[column]! * weighted
    }
    contributions[cells + column] = contributions[cells + column]! + part
  }
}

function distanceOf(model: NearestNeighbourModel, found: NeighbourList): number {
  const { squaredDistances, count } = found
  if (model.distance === 'kth') return Math.sqrt(squaredDistances[count - 1]!)
  let sum = 0
  for (let i = 0; i < count; i++) sum += Math.sqrt(squaredDistances[i]!)
  return sum / count
}
