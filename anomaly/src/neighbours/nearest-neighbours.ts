import type { ScaleFloors } from '../baseline/group-statistics.ts'
import { invalidOption } from '../errors.ts'
import { type FeatureMatrix, requireRows, selectRows } from '../feature-matrix.ts'
import {
  type ColumnScaler,
  fitColumnScaler,
  type ScalingMethod,
  scaleColumns,
} from '../statistics/column-scaler.ts'
import { createRandom, sampleIndices } from '../statistics/random.ts'
import { fitWhitening, mapRows, type Whitening } from '../statistics/whitening.ts'
import { buildKdTree, type KdTree } from './kd-tree.ts'

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
  /**
   * Measure distances after PCA whitening: finds broken relations between a few correlated
   * columns, but drowns in noise where columns are many (images, one-hot codes). Default false.
   */
  readonly whiten?: boolean
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
  const { neighbourCount = 10, distance = 'mean', scaling = 'standard', floors = {} } = options
  const { clip = Number.POSITIVE_INFINITY, maxReferenceRows = 20_000, seed = 42 } = options
  const { whiten = false } = options
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
  const columnCount = matrix.columnNames.length
  const scaled = scaleColumns(scaler, selectRows(matrix, referenceRows))
  const whitening = whiten ? fitWhitening(scaled, columnCount) : null
  const points = whitening === null ? scaled : mapRows(whitening.forward, columnCount, scaled)
  return {
    kind: 'nearest_neighbours',
    stateVersion: 1,
    columnNames: [...matrix.columnNames],
    neighbourCount: Math.min(neighbourCount, referenceCount - 1),
    distance,
    seed,
    trainingRowCount: matrix.rowCount,
    scaler,
    whitening,
    tree: buildKdTree(points, columnCount),
    referenceRows,
  }
}
