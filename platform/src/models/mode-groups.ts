import {
  type FeatureMatrix,
  type RobustBaseline,
  type ScoredGroups,
  scoreRobustBaseline,
  UNKNOWN_GROUP,
} from '@isotherm/anomaly'

/** Rows of one kind, as indices: of each row its device, its cohort and its mode. */
export type PlainGroups = {
  readonly deviceOfRow: Uint32Array
  readonly cohortOfRow: Uint32Array
  /** 0 for rows that share one normal, else 1 + the index of the mode with a normal of its own. */
  readonly modeOfRow: Uint8Array
}

/**
 * How the statistics of a baseline are laid out: group `device * modeCount + mode` among the
 * devices, likewise among the cohorts. With own modes the fleet's groups per mode follow after
 * those of the cohorts, because the fleet of a baseline is a single group.
 */
export type ModeLayout = { readonly modeCount: number; readonly cohortCount: number }

/** Layout of an artifact's baseline. */
export function modeLayout(
  cohortIds: readonly string[],
  normalModes: readonly string[],
): ModeLayout {
  return { modeCount: normalModes.length + 1, cohortCount: cohortIds.length }
}

/** Cohort groups of a layout, those of the fleet per mode included. */
export function cohortGroupCount({ modeCount, cohortCount }: ModeLayout): number {
  return modeCount === 1 ? cohortCount : (cohortCount + 1) * modeCount
}

/** Which normal each row is compared with. */
export function modesOfRows(
  operatingModes: readonly (string | null)[],
  normalModes: readonly string[],
): Uint8Array {
  return Uint8Array.from(operatingModes, (mode) =>
    mode === null ? 0 : normalModes.indexOf(mode) + 1,
  )
}

/** Groups per mode: of each row its group and mode in one index. */
export function groupsByMode(
  groupOfRow: Uint32Array,
  modeOfRow: Uint8Array,
  modeCount: number,
): Uint32Array {
  if (modeCount === 1) return groupOfRow
  return groupOfRow.map((group, row) =>
    group === UNKNOWN_GROUP ? group : group * modeCount + modeOfRow[row]!,
  )
}

/** The fleet's group of each row's mode; only with own modes. */
export function fleetGroups(modeOfRow: Uint8Array, { modeCount, cohortCount }: ModeLayout) {
  return Uint32Array.from(modeOfRow, (mode) => cohortCount * modeCount + mode)
}

/**
 * Groups by which a baseline judges rows: the device in its mode, else the cohort in the mode if
 * enough of its devices were seen in it, else the fleet in the mode.
 */
export function judgingGroups(
  baseline: RobustBaseline,
  plain: PlainGroups,
  layout: ModeLayout,
): { readonly deviceOfRow: Uint32Array; readonly cohortOfRow: Uint32Array } {
  const { modeCount } = layout
  const deviceOfRow = groupsByMode(plain.deviceOfRow, plain.modeOfRow, modeCount)
  const cohortOfRow = groupsByMode(plain.cohortOfRow, plain.modeOfRow, modeCount)
  if (modeCount === 1) return { deviceOfRow, cohortOfRow }
  const fleet = fleetGroups(plain.modeOfRow, layout)
  return {
    deviceOfRow,
    cohortOfRow: cohortOfRow.map((group, row) =>
      isCohortReady(baseline, group) ? group : fleet[row]!,
    ),
  }
}

/** True if enough devices of a cohort group were seen for its statistics to judge. */
export function isCohortReady(baseline: RobustBaseline, group: number): boolean {
  return (baseline.cohortDeviceCounts[group] ?? 0) >= baseline.minCohortDevices
}

/** Scores rows; the fleet's groups per mode report the scope of the fleet, 0. */
export function scoreByMode(
  baseline: RobustBaseline,
  matrix: FeatureMatrix,
  groups: ScoredGroups,
  { modeCount, cohortCount }: ModeLayout,
): { readonly scores: Float64Array; readonly scopes: Uint8Array } {
  const { scores, scopes } = scoreRobustBaseline(baseline, matrix, groups)
  if (modeCount > 1) {
    const firstFleetGroup = cohortCount * modeCount
    for (let row = 0; row < scopes.length; row++) {
      const group = groups.cohortOfRow?.[row] ?? UNKNOWN_GROUP
      if (scopes[row] === 1 && group >= firstFleetGroup) scopes[row] = 0
    }
  }
  return { scores, scopes }
}

/** Distinct devices with rows in each group. */
export function devicesPerGroup(
  deviceIds: readonly string[],
  groupOfRow: Uint32Array,
  groupCount: number,
): Uint32Array {
  const seen = Array.from({ length: groupCount }, () => new Set<string>())
  for (let row = 0; row < deviceIds.length; row++) seen[groupOfRow[row]!]?.add(deviceIds[row]!)
  return Uint32Array.from(seen, ({ size }) => size)
}
