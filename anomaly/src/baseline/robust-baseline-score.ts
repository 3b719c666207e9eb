import {
  type FeatureMatrix,
  outputFor,
  requireColumns,
  requireRowIndices,
} from '../feature-matrix.ts'
import { requireRowGroups, type ScoredGroups } from '../row-groups.ts'
import type { RobustBaseline } from './robust-baseline.ts'

/** Scores under a robust baseline. */
export type BaselineScores = {
  /** Mean of the three largest |z|; ≥ 0, higher is more abnormal; NaN if every cell is NaN. */
  readonly scores: Float64Array
  /** Index into BASELINE_SCOPES per row: 0 fleet, 1 cohort, 2 device. */
  readonly scopes: Uint8Array
}

/**
 * Scores rows by the mean of their three largest |z| = |x − centre| / scale, from the most
 * specific statistics that are ready: device, else cohort, else fleet.
 * @param matrix the baseline's columns in its order; NaN cells are left out of the mean
 * @param out receives the scores; default a new array
 * @throws COLUMN_MISMATCH, SHAPE_MISMATCH
 * Cost O(cells), no allocation per row. Source: MOD-15.
 */
export function scoreRobustBaseline(
  baseline: RobustBaseline,
  matrix: FeatureMatrix,
  groups: ScoredGroups,
  out?: Float64Array,
): BaselineScores {
  requireColumns(baseline.columnNames, matrix)
  requireRowGroups(matrix, groups)
  const scores = outputFor(matrix, out)
  const scopes = new Uint8Array(matrix.rowCount)
  scoreBaselineRows(baseline, matrix.values, groups, 0, matrix.rowCount, scores, scopes)
  return { scores, scopes }
}

/**
 * Signed z of every cell of the given rows: positive above the centre. |z| > 3 is strong.
 * @returns rowIndices.length × columns, row-major; 0 for NaN cells
 * @throws as `scoreRobustBaseline`
 */
export function explainRobustBaseline(
  baseline: RobustBaseline,
  matrix: FeatureMatrix,
  groups: ScoredGroups,
  rowIndices: ArrayLike<number>,
): Float64Array {
  requireColumns(baseline.columnNames, matrix)
  requireRowGroups(matrix, groups)
  requireRowIndices(matrix, rowIndices)
  const columnCount = matrix.columnNames.length
  const contributions = new Float64Array(rowIndices.length * columnCount)
  for (let i = 0; i < rowIndices.length; i++) {
    const row = rowIndices[i]!
    const scope = scopeOfRow(baseline, groups, row)
    const statistics = statisticsOfScope(baseline, scope)
    const start = groupOfScope(groups, row, scope) * columnCount
    for (let column = 0; column < columnCount; column++) {
      const value = matrix.values[row * columnCount + column]!
      let z = (value - statistics.centres[start + column]!) / statistics.scales[start + column]!
      if (Number.isNaN(z)) z = fleetDeviation(baseline, value, column)
      contributions[i * columnCount + column] = Number.isNaN(z) ? 0 : z
    }
  }
  return contributions
}

/** Scores rows [rowStart, rowEnd) into `scores` and `scopes`. Inputs were checked. */
export function scoreBaselineRows(
  baseline: RobustBaseline,
  values: Float64Array,
  groups: ScoredGroups,
  rowStart: number,
  rowEnd: number,
  scores: Float64Array,
  scopes: Uint8Array,
): void {
  const columnCount = baseline.columnNames.length
  for (let row = rowStart; row < rowEnd; row++) {
    const scope = scopeOfRow(baseline, groups, row)
    const start = groupOfScope(groups, row, scope) * columnCount
    scopes[row] = scope
    scores[row] = meanOfThreeLargest(baseline, values, row * columnCount, scope, start)
  }
}

function meanOfThreeLargest(
  baseline: RobustBaseline,
  values: Float64Array,
  cells: number,
  scope: number,
  groupStart: number,
): number {
  const { centres, scales } = statisticsOfScope(baseline, scope)
  const columnCount = baseline.columnNames.length
  let first = 0
  let second = 0
  let third = 0
  let count = 0
  for (let column = 0; column < columnCount; column++) {
    const at = groupStart + column
    const value = values[cells + column]!
    let z = (value - centres[at]!) / scales[at]!
    if (Number.isNaN(z)) {
      z = fleetDeviation(baseline, value, column)
      if (Number.isNaN(z)) continue
    }
    const size = Math.abs(z)
    count++
    if (size > first) {
      third = second
      second = first
      first = size
    } else if (size > second) {
      third = second
      second = size
    } else if (size > third) {
      third = size
    }
  }
  return count === 0 ? Number.NaN : (first + second + third) / Math.min(3, count)
}

/** z against the fleet: for a column of which the row's own group has no history. */
function fleetDeviation(baseline: RobustBaseline, value: number, column: number): number {
  return (value - baseline.fleet.centres[column]!) / baseline.fleet.scales[column]!
}

function scopeOfRow(baseline: RobustBaseline, groups: ScoredGroups, row: number): number {
  // Typed arrays read undefined beyond their end: an unknown group is never ready.
  if (baseline.isDeviceReady[groups.deviceOfRow[row]!] === 1) return 2
  const cohort = groups.cohortOfRow?.[row]
  if (cohort === undefined) return 0
  const deviceCount = baseline.cohortDeviceCounts[cohort]
  return deviceCount !== undefined && deviceCount >= baseline.minCohortDevices ? 1 : 0
}

function statisticsOfScope(baseline: RobustBaseline, scope: number) {
  return scope === 2 ? baseline.devices : scope === 1 ? baseline.cohorts : baseline.fleet
}

function groupOfScope(groups: ScoredGroups, row: number, scope: number): number {
  return scope === 2 ? groups.deviceOfRow[row]! : scope === 1 ? (groups.cohortOfRow?.[row] ?? 0) : 0
}
