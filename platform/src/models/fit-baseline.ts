import {
  assembleRobustBaseline,
  type Calibration,
  copyGroupStatistics,
  emptyGroupStatistics,
  type FeatureMatrix,
  fitCalibration,
  fitGroupStatistics,
  type GroupStatistics,
  type RobustBaseline,
  type ScaleFloors,
  UNKNOWN_GROUP,
} from '@isotherm/anomaly'
import type { ModelSpec } from '../contracts/index.ts'
import type { ScopedCalibrations } from './artifact.ts'
import { type FeatureRows, selectColumns } from './feature-rows.ts'
import {
  cohortGroupCount,
  devicesPerGroup,
  fleetGroups,
  groupsByMode,
  judgingGroups,
  type ModeLayout,
  modesOfRows,
  type PlainGroups,
  scoreByMode,
} from './mode-groups.ts'
import { devicesWithHistory, groupIndices } from './row-groups.ts'

/** Specification of a robust baseline. */
export type BaselineSpec = Extract<ModelSpec, { readonly kind: 'robust_baseline' }>

/** Rows of a mode from which it has a calibration of its own: a thousandth must mean something. */
const minCalibrationRows = 500

/** Statistics of single devices; `deviceIds[i]` has one group per mode, from i × modes on. */
export type DeviceStatistics = {
  readonly deviceIds: readonly string[]
  readonly statistics: GroupStatistics
}

/** What statistics per device are fitted with. */
export type DeviceFit = {
  readonly features: readonly string[]
  readonly floors: ScaleFloors
  readonly normalModes: readonly string[]
}

/** Modes of a specification that have a normal of their own. */
export function normalModesOf(spec: ModelSpec): readonly string[] {
  return spec.kind === 'robust_baseline' ? (spec.ownNormalModes ?? []) : []
}

/** Statistics of the devices whose history in these rows is long enough, MOD-15. */
export function deviceStatisticsOf(
  rows: FeatureRows,
  fit: DeviceFit,
  spec: BaselineSpec,
): DeviceStatistics {
  const deviceIds = devicesWithHistory(rows, {
    rowCount: spec.minDeviceRows,
    days: spec.minDeviceDays,
  })
  return deviceStatisticsIn(rows, fit, deviceIds)
}

/** Statistics of the given devices from these rows. */
export function deviceStatisticsIn(
  rows: FeatureRows,
  { features, floors, normalModes }: DeviceFit,
  deviceIds: readonly string[],
): DeviceStatistics {
  const modeCount = normalModes.length + 1
  const groupCount = deviceIds.length * modeCount
  if (rows.matrix.rowCount === 0) {
    return { deviceIds, statistics: emptyGroupStatistics(groupCount, features.length) }
  }
  const modes = modesOfRows(rows.operatingModes, normalModes)
  const groups = groupsByMode(groupIndices(rows.deviceIds, deviceIds), modes, modeCount)
  const measured = selectColumns(rows.matrix, features)
  return { deviceIds, statistics: fitGroupStatistics(measured, groups, groupCount, floors) }
}

/** Joins statistics of disjoint, ascending lists of devices. */
export function joinDeviceStatistics(
  parts: readonly DeviceStatistics[],
  columnCount: number,
): DeviceStatistics {
  const deviceIds = parts.flatMap((part) => part.deviceIds)
  const groupCount = parts.reduce((sum, { statistics }) => sum + statistics.groupCount, 0)
  const statistics = emptyGroupStatistics(groupCount, columnCount)
  let first = 0
  for (const part of parts) {
    if (part.statistics.groupCount === 0) continue
    copyGroupStatistics(statistics, first, part.statistics)
    first += part.statistics.groupCount
  }
  return { deviceIds, statistics }
}

/** What a scoped baseline is fitted from. */
export type ScopedBaselineInput = {
  readonly spec: BaselineSpec
  readonly features: readonly string[]
  readonly floors: ScaleFloors
  readonly rows: FeatureRows
  /** Imputed training rows and which of `rows` they are. */
  readonly matrix: FeatureMatrix
  readonly keptRows: Uint32Array
  readonly fleet: GroupStatistics
  readonly cohorts: GroupStatistics
  readonly cohortOfRow: Uint32Array
  readonly devices: DeviceStatistics
}

/** A baseline with one calibration per scope that it uses, and per mode with its own normal. */
export type ScopedBaseline = {
  readonly detector: RobustBaseline
  readonly calibrations: ScopedCalibrations & { readonly fleet: Calibration }
  readonly modeCalibrations: readonly ScopedCalibrations[]
  /** Raw scores of the training rows as they will be scored, by the most specific scope. */
  readonly rawScores: Float64Array
}

/**
 * Device, cohort and fleet statistics with one calibration per scope (MOD-15): the same |z| means
 * more against a device's own narrow history than against the fleet's. Modes with a normal of
 * their own have calibrations of their own too: their tails differ.
 */
