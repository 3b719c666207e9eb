import type { DetectorKind } from '../detector-kind.ts'
import {
  invalidState,
  readColumnNames,
  readFloats,
  readIndices,
  readInteger,
  readLiteral,
  readNumber,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import { type HbosModel, MAX_BINS } from './hbos.ts'
import { explainHbos, scoreHbosRows } from './hbos-score.ts'

/** The histogram-based outlier score as a detector. */
export const hbosKind: DetectorKind<HbosModel> = {
  kind: 'hbos',
  missingValues: 'left out',
  needsGroups: false,
  scoreRows: (model, values, _, rowStart, rowEnd, out) =>
    scoreHbosRows(model, values, rowStart, rowEnd, out),
  explainRows: explainHbos,
  parse: parseHbos,
}

function parseHbos(state: StateObject): HbosModel {
  const columnNames = readColumnNames(state)
  const columnCount = columnNames.length
  const binCounts = readIndices(state, 'binCounts', Uint32Array, columnCount, MAX_BINS + 1)
  const binCount = binCounts.reduce((sum, count) => sum + count, 0)
  const edges = readFloats(state, 'edges', binCount + columnCount)
  requireAscending(binCounts, edges)
  return {
    kind: 'hbos',
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    tolerance: readNumber(state, 'tolerance'),
    trainingRowCount: readInteger(state, 'trainingRowCount', 1),
    binCounts,
    edges,
    binScores: readFloats(state, 'binScores', binCount),
    outsideScores: readFloats(state, 'outsideScores', columnCount),
  }
}

/** A search between borders that do not ascend could leave them. */
function requireAscending(binCounts: Uint32Array, edges: Float64Array): void {
  let first = 0
  for (const binCount of binCounts) {
    for (let bin = 0; bin < binCount; bin++) {
      const lower = edges[first + bin]!
      const upper = edges[first + bin + 1]!
      if (!(lower <= upper && Number.isFinite(upper - lower))) {
        throw invalidState(`edges[${first + bin + 1}]`, `finite and ≥ ${lower}`, upper)
      }
    }
    first += binCount + 1
  }
}
