import type { DetectorKind } from '../detector-kind.ts'
import {
  readColumnNames,
  readFloats,
  readInteger,
  readLiteral,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import { explainRobustZScore, type RobustZScoreModel, scoreZRows } from './robust-z-score.ts'

/** The robust z-score as a detector. */
export const robustZScoreKind: DetectorKind<RobustZScoreModel> = {
  kind: 'robust_z_score',
  missingValues: 'left out',
  needsGroups: false,
  scoreRows: (model, values, _, rowStart, rowEnd, out) =>
    scoreZRows(model, values, rowStart, rowEnd, out),
  explainRows: explainRobustZScore,
  parse: parseRobustZScore,
}

function parseRobustZScore(state: StateObject): RobustZScoreModel {
  const columnNames = readColumnNames(state)
  return {
    kind: 'robust_z_score',
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    largestCount: readInteger(state, 'largestCount', 1),
    trainingRowCount: readInteger(state, 'trainingRowCount', 1),
    centres: readFloats(state, 'centres', columnNames.length, true),
    scales: readFloats(state, 'scales', columnNames.length, true),
  }
}