export function fitScopedBaseline(input: ScopedBaselineInput): ScopedBaseline {
  const { spec, matrix, keptRows, devices } = input
  const normalModes = normalModesOf(spec)
  const layout = { modeCount: normalModes.length + 1, cohortCount: input.cohorts.groupCount }
  const modeOfAll = modesOfRows(input.rows.operatingModes, normalModes)
  const { statistics, deviceCounts } = cohortStatistics(input, layout, modeOfAll)
  const baseline = assembleRobustBaseline(
    {
      columnNames: input.features,
      fleet: input.fleet,
      cohorts: statistics,
      cohortDeviceCounts: deviceCounts,
      devices: devices.statistics,
    },
    { minDeviceRows: spec.minDeviceRows, minCohortDevices: spec.minCohortDevices },
  )
  const deviceOfAll = groupIndices(input.rows.deviceIds, devices.deviceIds)
  const plain: PlainGroups = {
    deviceOfRow: Uint32Array.from(keptRows, (row) => deviceOfAll[row]!),
    cohortOfRow: Uint32Array.from(keptRows, (row) => input.cohortOfRow[row]!),
    modeOfRow: Uint8Array.from(keptRows, (row) => modeOfAll[row]!),
  }
  const unknown = new Uint32Array(keptRows.length).fill(UNKNOWN_GROUP)
  const scoresOf = (groups: PlainGroups) =>
    scoreByMode(baseline, matrix, judgingGroups(baseline, groups, layout), layout)
  const best = scoresOf(plain)
  const calibrated = calibrateScopes(spec.contamination, plain.modeOfRow, layout.modeCount, [
    scoresOf({ ...plain, deviceOfRow: unknown, cohortOfRow: unknown }),
    scoresOf({ ...plain, deviceOfRow: unknown }),
    best,
  ])
  return { detector: baseline, ...calibrated, rawScores: best.scores }
}

type ScopeScores = { readonly scores: Float64Array; readonly scopes: Uint8Array }

/** Calibrations per scope, from scores in the order of the scopes, of all and of each own mode. */
function calibrateScopes(
  contamination: number,
  modeOfRow: Uint8Array,
  modeCount: number,
  byScope: readonly [ScopeScores, ScopeScores, ScopeScores],
): Pick<ScopedBaseline, 'calibrations' | 'modeCalibrations'> {
  const inScope = (scope: 0 | 1 | 2, isWanted: (row: number) => boolean) =>
    byScope[scope].scores.filter((_, row) => byScope[scope].scopes[row] === scope && isWanted(row))
  const calibrationsOf = (isWanted: (row: number) => boolean, minRows: number) => {
    const fit = (scope: 0 | 1 | 2) => {
      const scores = inScope(scope, isWanted)
      return scores.length < minRows ? undefined : fitCalibration(scores, contamination)
    }
    const [fleet, cohort, device] = [fit(0), fit(1), fit(2)]
    return {
      ...(fleet === undefined ? {} : { fleet }),
      ...(cohort === undefined ? {} : { cohort }),
      ...(device === undefined ? {} : { device }),
    }
  }
  const ofMode = (mode: number) => (row: number) => modeOfRow[row] === mode
  const sharedCount = modeOfRow.reduce((count, mode) => count + (mode === 0 ? 1 : 0), 0)
  // Windows of a day are all of one mode if it comes every day: then all rows calibrate.
  const isShared = sharedCount >= minCalibrationRows ? ofMode(0) : () => true
  const shared = calibrationsOf(modeCount === 1 ? () => true : isShared, 1)
  return {
    calibrations: {
      ...shared,
      fleet: shared.fleet ?? fitCalibration(byScope[0].scores, contamination),
    },
    modeCalibrations: Array.from({ length: modeCount - 1 }, (_, index) =>
      calibrationsOf(ofMode(index + 1), minCalibrationRows),
    ),
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
      isDeviceEligible: new Uint8Array(devices.statistics.groupCount).fill(isCalibrated ? 1 : 0),
    },
    baseline,
  )
}

/** Statistics per cohort and mode, the fleet's per mode after them, and the devices behind each. */
function cohortStatistics(
  { rows, features, floors, cohorts, cohortOfRow }: ScopedBaselineInput,
  layout: ModeLayout,
  modeOfRow: Uint8Array,
): { readonly statistics: GroupStatistics; readonly deviceCounts: Uint32Array } {
  const { modeCount, cohortCount } = layout
  if (modeCount === 1) {
    const deviceCounts = devicesPerGroup(rows.deviceIds, cohortOfRow, cohortCount)
    return { statistics: cohorts, deviceCounts }
  }
  const groupCount = cohortGroupCount(layout)
  const measured = selectColumns(rows.matrix, features)
  const byCohort = groupsByMode(cohortOfRow, modeOfRow, modeCount)
  const ofFleet = fleetGroups(modeOfRow, layout)
  const statistics = emptyGroupStatistics(groupCount, features.length)
  const ofCohorts = fitGroupStatistics(measured, byCohort, cohortCount * modeCount, floors)
  copyGroupStatistics(statistics, 0, ofCohorts)
  copyGroupStatistics(
    statistics,
    cohortCount * modeCount,
    fitGroupStatistics(measured, Uint32Array.from(modeOfRow), modeCount, floors),
  )
  const inCohorts = devicesPerGroup(rows.deviceIds, byCohort, groupCount)
  const inFleet = devicesPerGroup(rows.deviceIds, ofFleet, groupCount)
  return { statistics, deviceCounts: inCohorts.map((count, group) => count + inFleet[group]!) }
}
