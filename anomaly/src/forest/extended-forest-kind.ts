import type { DetectorKind } from '../detector-kind.ts'
import {
  invalidState,
  readColumnNames,
  readFloats,
  readIndices,
  readInteger,
  readLiteral,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import { parseScalerOf } from '../neighbours/kd-tree-state.ts'
import { RANDOM_ALGORITHM } from '../statistics/random.ts'
import { explainExtendedForest } from './extended-explain.ts'
import { type ExtendedForest, MAX_EXTENDED_SAMPLE } from './extended-forest.ts'
import { scoreExtendedRows } from './extended-score.ts'

/** The extended isolation forest as a detector. */
export const extendedForestKind: DetectorKind<ExtendedForest> = {
  kind: 'extended_isolation_forest',
  missingValues: 'refused',
  needsGroups: false,
  scoreRows: (forest, values, _, rowStart, rowEnd, out) =>
    scoreExtendedRows(forest, values, rowStart, rowEnd, out),
  explainRows: (forest, matrix, rowIndices) =>
    explainExtendedForest(forest, matrix, rowIndices).contributions,
  parse: parseExtendedForest,
}

function parseExtendedForest(state: StateObject): ExtendedForest {
  const columnNames = readColumnNames(state)
  const columnCount = columnNames.length
  const treeCount = readInteger(state, 'treeCount', 1)
  const sampleSize = readInteger(state, 'sampleSize', 1, MAX_EXTENDED_SAMPLE)
  const expectedHeight = Math.ceil(Math.log2(sampleSize))
  const heightLimit = readInteger(state, 'heightLimit', expectedHeight, expectedHeight)
  const termCount = readInteger(state, 'termCount', 1, columnCount)
  const splits = treeCount * (2 ** heightLimit - 1)
  const nodes = treeCount * (2 ** (heightLimit + 1) - 1)
  const terms = splits * termCount
  const splitColumns = readIndices(state, 'splitColumns', Uint16Array, terms, columnCount)
  const slopes = readFloat32(state, 'slopes', terms)
  requireColumnOrder(splitColumns, slopes, termCount, columnCount)
  return {
    kind: 'extended_isolation_forest',
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    treeCount,
    sampleSize,
    heightLimit,
    termCount,
    seed: readInteger(state, 'seed', 0),
    randomAlgorithm: readLiteral(state, 'randomAlgorithm', [RANDOM_ALGORITHM]),
    trainingRowCount: readInteger(state, 'trainingRowCount', 1),
    scaler: parseScalerOf(state, columnNames),
    splitColumns,
    slopes,
    centres: readFloat32(state, 'centres', terms),
    offsets: readFloats(state, 'offsets', splits),
    nodeRowCounts: readIndices(state, 'nodeRowCounts', Uint32Array, nodes, sampleSize + 1),
    leafPathLengths: readFloats(state, 'leafPathLengths', treeCount * 2 ** heightLimit),
  }
}

function readFloat32(state: StateObject, key: string, length: number): Float32Array {
  const value = state[key]
  if (!(value instanceof Float32Array) || value.length !== length) {
    throw invalidState(key, `a Float32Array of ${length}`, typeof value)
  }
  if (!value.every(Number.isFinite)) throw invalidState(key, 'finite numbers', 'NaN or ±∞')
  return value
}

/** With all columns in every split, scoring takes slopes by column and does not read the index. */
function requireColumnOrder(
  splitColumns: Uint16Array,
  slopes: Float32Array,
  termCount: number,
  columnCount: number,
): void {
  if (termCount !== columnCount) return
  for (let at = 0; at < splitColumns.length; at++) {
    const column = at % columnCount
    if (slopes[at] !== 0 && splitColumns[at] !== column) {
      throw invalidState(`splitColumns[${at}]`, String(column), splitColumns[at])
    }
  }
}
