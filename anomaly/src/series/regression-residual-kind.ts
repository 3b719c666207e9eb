import type { DetectorKind } from '../detector-kind.ts'
import {
  invalidState,
  readColumnNames,
  readFloats,
  readInteger,
  readLiteral,
  readNumber,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import {
  explainRegressionResidual,
  type RegressionResidual,
  scoreResidualRows,
} from './regression-residual.ts'

/** The regression residual as a detector. */
export const regressionResidualKind: DetectorKind<RegressionResidual> = {
  kind: 'regression_residual',
  missingValues: 'refused',
  needsGroups: false,
  scoreRows: (model, values, _, rowStart, rowEnd, out) =>
    scoreResidualRows(model, values, rowStart, rowEnd, out),
  explainRows: explainRegressionResidual,
  parse: parseRegressionResidual,
}

/** Reads the state of a regression residual after checking every field. */
export function parseRegressionResidual(state: StateObject): RegressionResidual {
  const columnNames = readColumnNames(state)
  const residualScale = readNumber(state, 'residualScale')
  if (!(residualScale > 0)) throw invalidState('residualScale', '> 0', residualScale)
  return {
    kind: readLiteral(state, 'kind', ['regression_residual']),
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    target: readInteger(state, 'target', 0, columnNames.length - 1),
    intercept: readNumber(state, 'intercept'),
    coefficients: readFloats(state, 'coefficients', columnNames.length),
    means: readFloats(state, 'means', columnNames.length),
    residualCentre: readNumber(state, 'residualCentre'),
    residualScale,
  }
}
