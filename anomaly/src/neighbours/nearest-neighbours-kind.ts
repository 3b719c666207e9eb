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
import { parseColumnScaler } from '../statistics/column-scaler-state.ts'
import type { Whitening } from '../statistics/whitening.ts'
import type { KdTree } from './kd-tree.ts'
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
  const scaler = parseColumnScaler(readObject(state.scaler, 'scaler'))
  if (scaler.columnNames.join('\n') !== columnNames.join('\n')) {
    throw invalidState('scaler.columnNames', 'the columns of the model', scaler.columnNames)
  }
  return {
    kind: 'nearest_neighbours',
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    neighbourCount: readInteger(state, 'neighbourCount', 1, tree.pointCount - 1),
    distance: readLiteral(state, 'distance', ['mean', 'kth']),
    seed: readInteger(state, 'seed', 0),
    trainingRowCount: readInteger(state, 'trainingRowCount', 2),
    scaler,
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

/** Reads the k-d tree of a model file: every length and index is checked. */
export function parseKdTree(parent: StateObject, dimensionCount: number): KdTree {
  const state = readObject(parent.tree, 'tree')
  const pointCount = readInteger(state, 'pointCount', 2)
  // Read, not derived: the leaf size of the release that wrote the file does not matter.
  const levelCount = readInteger(state, 'levelCount', 0, 24)
  const nodeCount = 2 ** (levelCount + 1) - 1
  return {
    dimensionCount: readInteger(state, 'dimensionCount', dimensionCount, dimensionCount),
    pointCount,
    levelCount,
    points: readFloats(state, 'points', pointCount * dimensionCount),
    originalIndices: readIndices(state, 'originalIndices', Uint32Array, pointCount, pointCount),
    boxes: readFloats(state, 'boxes', nodeCount * 2 * dimensionCount),
  }
}
