import type { DetectorKind } from '../detector-kind.ts'
import {
  readColumnNames,
  readFloats,
  readIndices,
  readInteger,
  readLiteral,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import { parseKdTree, parseScalerOf } from './kd-tree-state.ts'
import type { LocalOutlierFactorModel } from './local-outlier-factor.ts'
import { explainLocalOutlierFactor, scoreFactorRows } from './local-outlier-factor-score.ts'

/** The local outlier factor as a detector. */
export const localOutlierFactorKind: DetectorKind<LocalOutlierFactorModel> = {
  kind: 'local_outlier_factor',
  missingValues: 'refused',
  needsGroups: false,
  scoreRows: (model, values, _, rowStart, rowEnd, out) =>
    scoreFactorRows(model, values, rowStart, rowEnd, out),
  explainRows: explainLocalOutlierFactor,
  parse: parseLocalOutlierFactor,
}

function parseLocalOutlierFactor(state: StateObject): LocalOutlierFactorModel {
  const columnNames = readColumnNames(state)
  const tree = parseKdTree(state, columnNames.length)
  return {
    kind: 'local_outlier_factor',
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    neighbourCount: readInteger(state, 'neighbourCount', 1, tree.pointCount - 1),
    seed: readInteger(state, 'seed', 0),
    trainingRowCount: readInteger(state, 'trainingRowCount', 2),
    scaler: parseScalerOf(state, columnNames),
    tree,
    referenceRows: readIndices(state, 'referenceRows', Uint32Array, tree.pointCount),
    neighbourDistances: readFloats(state, 'neighbourDistances', tree.pointCount),
    densities: readFloats(state, 'densities', tree.pointCount),
  }
}
