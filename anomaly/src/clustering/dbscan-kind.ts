import type { DetectorKind } from '../detector-kind.ts'
import {
  invalidState,
  readColumnNames,
  readIndices,
  readInteger,
  readLiteral,
  readNumber,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import { parseKdTree, parseScalerOf } from '../neighbours/kd-tree-state.ts'
import type { DbscanModel } from './dbscan.ts'
import { explainDbscan, scoreDbscanRows } from './dbscan-score.ts'

/** Distance to the core rows of DBSCAN as a detector. */
export const dbscanKind: DetectorKind<DbscanModel> = {
  kind: 'dbscan',
  missingValues: 'refused',
  needsGroups: false,
  scoreRows: (model, values, _, rowStart, rowEnd, out) =>
    scoreDbscanRows(model, values, rowStart, rowEnd, out),
  explainRows: explainDbscan,
  parse: parseDbscan,
}

function parseDbscan(state: StateObject): DbscanModel {
  const columnNames = readColumnNames(state)
  const tree = parseKdTree(state, columnNames.length, 1)
  const clusterCount = readInteger(state, 'clusterCount', 1, tree.pointCount)
  const radius = readNumber(state, 'radius')
  if (!(radius > 0)) throw invalidState('radius', 'a number > 0', radius)
  return {
    kind: 'dbscan',
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    radius,
    minSamples: readInteger(state, 'minSamples', 2),
    clusterCount,
    seed: readInteger(state, 'seed', 0),
    trainingRowCount: readInteger(state, 'trainingRowCount', 2),
    scaler: parseScalerOf(state, columnNames),
    tree,
    coreRows: readIndices(state, 'coreRows', Uint32Array, tree.pointCount),
    clusterOfCore: readIndices(state, 'clusterOfCore', Uint32Array, tree.pointCount, clusterCount),
  }
}
