import type { ModelState } from '../model-file/model-file.ts'
import {
  invalidState,
  readColumnNames,
  readInteger,
  readLiteral,
  readNumber,
  readObject,
} from '../model-file/model-state-reader.ts'
import { parseQuantileSketch } from '../sketches/sketch-state.ts'
import type { DriftColumn, DriftReference } from './drift-reference.ts'

/**
 * Turns decoded data into a drift reference.
 * @throws MODEL_FILE_INVALID naming the field
 */
export function parseDriftReference(value: ModelState): DriftReference {
  const state = readObject(value, 'drift reference')
  const columnNames = readColumnNames(state)
  const rowCount = readInteger(state, 'rowCount', 1)
  const columns = state.columns
  if (!Array.isArray(columns) || columns.length !== columnNames.length) {
    throw invalidState('columns', `a list of ${columnNames.length}`, columns)
  }
  return {
    kind: readLiteral(state, 'kind', ['drift_reference']),
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    rowCount,
    columns: columns.map((column: ModelState, c) => parseColumn(column, columnNames[c]!, rowCount)),
  }
}

function parseColumn(value: ModelState, name: string, rowCount: number): DriftColumn {
  const state = readObject(value, `column ${name}`)
  const sketch = parseQuantileSketch(state.sketch ?? null)
  const nullCount = readInteger(state, 'nullCount', 0, rowCount)
  if (nullCount + sketch.count !== rowCount) {
    throw invalidState(`nullCount of ${name}`, `${rowCount - sketch.count}`, nullCount)
  }
  const effectiveCount = readNumber(state, 'effectiveCount')
  if (!(effectiveCount >= 0 && effectiveCount <= sketch.count)) {
    throw invalidState(`effectiveCount of ${name}`, `in [0, ${sketch.count}]`, effectiveCount)
  }
  return { name: readLiteral(state, 'name', [name]), sketch, nullCount, effectiveCount }
}
