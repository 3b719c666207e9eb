import { invalidOption } from '../errors.ts'
import type { FeatureMatrix } from '../feature-matrix.ts'
import { buildKdTree, type KdTree } from '../neighbours/kd-tree.ts'
import { neighboursOfPoints } from '../neighbours/point-neighbours.ts'
import { type ReferenceOptions, scaledReferenceRows } from '../neighbours/reference-rows.ts'
import type { ColumnScaler } from '../statistics/column-scaler.ts'
import { quantile } from '../statistics/quantile.ts'
import { findDensityClusters } from './density-clusters.ts'

/** Share of rows that the default radius makes core: the healthy part of a training set. */
const DEFAULT_CORE_SHARE = 0.95

/** Options of DBSCAN. */
export type DbscanOptions = ReferenceOptions & {
  /**
   * Radius of a neighbourhood (eps), in scaled units, borders included. Default: the 0.95 quantile
   * of the distance that covers `minSamples` rows, so that 95 % of the reference rows are core;
   * `chooseDbscanRadius` searches for the one that separates clusters best.
   */
  readonly radius?: number
  /**
   * Rows within the radius, itself included, that make a row core. Default 10 (or all rows, if
   * fewer): between scikit-learn's 5 and the 2 × columns of Sander et al. 1998.
   */
  readonly minSamples?: number
}

/** Learned state of DBSCAN: the core rows with their clusters. Plain data. */
export type DbscanModel = {
  readonly kind: 'dbscan'
  readonly stateVersion: 1
  readonly columnNames: readonly string[]
  readonly radius: number
  readonly minSamples: number
  readonly clusterCount: number
  readonly seed: number
  readonly trainingRowCount: number
  readonly scaler: ColumnScaler
  /** Core rows in scaled units; `originalIndices` refer to `coreRows`. */
  readonly tree: KdTree
  /** Training row of each core row, ascending. */
  readonly coreRows: Uint32Array
  /** Cluster of each core row, from 0. */
  readonly clusterOfCore: Uint32Array
}

/** Clusters of a training set, and the model that assigns new rows to them. */
export type DbscanClusters = {
  /** Training row of each label, ascending: all rows, or the sample of a larger set. */
  readonly referenceRows: Uint32Array
  /** Cluster of each reference row, from 0; −1 (`NOISE`) for none. As scikit-learn numbers them. */
  readonly labels: Int32Array
  readonly clusterCount: number
  /** Null if no row is core, so that there is nothing to assign to. */
  readonly model: DbscanModel | null
}

/**
 * Finds clusters of any shape as places that are dense enough, and the rows that lie in none.
 * @param matrix rowCount × columns, unscaled, no NaN and no infinite value
 * @throws TOO_FEW_ROWS with fewer than 2 rows, NOT_FINITE, INVALID_OPTION
 * Cost a k-d tree and two queries per reference row, at most O(r²); memory O(r).
 * Source: Ester, Kriegel, Sander & Xu 1996. With `scaling: 'none'`, labels equal those of
 * scikit-learn's DBSCAN: a border row in reach of several clusters joins the lowest-numbered.
 */
export function clusterByDensity(
  matrix: FeatureMatrix,
  options: DbscanOptions = {},
): DbscanClusters {
  const reference = scaledReferenceRows('dbscan', matrix, options, 2)
  const { points, scaler, seed, referenceRows } = reference
  const columnCount = matrix.columnNames.length
  const minSamples = options.minSamples ?? Math.min(10, referenceRows.length)
  if (!Number.isInteger(minSamples) || minSamples < 2) {
    throw invalidOption('minSamples', 'an integer ≥ 2', minSamples)
  }
  const radius = options.radius ?? defaultRadius(points, columnCount, minSamples)
  if (!(radius > 0 && Number.isFinite(radius))) {
    throw invalidOption('radius', 'a finite number > 0', radius)
  }
  const clusters = findDensityClusters(points, columnCount, radius, minSamples)
  const { labels, clusterCount, corePoints, coreTree } = clusters
  const model: DbscanModel | null =
    coreTree === null
      ? null
      : {
          kind: 'dbscan',
          stateVersion: 1,
          columnNames: [...matrix.columnNames],
          radius,
          minSamples,
          clusterCount,
          seed,
          trainingRowCount: matrix.rowCount,
          scaler,
          tree: coreTree,
          coreRows: corePoints.map((point) => referenceRows[point]!),
          clusterOfCore: corePoints.map((point) => labels[point]!),
        }
  return { referenceRows, labels, clusterCount, model }
}

/**
 * `clusterByDensity` as a detector: new rows are judged by their distance to the core rows.
 * @throws as `clusterByDensity`, and INVALID_OPTION if no row is core under the given radius
 */
export function fitDbscan(matrix: FeatureMatrix, options: DbscanOptions = {}): DbscanModel {
  const { model } = clusterByDensity(matrix, options)
  if (model !== null) return model
  const { radius, minSamples } = options
  throw invalidOption(
    'radius',
    `so large that some row has minSamples = ${minSamples ?? 10} rows within it`,
    radius,
  )
}

/** Distance from each point to its (minSamples − 1)-th neighbour: within it, it is core. */
export function coreDistances(
  points: Float64Array,
  columnCount: number,
  minSamples: number,
): Float64Array {
  const tree = buildKdTree(points, columnCount)
  const { lastDistances } = neighboursOfPoints(tree, Math.min(minSamples, tree.pointCount) - 1)
  return lastDistances
}

function defaultRadius(points: Float64Array, columnCount: number, minSamples: number): number {
  const distances = coreDistances(points, columnCount, minSamples)
  const radius = quantile(distances, DEFAULT_CORE_SHARE)
  if (radius > 0) return radius
  // Nearly all rows have equals: any radius below the next distance gives the same clusters.
  const smallest = distances.reduce(
    (least, distance) => (distance > 0 && distance < least ? distance : least),
    Number.POSITIVE_INFINITY,
  )
  return Number.isFinite(smallest) ? smallest : 1
}
