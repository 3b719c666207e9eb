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

/** How rows become the bounded set of scaled points that a distance detector remembers. */
export type ReferenceOptions = {
  /** How columns are brought to one unit; default 'standard'. */
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

/** Training rows kept, in scaled units. */
export type ReferenceRows = {
  readonly scaler: ColumnScaler
  readonly seed: number
  /** Training row of each point, ascending. */
  readonly referenceRows: Uint32Array
  /** referenceRows.length × columns, row-major. */
  readonly points: Float64Array
}

/** Fits the scaler on all rows, and scales all rows or a sample of them. */
export function scaledReferenceRows(
  what: string,
  matrix: FeatureMatrix,
  options: ReferenceOptions,
  minimumRows: number,
): ReferenceRows {
  const { scaling = 'standard', floors = {}, clip = Number.POSITIVE_INFINITY } = options
  const { maxReferenceRows = 20_000, seed = 42 } = options
  if (!Number.isInteger(maxReferenceRows) || maxReferenceRows < 2) {
    throw invalidOption('maxReferenceRows', 'an integer ≥ 2', maxReferenceRows)
  }
  requireRows(what, matrix, minimumRows)
  const scaler = fitColumnScaler(matrix, { method: scaling, floors, clip })
  const random = createRandom(seed)
  const count = Math.min(matrix.rowCount, maxReferenceRows)
  const referenceRows = sampleIndices(random, matrix.rowCount, count).sort()
  const points = scaleColumns(scaler, selectRows(matrix, referenceRows))
  return { scaler, seed, referenceRows, points }
}
