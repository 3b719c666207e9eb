import type { DetectorKind } from '../detector-kind.ts'
import {
  readColumnNames,
  readFloats,
  readIndices,
  readInteger,
  readLiteral,
  readNumber,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import { parseScalerOf } from '../neighbours/kd-tree-state.ts'
import type { KMeansModel } from './k-means.ts'
import { explainKMeans, scoreKMeansRows } from './k-means-score.ts'

/** Distance to the nearest k-means centre as a detector. */
export const kMeansKind: DetectorKind<KMeansModel> = {
  kind: 'k_means',
  missingValues: 'refused',
  needsGroups: false,
  scoreRows: (model, values, _, rowStart, rowEnd, out) =>
    scoreKMeansRows(model, values, rowStart, rowEnd, out),
  explainRows: explainKMeans,
  parse: parseKMeans,
}

function parseKMeans(state: StateObject): KMeansModel {
  const columnNames = readColumnNames(state)
  const clusterCount = readInteger(state, 'clusterCount', 1)
  return {
    kind: 'k_means',
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    clusterCount,
    seed: readInteger(state, 'seed', 0),
    trainingRowCount: readInteger(state, 'trainingRowCount', 1),
    scaler: parseScalerOf(state, columnNames),
    centres: readFloats(state, 'centres', clusterCount * columnNames.length),
    clusterSizes: readIndices(state, 'clusterSizes', Uint32Array, clusterCount),
    inertia: readNumber(state, 'inertia'),
    iterationCount: readInteger(state, 'iterationCount', 1),
  }
}
