import { invalidOption } from '../errors.ts'
import type { FeatureMatrix } from '../feature-matrix.ts'
import type { ColumnScaler } from '../statistics/column-scaler.ts'
import { fitWhitening, mapRows, type Whitening } from '../statistics/whitening.ts'
import { buildKdTree, type KdTree } from './kd-tree.ts'
import { type ReferenceOptions, scaledReferenceRows } from './reference-rows.ts'

/** Options of the nearest-neighbour detector. */
export type NearestNeighbourOptions = ReferenceOptions & {
  /** Neighbours k, default 10; fewer if the reference is smaller. */
  readonly neighbourCount?: number
  /** Mean distance to the k neighbours, or the distance to the k-th. Default 'mean'. */
  readonly distance?: 'mean' | 'kth'
  /**
   * Measure distances after PCA whitening: finds broken relations between a few correlated
   * columns, but drowns in noise where columns are many (images, one-hot codes). Default false.
   */
  readonly whiten?: boolean
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
  /** Map from scaled to whitened columns; null if distances are taken between scaled rows. */
  readonly whitening: Whitening | null
  /** Reference rows in scaled (and whitened) units; `originalIndices` refer to `referenceRows`. */
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
  const { neighbourCount = 10, distance = 'mean', whiten = false } = options
  if (!Number.isInteger(neighbourCount) || neighbourCount < 1) {
    throw invalidOption('neighbourCount', 'an integer ≥ 1', neighbourCount)
  }
  const reference = scaledReferenceRows('nearest neighbours', matrix, options, 2)
  const { scaler, seed, referenceRows } = reference
  const columnCount = matrix.columnNames.length
  const whitening = whiten ? fitWhitening(reference.points, columnCount) : null
  const points =
    whitening === null
      ? reference.points
      : mapRows(whitening.forward, columnCount, reference.points)
  return {
    kind: 'nearest_neighbours',
    stateVersion: 1,
    columnNames: [...matrix.columnNames],
    neighbourCount: Math.min(neighbourCount, referenceRows.length - 1),
    distance,
    seed,
    trainingRowCount: matrix.rowCount,
    scaler,
    whitening,
    tree: buildKdTree(points, columnCount),
    referenceRows,
  }
}
