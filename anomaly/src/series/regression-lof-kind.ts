import type { DetectorKind } from '../detector-kind.ts'
import {
  invalidState,
  readColumnNames,
  readLiteral,
  readObject,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import { parseScalerOf } from '../neighbours/kd-tree-state.ts'
import { localOutlierFactorKind } from '../neighbours/local-outlier-factor-kind.ts'
import {
  explainRegressionLof,
  type RegressionLof,
  scoreRegressionLofRows,
} from './regression-lof.ts'
import { parseRegressionResidual } from './regression-residual-kind.ts'

/** The local outlier factor on a regression residual as a detector. */
export const regressionLofKind: DetectorKind<RegressionLof> = {
  kind: 'regression_lof',
  missingValues: 'refused',
  needsGroups: false,
  scoreRows: (model, values, _, rowStart, rowEnd, out) =>
    scoreRegressionLofRows(model, values, rowStart, rowEnd, out),
  explainRows: explainRegressionLof,
  parse: parseRegressionLof,
}

function parseRegressionLof(state: StateObject): RegressionLof {
  const columnNames = readColumnNames(state)
  const regression = parseRegressionResidual(readObject(state.regression, 'regression'))
  const factor = localOutlierFactorKind.parse(readObject(state.factor, 'factor'))
  if (regression.columnNames.join() !== columnNames.join()) {
    throw invalidState('regression.columnNames', columnNames.join(), regression.columnNames.join())
  }
  if (factor.columnNames.length !== columnNames.length + 1) {
    throw invalidState(
      'factor.columnNames',
      `${columnNames.length + 1} names`,
      factor.columnNames.length,
    )
  }
  return {
    kind: readLiteral(state, 'kind', ['regression_lof']),
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    regression,
    scaler: parseScalerOf(state, columnNames),
    factor,
  }
}
