import { invalidOption } from '../errors.ts'
import type { FeatureMatrix } from '../feature-matrix.ts'
import type { ColumnScaler } from '../statistics/column-scaler.ts'
import { buildKdTree, type KdTree } from './kd-tree.ts'
import type { NeighbourList } from './kd-tree-search.ts'
import { neighboursOfPoints, type PointNeighbours } from './point-neighbours.ts'
import { type ReferenceOptions, scaledReferenceRows } from './reference-rows.ts'

/** Added to mean reachabilities, so that a crowd of equal rows has a density: as scikit-learn. */
const REACHABILITY_FLOOR = 1e-10

/** Options of the local outlier factor. */
export type LocalOutlierFactorOptions = ReferenceOptions & {
  /**
   * Neighbours k, default 20 (Breunig et al. advise at least 10 to smooth, and as many as the
   * smallest cluster that is normal); fewer if the reference is smaller.
   */
  readonly neighbourCount?: number
}

/** Learned state of the local outlier factor: reference rows with their densities. Plain data. */
export type LocalOutlierFactorModel = {
  readonly kind: 'local_outlier_factor'
  readonly stateVersion: 1
  readonly columnNames: readonly string[]
  readonly neighbourCount: number
  readonly seed: number
  readonly trainingRowCount: number
  readonly scaler: ColumnScaler
  /** Reference rows in scaled units; `originalIndices` refer to `referenceRows`. */
  readonly tree: KdTree
  /** Training row of each reference row, ascending. */
  readonly referenceRows: Uint32Array
  /** Distance of each reference row to its k-th neighbour; in tree order, ≥ 0. */
  readonly neighbourDistances: Float64Array
  /** Local reachability density of each reference row; in tree order, > 0. */
  readonly densities: Float64Array
}

/**
 * Learns local densities of healthy rows, so that a new row can be judged by how much thinner its
 * surroundings are than those of its neighbours (novelty form: new rows do not enter the set).
 * Where neighbours are equally far, the earlier row counts; scikit-learn leaves that choice open.
 * @param matrix rowCount × columns, unscaled, no NaN and no infinite value
 * @throws TOO_FEW_ROWS with fewer than 2 rows, NOT_FINITE, INVALID_OPTION
 * Cost one k-d tree and a query per reference row, at most O(r²); memory r · (2 columns + 1.5 k)
 * numbers for r reference rows, whatever the number of training rows.
 * Source: Breunig, Kriegel, Ng & Sander 2000; equal to scikit-learn's
 * `LocalOutlierFactor(novelty=True)` with `scaling: 'none'`.
 */
export function fitLocalOutlierFactor(
  matrix: FeatureMatrix,
  options: LocalOutlierFactorOptions = {},
): LocalOutlierFactorModel {
  const { neighbourCount = 20 } = options
  if (!Number.isInteger(neighbourCount) || neighbourCount < 1) {
    throw invalidOption('neighbourCount', 'an integer ≥ 1', neighbourCount)
  }
  const reference = scaledReferenceRows('local outlier factor', matrix, options, 2)
  const { points, scaler, seed, referenceRows } = reference
  const tree = buildKdTree(points, matrix.columnNames.length)
  const neighbours = neighboursOfPoints(tree, Math.min(neighbourCount, tree.pointCount - 1))
  return {
    kind: 'local_outlier_factor',
    stateVersion: 1,
    columnNames: [...matrix.columnNames],
    neighbourCount: neighbours.neighbourCount,
    seed,
    trainingRowCount: matrix.rowCount,
    scaler,
    tree,
    referenceRows,
    neighbourDistances: neighbours.lastDistances,
    densities: densitiesOfPoints(neighbours),
  }
}

/** Local reachability density of every point: one over its mean reachability distance. */
function densitiesOfPoints(neighbours: PointNeighbours): Float64Array {
  const { neighbourCount, positions, distances, lastDistances } = neighbours
  const densities = new Float64Array(lastDistances.length)
  for (let position = 0; position < densities.length; position++) {
    let sum = 0
    for (let i = position * neighbourCount; i < (position + 1) * neighbourCount; i++) {
      sum += Math.max(distances[i]!, lastDistances[positions[i]!]!)
    }
    densities[position] = 1 / (sum / neighbourCount + REACHABILITY_FLOOR)
  }
  return densities
}

/** Local outlier factor of a row whose nearest reference rows are `found`. */
export function factorOf(model: LocalOutlierFactorModel, found: NeighbourList): number {
  const { neighbourDistances, densities } = model
  let reachability = 0
  let density = 0
  for (let i = 0; i < found.count; i++) {
    const position = found.positions[i]!
    const distance = Math.sqrt(found.squaredDistances[i]!)
    reachability += Math.max(distance, neighbourDistances[position]!)
    density += densities[position]!
  }
  const { count } = found
  return (density / count) * (reachability / count + REACHABILITY_FLOOR)
}
