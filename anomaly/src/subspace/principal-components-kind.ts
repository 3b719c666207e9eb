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
import { parseScalerOf } from '../neighbours/kd-tree-state.ts'
import type { PrincipalComponentsModel } from './principal-components.ts'
import { explainPrincipalComponents, scorePrincipalRows } from './principal-components-score.ts'

/** Hotelling's T² and Q under principal components as a detector. */
export const principalComponentsKind: DetectorKind<PrincipalComponentsModel> = {
  kind: 'principal_components',
  missingValues: 'refused',
  needsGroups: false,
  scoreRows: (model, values, _, rowStart, rowEnd, out) =>
    scorePrincipalRows(model, values, rowStart, rowEnd, out),
  explainRows: (model, matrix, rowIndices) => explainPrincipalComponents(model, matrix, rowIndices),
  parse: parsePrincipalComponents,
}

function parsePrincipalComponents(state: StateObject): PrincipalComponentsModel {
  const columnNames = readColumnNames(state)
  const columnCount = columnNames.length
  const componentCount = readInteger(state, 'componentCount', 0, columnCount)
  return {
    kind: 'principal_components',
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    statistic: readLiteral(state, 'statistic', ['t2', 'q', 'combined']),
    trainingRowCount: readInteger(state, 'trainingRowCount', 2),
    scaler: parseScalerOf(state, columnNames),
    means: readFloats(state, 'means', columnCount),
    componentCount,
    components: readFloats(state, 'components', componentCount * columnCount),
    variances: readPositive(state, 'variances', componentCount),
    allVariances: readFloats(state, 'allVariances', columnCount),
    t2Limit: readLimit(state, 't2Limit'),
    qLimit: readLimit(state, 'qLimit'),
  }
}

function readPositive(state: StateObject, key: string, length: number): Float64Array {
  const values = readFloats(state, key, length)
  const at = values.findIndex((value) => !(value > 0))
  if (at >= 0) throw invalidState(`${key}[${at}]`, 'a number > 0', values[at])
  return values
}

function readLimit(state: StateObject, key: string): number {
  const limit = readNumber(state, key)
  if (!(limit > 0)) throw invalidState(key, 'a number > 0', limit)
  return limit
}
