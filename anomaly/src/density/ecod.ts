import { invalidOption } from '../errors.ts'
import { type FeatureMatrix, requireRows, selectRows } from '../feature-matrix.ts'
import { moments } from '../statistics/column-statistics.ts'
import { presentValues, requireNoInfinity } from '../statistics/present-values.ts'
import { createRandom, sampleIndices } from '../statistics/random.ts'

/** Options of ECOD. */
export type EcodOptions = {
  /** Rows whose values are kept; a larger training set is sampled. Default 20,000. */
  readonly maxReferenceRows?: number
  /** Seed of that sampling, default 42. */
  readonly seed?: number
}

/** Learned state of ECOD: the distribution function of each column. Plain data. */
export type EcodModel = {
  readonly kind: 'ecod'
  readonly stateVersion: 1
  readonly columnNames: readonly string[]
  readonly seed: number
  readonly trainingRowCount: number
  /** Distinct values per column. */
  readonly distinctCounts: Uint32Array
  /** Distinct values of all columns one after another, ascending in each. */
  readonly distinctValues: Float64Array
  /** Reference values ≤ the distinct value; the last of a column is its number of values. */
  readonly countsUpTo: Uint32Array
  /** Sign of each column's skewness: −1, 0 or 1. */
  readonly skewSigns: Float64Array
}

/**
 * Learns the empirical distribution of each column; a row is unusual by how far out in the tails
 * its values lie. Without parameters, additive, content with missing values; blind to broken
 * relations between columns.
 * @param matrix rowCount × columns; NaN cells are left out
 * @throws TOO_FEW_ROWS without rows, NOT_FINITE for ±∞, INVALID_OPTION
 * Cost O(cells · log rows); memory 12 bytes per distinct value.
 * Source: Li, Zhao, Hu, Botta, Ionescu & Chen 2022, in the form of PyOD's ECOD.
 */
export function fitEcod(matrix: FeatureMatrix, options: EcodOptions = {}): EcodModel {
  const { maxReferenceRows = 20_000, seed = 42 } = options
  if (!Number.isInteger(maxReferenceRows) || maxReferenceRows < 1) {
    throw invalidOption('maxReferenceRows', 'an integer ≥ 1', maxReferenceRows)
  }
  requireRows('ecod', matrix)
  requireNoInfinity('ecod fit', matrix)
  const count = Math.min(matrix.rowCount, maxReferenceRows)
  const rows = sampleIndices(createRandom(seed), matrix.rowCount, count).sort()
  const reference = count < matrix.rowCount ? selectRows(matrix, rows) : matrix
  const columnCount = matrix.columnNames.length
  const distinctCounts = new Uint32Array(columnCount)
  const skewSigns = new Float64Array(columnCount)
  const distinctValues = new Float64Array(reference.values.length)
  const countsUpTo = new Uint32Array(reference.values.length)
  let end = 0
  for (let column = 0; column < columnCount; column++) {
    const sorted = presentValues(reference, column).sort()
    // A column without values has no skewness: 0, and is never looked at.
    skewSigns[column] = Math.sign(moments(sorted).skewness) || 0
    const start = end
    for (let i = 0; i < sorted.length; i++) {
      if (sorted[i] === sorted[i + 1]) continue
      distinctValues[end] = sorted[i]!
      countsUpTo[end] = i + 1
      end++
    }
    distinctCounts[column] = end - start
  }
  return {
    kind: 'ecod',
    stateVersion: 1,
    columnNames: [...matrix.columnNames],
    seed,
    trainingRowCount: matrix.rowCount,
    distinctCounts,
    distinctValues: distinctValues.slice(0, end),
    countsUpTo: countsUpTo.slice(0, end),
    skewSigns,
  }
}
