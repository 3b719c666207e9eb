import type { DetectorKind } from '../detector-kind.ts'
import {
  invalidState,
  readColumnNames,
  readFloats,
  readIndices,
  readInteger,
  readLiteral,
  readObject,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import { requireGroups } from '../row-groups.ts'
import type { GroupStatistics } from './group-statistics.ts'
import type { RobustBaseline } from './robust-baseline.ts'
import { explainRobustBaseline, scoreBaselineRows } from './robust-baseline-score.ts'

/** The per-device robust baseline as a detector. */
export const robustBaselineKind: DetectorKind<RobustBaseline> = {
  kind: 'robust_baseline',
  missingValues: 'left out',
  needsGroups: true,
  scoreRows(baseline, values, groups, rowStart, rowEnd, out) {
    const scopes = new Uint8Array(out.length)
    scoreBaselineRows(baseline, values, requireGroups(groups), rowStart, rowEnd, out, scopes)
  },
  explainRows: (baseline, matrix, rowIndices, groups) =>
    explainRobustBaseline(baseline, matrix, requireGroups(groups), rowIndices),
  parse: parseRobustBaseline,
}

function parseRobustBaseline(state: StateObject): RobustBaseline {
  const columnNames = readColumnNames(state)
  const fleet = parseGroupStatistics(state, 'fleet', columnNames.length)
  const cohorts = parseGroupStatistics(state, 'cohorts', columnNames.length)
  const devices = parseGroupStatistics(state, 'devices', columnNames.length)
  if (fleet.groupCount !== 1) throw invalidState('fleet', 'one group', fleet.groupCount)
  return {
    kind: 'robust_baseline',
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    minDeviceRows: readInteger(state, 'minDeviceRows', 1),
    minCohortDevices: readInteger(state, 'minCohortDevices', 1),
    fleet,
    cohorts,
    cohortDeviceCounts: readIndices(state, 'cohortDeviceCounts', Uint32Array, cohorts.groupCount),
    devices,
    isDeviceReady: readIndices(state, 'isDeviceReady', Uint8Array, devices.groupCount, 2),
  }
}

function parseGroupStatistics(
  parent: StateObject,
  key: string,
  columnCount: number,
): GroupStatistics {
  const state = readObject(parent[key], key)
  const groupCount = readInteger(state, 'groupCount', 0)
  return {
    groupCount,
    centres: readFloats(state, 'centres', groupCount * columnCount, true),
    scales: readFloats(state, 'scales', groupCount * columnCount, true),
    rowCounts: readIndices(state, 'rowCounts', Uint32Array, groupCount),
  }
}
