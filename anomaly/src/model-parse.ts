import type { Calibration } from './calibration.ts'
import type { ColumnScaler } from './column-scaler.ts'
import type { Detector } from './detector.ts'
import type { GroupStatistics } from './group-statistics.ts'
import { type IsolationForest, MAX_SAMPLE_SIZE } from './isolation-forest.ts'
import type { KdTree } from './kd-tree.ts'
import type { ModelState } from './model-file.ts'
import {
  invalidState,
  readColumnNames,
  readFloats,
  readIndices,
  readInteger,
  readLiteral,
  readNumber,
  readObject,
  type StateObject,
} from './model-state-reader.ts'
import type { NearestNeighbourModel } from './nearest-neighbours.ts'
import { RANDOM_ALGORITHM } from './random.ts'
import type { RobustBaseline } from './robust-baseline.ts'
import type { Whitening } from './whitening.ts'

/**
 * Turns decoded data into a detector after checking every field, length and index, so that a
 * wrong file cannot make a hot loop read past its arrays.
 * @throws MODEL_FILE_INVALID naming the field
 * Cost O(size of the model).
 */
export function parseDetector(value: ModelState): Detector {
  const state = readObject(value, 'detector')
  const kind = readLiteral(state, 'kind', [
    'isolation_forest',
    'robust_baseline',
    'nearest_neighbours',
  ])
  switch (kind) {
    case 'isolation_forest':
      return parseIsolationForest(state)
    case 'robust_baseline':
      return parseRobustBaseline(state)
    case 'nearest_neighbours':
      return parseNearestNeighbours(state)
  }
}

/**
 * Turns decoded data into a calibration.
 * @throws MODEL_FILE_INVALID naming the field
 */
export function parseCalibration(value: ModelState): Calibration {
  const state = readObject(value, 'calibration')
  const anchors = readFloats(state, 'anchors', 4)
  for (let i = 1; i < 4; i++) {
    if (!(anchors[i]! > anchors[i - 1]!)) {
      throw invalidState('anchors', 'strictly increasing', anchors.join(', '))
    }
  }
  return {
    kind: readLiteral(state, 'kind', ['calibration']),
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    contamination: readNumber(state, 'contamination'),
    rowCount: readInteger(state, 'rowCount', 1),
    anchors,
    quantiles: readFloats(state, 'quantiles', 1001),
    quantile9995: readNumber(state, 'quantile9995'),
    maximum: readNumber(state, 'maximum'),
  }
}

function parseIsolationForest(state: StateObject): IsolationForest {
  const columnNames = readColumnNames(state)
  const treeCount = readInteger(state, 'treeCount', 1)
  const sampleSize = readInteger(state, 'sampleSize', 1, MAX_SAMPLE_SIZE)
  const expectedHeight = Math.ceil(Math.log2(sampleSize))
  const heightLimit = readInteger(state, 'heightLimit', expectedHeight, expectedHeight)
  const splitCount = 2 ** heightLimit - 1
  const nodes = treeCount * (2 * splitCount + 1)
  const splits = treeCount * splitCount
  return {
    kind: 'isolation_forest',
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    treeCount,
    sampleSize,
    heightLimit,
    seed: readInteger(state, 'seed', 0),
    randomAlgorithm: readLiteral(state, 'randomAlgorithm', [RANDOM_ALGORITHM]),
    trainingRowCount: readInteger(state, 'trainingRowCount', 1),
    splitColumns: readIndices(state, 'splitColumns', Uint16Array, splits, columnNames.length),
    splitThresholds: readFloats(state, 'splitThresholds', splits),
    nodeRowCounts: readIndices(state, 'nodeRowCounts', Uint32Array, nodes, sampleSize + 1),
    leafPathLengths: readFloats(state, 'leafPathLengths', treeCount * (splitCount + 1)),
  }
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

/** Turns decoded data into a column scaler. */
export function parseColumnScaler(state: StateObject): ColumnScaler {
  const columnNames = readColumnNames(state)
  return {
    kind: readLiteral(state, 'kind', ['column_scaler']),
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    centres: readFloats(state, 'centres', columnNames.length),
    scales: readFloats(state, 'scales', columnNames.length),
    clip: readNumber(state, 'clip'),
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

function parseKdTree(parent: StateObject, dimensionCount: number): KdTree {
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
