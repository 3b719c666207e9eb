import { invalidOption, shapeMismatch } from '../errors.ts'
import { type FeatureMatrix, requireRows } from '../feature-matrix.ts'
import {
  fitGroupStatistics,
  type GroupStatistics,
  type ScaleFloors,
  UNKNOWN_GROUP,
} from './group-statistics.ts'

/** Device and cohort of each row, as indices the caller assigns; UNKNOWN_GROUP where unknown. */
export type RowGroups = {
  readonly deviceOfRow: Uint32Array
  readonly deviceCount: number
  /** Absent: no cohorts, devices fall back to the fleet. */
  readonly cohortOfRow?: Uint32Array
  readonly cohortCount?: number
}

/** Options of a robust baseline. */
export type RobustBaselineOptions = {
  /** Smallest scale per column, in its unit; default 1e-9 where absent. */
  readonly floors?: ScaleFloors
  /** A device is judged by its own statistics from this number of rows on; default 30. */
  readonly minDeviceRows?: number
  /** A cohort is used from this number of devices on; default 30. */
  readonly minCohortDevices?: number
}

/** Which statistics judged a row; the values of `BaselineScores.scopes`. */
export const BASELINE_SCOPES = ['fleet', 'cohort', 'device'] as const

/** Learned state of a robust baseline: plain data. */
export type RobustBaseline = {
  readonly kind: 'robust_baseline'
  readonly stateVersion: 1
  readonly columnNames: readonly string[]
  readonly minDeviceRows: number
  readonly minCohortDevices: number
  /** One group. */
  readonly fleet: GroupStatistics
  readonly cohorts: GroupStatistics
  /** Devices with training rows, per cohort. */
  readonly cohortDeviceCounts: Uint32Array
  readonly devices: GroupStatistics
  /** 1 where a device is judged by its own statistics. */
  readonly isDeviceReady: Uint8Array
}

/**
 * Learns what is normal per column for the fleet, each cohort and each device: median and robust
 * scale (1.4826·MAD, else IQR/1.349, else standard deviation, never below the floor).
 * @param matrix rowCount × columns, unscaled; NaN cells are left out
 * @throws TOO_FEW_ROWS without rows, SHAPE_MISMATCH, NOT_FINITE for ±∞, INVALID_OPTION
 * Cost O(cells) by selection. For histories that do not fit in memory, fit devices in chunks
 * (`fitGroupStatistics`) and assemble with `assembleRobustBaseline`.
 */
export function fitRobustBaseline(
  matrix: FeatureMatrix,
  groups: RowGroups,
  options: RobustBaselineOptions = {},
): RobustBaseline {
  requireRows('robust baseline', matrix)
  const { floors = {} } = options
  const { deviceOfRow, deviceCount, cohortCount = 0 } = groups
  const cohortOfRow = groups.cohortOfRow ?? new Uint32Array(matrix.rowCount).fill(UNKNOWN_GROUP)
  return assembleRobustBaseline(
    {
      columnNames: matrix.columnNames,
      fleet: fitGroupStatistics(matrix, new Uint32Array(matrix.rowCount), 1, floors),
      cohorts: fitGroupStatistics(matrix, cohortOfRow, cohortCount, floors),
      cohortDeviceCounts: countDevices(deviceOfRow, deviceCount, cohortOfRow, cohortCount),
      devices: fitGroupStatistics(matrix, deviceOfRow, deviceCount, floors),
    },
    options,
  )
}

/** Parts of a baseline that may have been fitted apart, on different rows. */
export type BaselineParts = {
  readonly columnNames: readonly string[]
  readonly fleet: GroupStatistics
  readonly cohorts: GroupStatistics
  readonly cohortDeviceCounts: Uint32Array
  readonly devices: GroupStatistics
  /** 0 bars a device from its own statistics, e.g. under 30 days of history; default all 1. */
  readonly isDeviceEligible?: Uint8Array
}

/**
 * Joins statistics fitted apart: fleet and cohorts on a sample, devices on their whole history.
 * @throws SHAPE_MISMATCH if the parts differ in columns or groups, INVALID_OPTION
 */
export function assembleRobustBaseline(
  parts: BaselineParts,
  options: Omit<RobustBaselineOptions, 'floors'> = {},
): RobustBaseline {
  const { minDeviceRows = 30, minCohortDevices = 30 } = options
  if (!(minDeviceRows >= 1)) throw invalidOption('minDeviceRows', '≥ 1', minDeviceRows)
  if (!(minCohortDevices >= 1)) throw invalidOption('minCohortDevices', '≥ 1', minCohortDevices)
  const { columnNames, fleet, cohorts, cohortDeviceCounts, devices, isDeviceEligible } = parts
  requireLength('fleet.groupCount', 1, fleet.groupCount)
  for (const statistics of [fleet, cohorts, devices]) {
    requireLength(
      'centres.length',
      statistics.groupCount * columnNames.length,
      statistics.centres.length,
    )
  }
  requireLength('cohortDeviceCounts.length', cohorts.groupCount, cohortDeviceCounts.length)
  if (isDeviceEligible !== undefined) {
    requireLength('isDeviceEligible.length', devices.groupCount, isDeviceEligible.length)
  }
  const isDeviceReady = new Uint8Array(devices.groupCount)
  for (let device = 0; device < devices.groupCount; device++) {
    const isLongEnough = devices.rowCounts[device]! >= minDeviceRows
    isDeviceReady[device] = isLongEnough && isDeviceEligible?.[device] !== 0 ? 1 : 0
  }
  return {
    kind: 'robust_baseline',
    stateVersion: 1,
    columnNames: [...columnNames],
    minDeviceRows,
    minCohortDevices,
    fleet,
    cohorts,
    cohortDeviceCounts,
    devices,
    isDeviceReady,
  }
}

/**
 * Distinct devices with rows in each cohort; a device counts in the cohort of its last row.
 * Cost O(rows + devices).
 */
export function countDevices(
  deviceOfRow: Uint32Array,
  deviceCount: number,
  cohortOfRow: Uint32Array,
  cohortCount: number,
): Uint32Array {
  requireLength('cohortOfRow.length', deviceOfRow.length, cohortOfRow.length)
  const cohortOfDevice = new Uint32Array(deviceCount).fill(UNKNOWN_GROUP)
  for (let row = 0; row < deviceOfRow.length; row++) {
    const device = deviceOfRow[row]!
    if (device < deviceCount) cohortOfDevice[device] = cohortOfRow[row]!
  }
  const counts = new Uint32Array(cohortCount)
  for (const cohort of cohortOfDevice) {
    if (cohort < cohortCount) counts[cohort] = counts[cohort]! + 1
  }
  return counts
}

function requireLength(what: string, expected: number, found: number): void {
  if (expected !== found) throw shapeMismatch(what, expected, found)
}
