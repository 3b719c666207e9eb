import type { DetectorKind } from '../detector-kind.ts'
import {
  readColumnNames,
  readFloats,
  readIndices,
  readInteger,
  readLiteral,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import { RANDOM_ALGORITHM } from '../statistics/random.ts'
import { explainIsolationForest } from './isolation-explain.ts'
import { type IsolationForest, MAX_SAMPLE_SIZE } from './isolation-forest.ts'
import { scoreForestRows } from './isolation-score.ts'

/** The isolation forest as a detector. */
export const isolationForestKind: DetectorKind<IsolationForest> = {
  kind: 'isolation_forest',
  missingValues: 'refused',
  needsGroups: false,
  scoreRows: (forest, values, _, rowStart, rowEnd, out) =>
    scoreForestRows(forest, values, rowStart, rowEnd, out),
  explainRows: (forest, matrix, rowIndices) =>
    explainIsolationForest(forest, matrix, rowIndices).contributions,
  parse: parseIsolationForest,
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
