import {
  assembleRobustBaseline,
  type Calibration,
  copyGroupStatistics,
  countDevices,
  emptyGroupStatistics,
  type FeatureMatrix,
  fitCalibration,
  fitGroupStatistics,
  type GroupStatistics,
  type RobustBaseline,
  type ScaleFloors,
  scoreRobustBaseline,
  UNKNOWN_GROUP,
} from '@isotherm/anomaly'
import type { ModelSpec } from '../contracts/index.ts'
import { type FeatureRows, selectColumns } from './feature-rows.ts'
import { devicesWithHistory, groupIndices } from './row-groups.ts'

/** Specification of a robust baseline. */
export type BaselineSpec = Extract<ModelSpec, { readonly kind: 'robust_baseline' }>

/** Statistics of single devices; group i belongs to `deviceIds[i]`. */
export type DeviceStatistics = {
  readonly deviceIds: readonly string[]
  readonly statistics: GroupStatistics
}

/** Statistics of the devices whose history in these rows is long enough, MOD-15. */
export function deviceStatisticsOf(
  rows: FeatureRows,
  features: readonly string[],
  floors: ScaleFloors,
  spec: BaselineSpec,
): DeviceStatistics {
  const deviceIds = devicesWithHistory(rows, {
    rowCount: spec.minDeviceRows,
    days: spec.minDeviceDays,
  })
  return deviceStatisticsIn(rows, features, floors, deviceIds)
}

/** Statistics of the given devices from these rows. */
export function deviceStatisticsIn(
  rows: FeatureRows,
  features: readonly string[],
  floors: ScaleFloors,
  deviceIds: readonly string[],
): DeviceStatistics {
  if (rows.matrix.rowCount === 0) {
    return { deviceIds, statistics: emptyGroupStatistics(deviceIds.length, features.length) }
  }
  const groups = groupIndices(rows.deviceIds, deviceIds)
  const measured = selectColumns(rows.matrix, features)
  return { deviceIds, statistics: fitGroupStatistics(measured, groups, deviceIds.length, floors) }
}

/** Joins statistics of disjoint, ascending lists of devices. */
export function joinDeviceStatistics(
  parts: readonly DeviceStatistics[],
  columnCount: number,
): DeviceStatistics {
  const deviceIds = parts.flatMap((part) => part.deviceIds)
  const statistics = emptyGroupStatistics(deviceIds.length, columnCount)
  let first = 0
  for (const part of parts) {
    if (part.deviceIds.length === 0) continue
    copyGroupStatistics(statistics, first, part.statistics)
    first += part.deviceIds.length
  }
  return { deviceIds, statistics }
}

/** What a scoped baseline is fitted from. */
export type ScopedBaselineInput = {
  readonly spec: BaselineSpec
  readonly features: readonly string[]
  readonly rows: FeatureRows
  /** Imputed training rows and which of `rows` they are. */
  readonly matrix: FeatureMatrix
  readonly keptRows: Uint32Array
  readonly fleet: GroupStatistics
  readonly cohorts: GroupStatistics
  readonly cohortOfRow: Uint32Array
  readonly devices: DeviceStatistics
}

/** A baseline with one calibration per scope that it uses. */
export type ScopedBaseline = {
  readonly detector: RobustBaseline
  readonly calibrations: { fleet: Calibration; cohort?: Calibration; device?: Calibration }
  /** Raw scores of the training rows as they will be scored, by the most specific scope. */
  readonly rawScores: Float64Array
}

/**
 * Device, cohort and fleet statistics with one calibration per scope (MOD-15): the same |z| means
 * more against a device's own narrow history than against the fleet's.
 */
export function fitScopedBaseline(input: ScopedBaselineInput): ScopedBaseline {
  const { spec, matrix, keptRows, devices } = input
  const deviceOfRow = groupIndices(input.rows.deviceIds, devices.deviceIds)
  const cohortDevices = countRowDevices(input)
  const baseline = assembleRobustBaseline(
    {
      columnNames: input.features,
      fleet: input.fleet,
      cohorts: input.cohorts,
      cohortDeviceCounts: cohortDevices,
      devices: devices.statistics,
    },
    { minDeviceRows: spec.minDeviceRows, minCohortDevices: spec.minCohortDevices },
  )
  const groups = {
    deviceOfRow: Uint32Array.from(keptRows, (row) => deviceOfRow[row]!),
    cohortOfRow: Uint32Array.from(keptRows, (row) => input.cohortOfRow[row]!),
  }
  const isolated = { ...groups, deviceOfRow: new Uint32Array(keptRows.length).fill(UNKNOWN_GROUP) }
  const { cohortOfRow: _cohorts, ...fleetOnly } = isolated
  const calibrateAt = (scope: number, at: typeof groups | typeof fleetOnly) => {
    const { scores, scopes } = scoreRobustBaseline(baseline, matrix, at)
    const inScope = scores.filter((_, row) => scopes[row] === scope)
    return inScope.length === 0 ? undefined : fitCalibration(inScope, spec.contamination)
  }
  const device = calibrateAt(2, groups)
  const cohort = calibrateAt(1, isolated)
  return {
    detector: baseline,
    calibrations: {
      fleet: fitCalibration(
        scoreRobustBaseline(baseline, matrix, fleetOnly).scores,
        spec.contamination,
      ),
      ...(cohort === undefined ? {} : { cohort }),
      ...(device === undefined ? {} : { device }),
    },
    rawScores: scoreRobustBaseline(baseline, matrix, groups).scores,
  }
}

/**
 * The baseline with device statistics of a longer period (MOD-15: refitted on the whole data
 * period after the gates passed). Without a calibration for devices they stay unused.
 */
export function withDeviceStatistics(
  baseline: RobustBaseline,
  devices: DeviceStatistics,
  isCalibrated: boolean,
): RobustBaseline {
  return assembleRobustBaseline(
    {
      columnNames: baseline.columnNames,
      fleet: baseline.fleet,
      cohorts: baseline.cohorts,
      cohortDeviceCounts: baseline.cohortDeviceCounts,
      devices: devices.statistics,
      isDeviceEligible: new Uint8Array(devices.deviceIds.length).fill(isCalibrated ? 1 : 0),
    },
    baseline,
  )
}

/** Devices with training rows per cohort, whether or not they have statistics of their own. */
function countRowDevices({ rows, cohorts, cohortOfRow }: ScopedBaselineInput): Uint32Array {
  const indexOf = new Map<string, number>()
  const deviceOfRow = Uint32Array.from(rows.deviceIds, (id) => {
    const known = indexOf.get(id)
    if (known !== undefined) return known
    indexOf.set(id, indexOf.size)
    return indexOf.size - 1
  })
  return countDevices(deviceOfRow, indexOf.size, cohortOfRow, cohorts.groupCount)
}
