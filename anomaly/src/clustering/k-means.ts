import { invalidOption, shapeMismatch } from '../errors.ts'
import type { FeatureMatrix } from '../feature-matrix.ts'
import {
  type ReferenceOptions,
  type ReferenceRows,
  scaledReferenceRows,
} from '../neighbours/reference-rows.ts'
import { type ColumnScaler, scaleRow } from '../statistics/column-scaler.ts'
import { bestPartition, type PartitionOptions, partitionFrom } from './best-partition.ts'
import {
  type ClusterCountChoice,
  type ClusterCountMethod,
  type ClusterCountOptions,
  chooseCount,
} from './cluster-count.ts'
import type { Partition } from './lloyd.ts'

/** Options of k-means. */
export type KMeansOptions = Omit<ReferenceOptions, 'maxReferenceRows'> & {
  /** Rows partitioned; a larger training set is sampled. Default 100,000. */
  readonly maxReferenceRows?: number
  /**
   * Number of clusters, or how to choose it: 'silhouette' (default; from 2 on) or 'gap' (from 1
   * on). Fewer where fewer rows are distinct.
   */
  readonly clusterCount?: number | ClusterCountMethod
  /** Most clusters tried by a choice, default 10. */
  readonly maxClusterCount?: number
  /** Rows that the choice looks at, default 2,000: a silhouette compares each with each. */
  readonly maxChoiceRows?: number
  /** Uniform tables of the gap statistic, default 10. */
  readonly gapReferenceCount?: number
  /** Seeded starts of which the best is kept, default 5. */
  readonly startCount?: number
  /** Starting centres instead, clusters × columns, in the columns' units: one start, no choice. */
  readonly initialCentres?: Float64Array
  /** Default 300. */
  readonly maxIterations?: number
  /** Stop once centres move by no more than this share of the mean variance (squared). Default 1e-4. */
  readonly tolerance?: number
}

/** Learned state of k-means: the centres. Plain data. */
export type KMeansModel = {
  readonly kind: 'k_means'
  readonly stateVersion: 1
  readonly columnNames: readonly string[]
  readonly clusterCount: number
  readonly seed: number
  readonly trainingRowCount: number
  readonly scaler: ColumnScaler
  /** clusterCount × columns, row-major, in scaled units. */
  readonly centres: Float64Array
  /** Reference rows of each cluster. */
  readonly clusterSizes: Uint32Array
  /** Sum of squared scaled distances of the reference rows to their centres. */
  readonly inertia: number
  readonly iterationCount: number
}

/**
 * Learns the centres of compact clusters, so that a new row can be judged by its distance to the
 * nearest one.
 * @param matrix rowCount × columns, unscaled, no NaN and no infinite value
 * @throws TOO_FEW_ROWS without rows, NOT_FINITE, INVALID_OPTION, SHAPE_MISMATCH for starting
 *   centres of another width
 * Cost O(starts · iterations · rows · clusters · columns) at most; distances that cannot matter
 * are left out. Memory: one scaled copy of the reference rows.
 * Source: Lloyd 1982, Arthur & Vassilvitskii 2007 for the starts. With `scaling: 'none'` and equal
 * starting centres, inertia equals that of scikit-learn's KMeans.
 */
export function fitKMeans(matrix: FeatureMatrix, options: KMeansOptions = {}): KMeansModel {
  const reference = kMeansRows(matrix, options)
  const { scaler, seed } = reference
  const partition = partitionOf(reference, matrix.columnNames.length, options)
  const { clusterCount, centres, labels, inertia, iterationCount } = partition
  const clusterSizes = new Uint32Array(clusterCount)
  for (const label of labels) clusterSizes[label] = clusterSizes[label]! + 1
  return {
    kind: 'k_means',
    stateVersion: 1,
    columnNames: [...matrix.columnNames],
    clusterCount,
    seed,
    trainingRowCount: matrix.rowCount,
    scaler,
    centres,
    clusterSizes,
    inertia,
    iterationCount,
  }
}

/**
 * The number of clusters k-means would choose, and what each number tried gave.
 * @throws as `fitKMeans`
 * Cost: a fit per number, and per uniform table for 'gap', on at most `maxChoiceRows` rows.
 */
export function chooseClusterCount(
  matrix: FeatureMatrix,
  method: ClusterCountMethod = 'silhouette',
  options: KMeansOptions = {},
): ClusterCountChoice {
  const { points } = kMeansRows(matrix, options)
  return chooseCount(points, matrix.columnNames.length, method, countOptions(options))
}

function kMeansRows(matrix: FeatureMatrix, options: KMeansOptions): ReferenceRows {
  const { maxReferenceRows = 100_000 } = options
  return scaledReferenceRows('k-means', matrix, { ...options, maxReferenceRows }, 1)
}

function partitionOf(
  { points, scaler }: ReferenceRows,
  columnCount: number,
  options: KMeansOptions,
): Partition {
  const { clusterCount = 'silhouette', initialCentres } = options
  const complete = countOptions(options)
  if (initialCentres !== undefined) {
    const start = scaledCentres(initialCentres, columnCount, scaler)
    return partitionFrom(points, columnCount, start, complete)
  }
  const count =
    typeof clusterCount === 'number'
      ? clusterCount
      : chooseCount(points, columnCount, clusterCount, complete).clusterCount
  if (!Number.isInteger(count) || count < 1) {
    throw invalidOption('clusterCount', "an integer ≥ 1, 'silhouette' or 'gap'", count)
  }
  return bestPartition(points, columnCount, count, complete)
}

function countOptions(options: KMeansOptions): ClusterCountOptions & PartitionOptions {
  return {
    startCount: options.startCount ?? 5,
    maxIterations: options.maxIterations ?? 300,
    tolerance: options.tolerance ?? 1e-4,
    seed: options.seed ?? 42,
    maxClusterCount: options.maxClusterCount ?? 10,
    maxPoints: options.maxChoiceRows ?? 2000,
    gapReferenceCount: options.gapReferenceCount ?? 10,
  }
}

function scaledCentres(
  centres: Float64Array,
  columnCount: number,
  scaler: ColumnScaler,
): Float64Array {
  if (centres.length === 0 || centres.length % columnCount !== 0) {
    const expected = Math.max(1, Math.round(centres.length / columnCount)) * columnCount
    throw shapeMismatch('initialCentres.length', expected, centres.length)
  }
  const scaled = new Float64Array(centres.length)
  for (let at = 0; at < centres.length; at += columnCount) {
    scaleRow(scaler, centres, at, scaled, at)
  }
  return scaled
}
