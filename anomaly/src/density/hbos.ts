import { invalidOption, notFinite } from '../errors.ts'
import { type FeatureMatrix, requireRows } from '../feature-matrix.ts'
import { presentValues, requireNoInfinity } from '../statistics/present-values.ts'
import { standardDeviation } from '../statistics/robust-scale.ts'
import { histogramOfSorted, likeliestBinCount } from './histogram.ts'

/** Most bins of a column; bounds the model. */
export const MAX_BINS = 65_536

/** Options of the histogram-based outlier score. */
export type HbosOptions = {
  /**
   * Bins per column, default 10; 'auto' chooses per column by penalised likelihood
   * (`Birgé & Rozenholc 2006`, as PyOD).
   */
  readonly binCount?: number | 'auto'
  /** Added to densities before the logarithm, which bounds the score of an empty bin. Default 0.1. */
  readonly regularisation?: number
  /** A value at most this many bin widths out of range counts to the outer bin. Default 0.5. */
  readonly tolerance?: number
  /**
   * What a value farther out is: density 0 (default), or the rarest bin of its column, which is
   * PyOD's choice and hides values out of range where no bin is empty.
   */
  readonly beyondRange?: 'empty bin' | 'rarest bin'
  /**
   * Unit of the densities: the column's standard deviation (default), so that the score does not
   * depend on units, or 'none' for the column's own unit, which is PyOD's.
   */
  readonly scaling?: 'standard' | 'none'
}

/** Learned state of the histogram-based outlier score. Plain data. */
export type HbosModel = {
  readonly kind: 'hbos'
  readonly stateVersion: 1
  readonly columnNames: readonly string[]
  readonly tolerance: number
  readonly trainingRowCount: number
  /** Bins per column; 0 for a column without any value, which is then left out. */
  readonly binCounts: Uint32Array
  /** Borders of all columns one after another: binCounts + 1 each, ascending. */
  readonly edges: Float64Array
  /** −log2(density + regularisation) of all bins one after another. */
  readonly binScores: Float64Array
  /** Score of a value beyond the tolerance, per column. */
  readonly outsideScores: Float64Array
}

/**
 * Learns one histogram per column; rare values in any column make a row unusual. Blind to broken
 * relations between columns, but fast, additive, and content with missing values.
 * @param matrix rowCount × columns; NaN cells are left out
 * @throws TOO_FEW_ROWS without rows, NOT_FINITE for ±∞, INVALID_OPTION
 * Cost O(cells · log rows).
 * Source: Goldstein & Dengel 2012; with `scaling: 'none'` and `beyondRange: 'rarest bin'` scores
 * equal PyOD's HBOS.
 */
export function fitHbos(matrix: FeatureMatrix, options: HbosOptions = {}): HbosModel {
  const { binCount = 10, regularisation = 0.1, tolerance = 0.5 } = options
  const { beyondRange = 'empty bin', scaling = 'standard' } = options
  if (
    binCount !== 'auto' &&
    !(Number.isInteger(binCount) && binCount >= 1 && binCount <= MAX_BINS)
  ) {
    throw invalidOption('binCount', `an integer in [1, ${MAX_BINS}] or 'auto'`, binCount)
  }
  if (!(regularisation > 0 && Number.isFinite(regularisation))) {
    throw invalidOption('regularisation', 'a finite number > 0', regularisation)
  }
  if (!(tolerance >= 0)) throw invalidOption('tolerance', '≥ 0', tolerance)
  requireRows('hbos', matrix)
  requireNoInfinity('hbos fit', matrix)
  const columns = matrix.columnNames.map((_, column): ColumnBins => {
    const sorted = presentValues(matrix, column).sort()
    if (sorted.length === 0) return emptyColumn
    requireFiniteRange(matrix, column, sorted)
    const unit = scaling === 'standard' ? unitOf(sorted) : 1
    const bins = binCount === 'auto' ? likeliestBinCount(sorted) : binCount
    const { edges, counts } = histogramOfSorted(sorted, bins)
    const scores = new Float64Array(bins)
    for (let bin = 0; bin < bins; bin++) {
      const density = counts[bin]! / (edges[bin + 1]! - edges[bin]!) / sorted.length
      scores[bin] = -Math.log2(density * unit + regularisation)
    }
    const rarest = scores.reduce((highest, score) => Math.max(highest, score))
    return {
      edges,
      scores,
      outside: beyondRange === 'rarest bin' ? rarest : -Math.log2(regularisation),
    }
  })
  return {
    kind: 'hbos',
    stateVersion: 1,
    columnNames: [...matrix.columnNames],
    tolerance,
    trainingRowCount: matrix.rowCount,
    binCounts: Uint32Array.from(columns, ({ scores }) => scores.length),
    edges: joined(columns.map(({ edges }) => edges)),
    binScores: joined(columns.map(({ scores }) => scores)),
    outsideScores: Float64Array.from(columns, ({ outside }) => outside),
  }
}

function requireFiniteRange(matrix: FeatureMatrix, column: number, sorted: Float64Array): void {
  const highest = sorted[sorted.length - 1]!
  if (Number.isFinite(highest - sorted[0]!)) return
  const row = matrix.values.indexOf(highest) / matrix.columnNames.length
  throw notFinite('hbos range', Math.floor(row), matrix.columnNames[column] ?? '', highest)
}

type ColumnBins = {
  readonly edges: Float64Array
  readonly scores: Float64Array
  readonly outside: number
}

const emptyColumn: ColumnBins = {
  edges: new Float64Array(1),
  scores: new Float64Array(),
  outside: 0,
}

/** Standard deviation, or 1 for a column that does not vary. */
function unitOf(sorted: Float64Array): number {
  if (sorted[0] === sorted[sorted.length - 1]) return 1
  const deviation = standardDeviation(sorted, sorted.length)
  return deviation > 0 ? deviation : 1
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
