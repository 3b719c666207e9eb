import type { DetectorKind } from '../detector-kind.ts'
import {
  readColumnNames,
  readFloats,
  readIndices,
  readInteger,
  readLiteral,
  readObject,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import type { Whitening } from '../statistics/whitening.ts'
import { parseKdTree, parseScalerOf } from './kd-tree-state.ts'
import type { NearestNeighbourModel } from './nearest-neighbours.ts'
import { explainNearestNeighbours, scoreNeighbourRows } from './nearest-neighbours-score.ts'

/** Distance to the nearest neighbours as a detector. */
export const nearestNeighboursKind: DetectorKind<NearestNeighbourModel> = {
  kind: 'nearest_neighbours',
  missingValues: 'refused',
  needsGroups: false,
  scoreRows: (model, values, _, rowStart, rowEnd, out) =>
    scoreNeighbourRows(model, values, rowStart, rowEnd, out),
  explainRows: explainNearestNeighbours,
  parse: parseNearestNeighbours,
}

function parseNearestNeighbours(state: StateObject): NearestNeighbourModel {
  const columnNames = readColumnNames(state)
  const tree = parseKdTree(state, columnNames.length)
  return {
    kind: 'nearest_neighbours',
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    neighbourCount: readInteger(state, 'neighbourCount', 1, tree.pointCount - 1),
    distance: readLiteral(state, 'distance', ['mean', 'kth']),
    seed: readInteger(state, 'seed', 0),
    trainingRowCount: readInteger(state, 'trainingRowCount', 2),
    scaler: parseScalerOf(state, columnNames),
    whitening: state.whitening === null ? null : parseWhitening(state, columnNames.length),
    tree,
    referenceRows: readIndices(state, 'referenceRows', Uint32Array, tree.pointCount),
  }
}

function parseWhitening(parent: StateObject, columnCount: number): Whitening {
  const state = readObject(parent.whitening, 'whitening')
  return {
    columnCount: readInteger(state, 'columnCount', columnCount, columnCount),
    forward: readFloats(state, 'forward', columnCount * columnCount),
    backward: readFloats(state, 'backward', columnCount * columnCount),
  }
}
