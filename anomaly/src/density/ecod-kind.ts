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
import type { EcodModel } from './ecod.ts'
import { explainEcod, scoreEcodRows } from './ecod-score.ts'

/** ECOD as a detector. */
export const ecodKind: DetectorKind<EcodModel> = {
  kind: 'ecod',
  missingValues: 'left out',
  needsGroups: false,
  scoreRows: (model, values, _, rowStart, rowEnd, out) =>
    scoreEcodRows(model, values, rowStart, rowEnd, out),
  explainRows: explainEcod,
  parse: parseEcod,
}

function parseEcod(state: StateObject): EcodModel {
  const columnNames = readColumnNames(state)
  const distinctCounts = readIndices(state, 'distinctCounts', Uint32Array, columnNames.length)
  const length = distinctCounts.reduce((sum, count) => sum + count, 0)
  const model: EcodModel = {
    kind: 'ecod',
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    seed: readInteger(state, 'seed', 0),
    trainingRowCount: readInteger(state, 'trainingRowCount', 1),
    distinctCounts,
    distinctValues: readFloats(state, 'distinctValues', length),
    countsUpTo: readIndices(state, 'countsUpTo', Uint32Array, length),
    skewSigns: readFloats(state, 'skewSigns', columnNames.length),
  }
  requireRising(model)
  return model
}

function requireRising({ distinctCounts, distinctValues, countsUpTo }: EcodModel): void {
  let start = 0
  for (const count of distinctCounts) {
    for (let i = start + 1; i < start + count; i++) {
      if (!(distinctValues[i]! > distinctValues[i - 1]! && countsUpTo[i]! > countsUpTo[i - 1]!)) {
        throw invalidState(`distinctValues[${i}]`, 'rising with its count', distinctValues[i])
      }
    }
    start += count
  }
}
