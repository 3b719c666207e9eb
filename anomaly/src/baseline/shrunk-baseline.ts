import { invalidOption, shapeMismatch } from '../errors.ts'
import type { FeatureMatrix } from '../feature-matrix.ts'
import { emptyGroupStatistics, type GroupStatistics, UNKNOWN_GROUP } from './group-statistics.ts'
import { groupDevices, type PooledGroups, poolColumn } from './partial-pooling.ts'
import {
  fitRobustBaseline,
  type RobustBaseline,
  type RobustBaselineOptions,
  type RowGroups,
} from './robust-baseline.ts'

/** Options of shrinkage. */
export type ShrinkageOptions = {
  /**
   * Rows that tell as much as one independent row: neighbouring windows of a device repeat each
   * other. Default 1.
   */
  readonly rowsPerIndependentRow?: number
  /** Rows that the cohort's typical scale counts in a device's scale; default 10. */
  readonly scalePriorRows?: number
}

/** A baseline after shrinkage, and how strongly it was shrunk. */
export type ShrunkBaseline = {
  /** Scored, explained and stored like any robust baseline; every device with a row is ready. */
  readonly baseline: RobustBaseline
  /** Robust standard deviation of true device centres within their cohort, per column. */
  readonly betweenDevices: Float64Array
  /** Robust standard deviation of true cohort centres within the fleet, per column. */
  readonly betweenCohorts: Float64Array
  /** devices × columns: how much of a device's centre is its own, in [0, 1]; 0 without values. */
  readonly deviceWeights: Float64Array
}

/**
 * Fits a robust baseline and shrinks it: see `shrinkBaseline`.
 * @throws as `fitRobustBaseline` and `shrinkBaseline`
 * Cost O(cells) by selection.
 */
export function fitShrunkBaseline(
  matrix: FeatureMatrix,
  groups: RowGroups,
  options: RobustBaselineOptions & ShrinkageOptions = {},
): ShrunkBaseline {
  const cohortOfDevice = new Uint32Array(groups.deviceCount).fill(UNKNOWN_GROUP)
  const baseline = fitRobustBaseline(matrix, groups, options)
  for (let row = 0; row < matrix.rowCount; row++) {
    const device = groups.deviceOfRow[row]!
    const cohort = groups.cohortOfRow?.[row] ?? UNKNOWN_GROUP
    if (device < cohortOfDevice.length) cohortOfDevice[device] = cohort
  }
  return shrinkBaseline(baseline, cohortOfDevice, options)
}

/**
 * Partial pooling of a robust baseline, so that a device with few rows is judged by a blend of its
 * own history and its cohort's, and a cohort of few devices by a blend with the fleet. Per column:
 *
 * - centre of device g in cohort c: θ = w·m + (1 − w)·θ_c with w = τ² / (τ² + v) and
 *   v = (π/2)·s² / n, where m, s and n are its median, scale and (independent) rows, and τ² is the
 *   variance between devices: the squared robust scale of device medians around their cohort's
 *   median device (from the median and the 75 % quantile of their distances; from the 90 % quantile
 *   where these find nothing), less the median v, not below 0;
 * - centre of a cohort: likewise towards the fleet's median, with v = (π/2)·(τ²/devices + s²/n);
 * - scale: s² = (k·s_c² + n·s_g²) / (k + n), s_c the median scale of the cohort's devices and k
 *   `scalePriorRows`;
 * - a row is measured against the predictive scale √(s² + w·v): what is not known about a centre
 *   widens it, so that a new device is not alarmed by its own level.
 *
 * Devices without rows get their cohort's centre and √(s_c² + τ² + …), unknown cohorts the fleet's.
 * @param cohortOfDevice cohort index of each device, UNKNOWN_GROUP for none
 * @throws SHAPE_MISMATCH, INVALID_OPTION
 * Cost O((devices + cohorts) · columns).
 * Source: James & Stein 1961 and Efron & Morris 1975 for the centres (normal-normal empirical
 * Bayes), Smyth 2004 for scales with prior rows; medians and MAD in place of means and variances,
 * so that faulty devices do not widen the fleet.
 */
export function shrinkBaseline(
  baseline: RobustBaseline,
  cohortOfDevice: Uint32Array,
  options: ShrinkageOptions = {},
): ShrunkBaseline {
  const { rowsPerIndependentRow = 1, scalePriorRows = 10 } = options
  if (!(rowsPerIndependentRow >= 1)) {
    throw invalidOption('rowsPerIndependentRow', '≥ 1', rowsPerIndependentRow)
  }
  if (!(scalePriorRows > 0)) throw invalidOption('scalePriorRows', '> 0', scalePriorRows)
  const { devices, cohorts, fleet, columnNames } = baseline
  if (cohortOfDevice.length !== devices.groupCount) {
    throw shapeMismatch('cohortOfDevice.length', devices.groupCount, cohortOfDevice.length)
  }
  const columnCount = columnNames.length
  const pooled: PooledGroups = {
    fleet: emptyLike(fleet, columnCount),
    cohorts: emptyLike(cohorts, columnCount),
    devices: emptyLike(devices, columnCount),
    betweenDevices: new Float64Array(columnCount),
    betweenCohorts: new Float64Array(columnCount),
    deviceWeights: new Float64Array(devices.groupCount * columnCount),
  }
  const members = groupDevices(cohortOfDevice, cohorts.groupCount)
  for (let column = 0; column < columnCount; column++) {
    poolColumn({ baseline, members, rowsPerIndependentRow, scalePriorRows }, column, pooled)
  }
  const { betweenDevices, betweenCohorts, deviceWeights } = pooled
  const shrunk: RobustBaseline = {
    ...baseline,
    minDeviceRows: 1,
    minCohortDevices: 1,
    fleet: pooled.fleet,
    cohorts: pooled.cohorts,
    devices: pooled.devices,
    isDeviceReady: Uint8Array.from(devices.rowCounts, (rows) => Number(rows > 0)),
  }
  return { baseline: shrunk, betweenDevices, betweenCohorts, deviceWeights }
}

function emptyLike({ groupCount, rowCounts }: GroupStatistics, columnCount: number) {
  const statistics = emptyGroupStatistics(groupCount, columnCount)
  statistics.rowCounts.set(rowCounts)
  return statistics
}
