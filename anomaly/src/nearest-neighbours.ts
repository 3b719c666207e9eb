import {
  type ColumnScaler,
  fitColumnScaler,
  type ScalingMethod,
  scaleColumns,
  scaleRow,
} from './column-scaler.ts'
import { invalidOption } from './errors.ts'
import {
  type FeatureMatrix,
  outputFor,
  requireColumns,
  requireFinite,
  requireRowIndices,
  requireRows,
  selectRows,
} from './feature-matrix.ts'
import type { ScaleFloors } from './group-statistics.ts'
import { buildKdTree, type KdTree } from './kd-tree.ts'
import { findNearest, type NeighbourList, neighbourList } from './kd-tree-search.ts'
import { createRandom, sampleIndices } from './random.ts'

/** Options of the nearest-neighbour detector. */
export type NearestNeighbourOptions = {
  /** Neighbours k, default 10; fewer if the reference is smaller. */
  readonly neighbourCount?: number
  /** Mean distance to the k neighbours, or the distance to the k-th. Default 'mean'. */
  readonly distance?: 'mean' | 'kth'
  /** Default 'standard'. */
  readonly scaling?: ScalingMethod
  /** Smallest scale per column, in its unit. */
  readonly floors?: ScaleFloors
  /** Scaled values are limited to ±clip; default no limit. */
  readonly clip?: number
  /** Reference rows kept; a larger training set is sampled. Default 20,000. */
  readonly maxReferenceRows?: number
  /** Seed of that sampling, default 42. */
  readonly seed?: number
}

/** Learned state of the nearest-neighbour detector: the healthy rows, scaled. Plain data. */
export type NearestNeighbourModel = {
  readonly kind: 'nearest_neighbours'
  readonly stateVersion: 1
  readonly columnNames: readonly string[]
  readonly neighbourCount: number
  readonly distance: 'mean' | 'kth'
  readonly seed: number
  readonly trainingRowCount: number
  readonly scaler: ColumnScaler
  /** Reference rows in scaled units; `originalIndices` refer to `referenceRows`. */
  readonly tree: KdTree
  /** Training row of each reference row, ascending. */
  readonly referenceRows: Uint32Array
}

/**
 * Keeps (a bounded sample of) healthy rows, so that a new row can be judged by its distance to
 * the most similar ones. The detector of choice for short, clean histories.
 * @param matrix rowCount × columns, unscaled, no NaN and no infinite value
 * @throws TOO_FEW_ROWS with fewer than 2 rows, NOT_FINITE, INVALID_OPTION
 * Cost O(r log² r) for r reference rows; memory about 3 r · columns · 8 bytes.
 * Source: Ramaswamy, Rastogi & Shim 2000 (k-th distance); Angiulli & Pizzuti 2002 (mean).
 */
export function fitNearestNeighbours(
  matrix: FeatureMatrix,
  options: NearestNeighbourOptions = {},
): NearestNeighbourModel {
  const { neighbourCount = 10, distance = 'mean', scaling = 'standard', floors = {} } = options
  const { clip = Number.POSITIVE_INFINITY, maxReferenceRows = 20_000, seed = 42 } = options
  if (!Number.isInteger(neighbourCount) || neighbourCount < 1) {
    throw invalidOption('neighbourCount', 'an integer ≥ 1', neighbourCount)
  }
  if (!Number.isInteger(maxReferenceRows) || maxReferenceRows < 2) {
    throw invalidOption('maxReferenceRows', 'an integer ≥ 2', maxReferenceRows)
  }
  requireRows('nearest neighbours', matrix, 2)
  const scaler = fitColumnScaler(matrix, { method: scaling, floors, clip })
  const random = createRandom(seed)
  const referenceCount = Math.min(matrix.rowCount, maxReferenceRows)
  const referenceRows = sampleIndices(random, matrix.rowCount, referenceCount).sort()
  const scaled = scaleColumns(scaler, selectRows(matrix, referenceRows))
  return {
    kind: 'nearest_neighbours',
    stateVersion: 1,
    columnNames: [...matrix.columnNames],
    neighbourCount: Math.min(neighbourCount, referenceCount - 1),
    distance,
    seed,
    trainingRowCount: matrix.rowCount,
    scaler,
    tree: buildKdTree(scaled, matrix.columnNames.length),
    referenceRows,
  }
}

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
  const found = neighbourList(model.neighbourCount)
  const query = new Float64Array(tree.dimensionCount)
  const scores = new Float64Array(tree.pointCount)
  for (let position = 0; position < tree.pointCount; position++) {
    const at = position * tree.dimensionCount
    query.set(tree.points.subarray(at, at + tree.dimensionCount))
    findNearest(tree, query, position, found)
    scores[tree.originalIndices[position]!] = distanceOf(model, found)
  }
  return scores
}

/**
 * Shares of each column in the distance: squared difference per column, summed over the
 * neighbours that the score uses, scaled so that a row's contributions sum to its score.
 * @returns rowIndices.length × columns, row-major, ≥ 0
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
  const { tree } = model
  const columnCount = tree.dimensionCount
  const found = neighbourList(model.neighbourCount)
  const query = new Float64Array(columnCount)
  const contributions = new Float64Array(rows.values.length)
  for (let row = 0; row < rows.rowCount; row++) {
    const cells = row * columnCount
    scaleRow(model.scaler, rows.values, cells, query, 0)
    findNearest(tree, query, -1, found)
    let total = 0
    for (let i = model.distance === 'kth' ? found.count - 1 : 0; i < found.count; i++) {
      const at = found.positions[i]! * columnCount
      for (let column = 0; column < columnCount; column++) {
        const difference = query[column]! - tree.points[at + column]!
        const cell = cells + column
        contributions[cell] = contributions[cell]! + difference * difference
        total += difference * difference
      }
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
  const { tree, scaler } = model
  const found = neighbourList(model.neighbourCount)
  const query = new Float64Array(tree.dimensionCount)
  for (let row = rowStart; row < rowEnd; row++) {
    scaleRow(scaler, values, row * tree.dimensionCount, query, 0)
    findNearest(tree, query, -1, found)
    out[row] = distanceOf(model, found)
  }
}

function distanceOf(model: NearestNeighbourModel, found: NeighbourList): number {
  const { squaredDistances, count } = found
  if (model.distance === 'kth') return Math.sqrt(squaredDistances[count - 1]!)
  let sum = 0
  for (let i = 0; i < count; i++) sum += Math.sqrt(squaredDistances[i]!)
  return sum / count
}
