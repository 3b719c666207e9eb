import {
  readColumnNames,
  readFloats,
  readLiteral,
  readNumber,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import type { ColumnScaler } from './column-scaler.ts'

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
