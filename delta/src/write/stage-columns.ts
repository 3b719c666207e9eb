import type { DuckDBConnection, DuckDBType, DuckDBVector } from '@duckdb/node-api'
import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DATE,
  DECIMAL,
  DOUBLE,
  DuckDBDataChunk,
  FLOAT,
  INTEGER,
  LIST,
  MAP,
  SMALLINT,
  STRUCT,
  TIMESTAMP,
  TIMESTAMPTZ,
  TINYINT,
  VARCHAR,
} from '@duckdb/node-api'
import { sqlName } from '../data/sql-text.ts'
import { toDuckDbType } from '../schema/duckdb-types.ts'
import type { DeltaType } from '../schema/schema.ts'
import { unreachable } from '../schema/schema.ts'
import type { CellConverter } from './cell-value.ts'
import { cellConverter } from './cell-value.ts'
import type { PlainColumn } from './column-data.ts'
import { badValue } from './column-data.ts'

/** Rows that the engine takes at a time; its vector size. */
const chunkRows = 2048

/**
 * Copies rows `start`..`end` of the columns into a new table of the engine. Typed arrays of the
 * column's own type are copied as memory; other values go one by one.
 * @throws SchemaMismatch naming column and row
 */
export async function stageColumns(
  connection: DuckDBConnection,
  name: string,
  columns: readonly PlainColumn[],
  { start, end, table }: { readonly start: number; readonly end: number; readonly table: string },
): Promise<void> {
  const declared = columns.map(({ field }) => `${sqlName(field.name)} ${toDuckDbType(field.type)}`)
  await connection.run(`CREATE OR REPLACE TABLE ${sqlName(name)} (${declared.join(', ')})`)
  const types = columns.map(({ field }) => engineType(field.type))
  const converters = columns.map(({ field }) => cellConverter(field.type))
  const appender = await connection.createAppender(name)
  const chunk = DuckDBDataChunk.create(types)
  for (let from = start; from < end; from += chunkRows) {
    const rowCount = Math.min(chunkRows, end - from)
    chunk.reset()
    chunk.rowCount = rowCount
    for (let index = 0; index < columns.length; index++) {
      const column = columns[index]
      const convert = converters[index]
      if (column === undefined || convert === undefined) continue
      fill(chunk.getColumnVector(index), column, convert, from, rowCount, table)
    }
    appender.appendDataChunk(chunk)
  }
  appender.closeSync()
}

function fill(
  vector: DuckDBVector,
  column: PlainColumn,
  convert: CellConverter,
  from: number,
  rowCount: number,
  table: string,
): void {
  const { field, values, valid } = column
  if (!copiedAsMemory(vector, column, from, rowCount)) {
    for (let i = 0; i < rowCount; i++) {
      const isThere = valid === undefined || valid[from + i] !== 0
      const value = isThere ? convert(values[from + i]) : null
      if (value === undefined) throw badValue(field, from + i, values[from + i], table)
      vector.setItem(i, value)
    }
  } else if (valid !== undefined) {
    for (let i = 0; i < rowCount; i++) if (valid[from + i] === 0) vector.setItem(i, null)
  }
  vector.flush()
}

/**
 * Copies the values if the vector keeps its items in an array of the same kind, or one that holds all
 * of theirs. The array is no documented part of the engine's interface, so its absence only costs time.
 */
function copiedAsMemory(
  vector: DuckDBVector,
  { values }: PlainColumn,
  from: number,
  rowCount: number,
): boolean {
  const items: unknown = Reflect.get(vector, 'items')
  const to = from + rowCount
  if (items instanceof Float64Array || items instanceof Float32Array) {
    if (!isPlainNumbers(values)) return false
    items.set(values.subarray(from, to))
    return true
  }
  if (items instanceof BigInt64Array && values instanceof BigInt64Array) {
    items.set(values.subarray(from, to))
    return true
  }
  if (items instanceof Int32Array && (values instanceof Int32Array || isShort(values))) {
    items.set(values.subarray(from, to))
    return true
  }
  if (
    items instanceof Int16Array &&
    (values instanceof Int16Array || values instanceof Int8Array)
  ) {
    items.set(values.subarray(from, to))
    return true
  }
  if (items instanceof Int8Array && values instanceof Int8Array) {
    items.set(values.subarray(from, to))
    return true
  }
  return false
}

function isShort(values: unknown): values is Int16Array | Int8Array | Uint16Array | Uint8Array {
  return (
    values instanceof Int16Array ||
    values instanceof Int8Array ||
    values instanceof Uint16Array ||
    values instanceof Uint8Array
  )
}

function isPlainNumbers(
  values: unknown,
): values is
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Int8Array
  | Uint16Array
  | Uint8Array {
  return (
    values instanceof Float64Array ||
    values instanceof Float32Array ||
    values instanceof Int32Array ||
    values instanceof Uint32Array ||
    isShort(values)
  )
}

function engineType(type: DeltaType): DuckDBType {
  if (typeof type !== 'string') {
    switch (type.type) {
      case 'decimal':
        return DECIMAL(type.precision, type.scale)
      case 'array':
        return LIST(engineType(type.elementType))
      case 'map':
        return MAP(engineType(type.keyType), engineType(type.valueType))
      case 'struct':
        return STRUCT(
          Object.fromEntries(type.fields.map((field) => [field.name, engineType(field.type)])),
        )
      default:
        return unreachable(type)
    }
  }
  switch (type) {
    case 'string':
      return VARCHAR
    case 'long':
      return BIGINT
    case 'integer':
    case 'void':
      return INTEGER
    case 'short':
      return SMALLINT
    case 'byte':
      return TINYINT
    case 'double':
      return DOUBLE
    case 'float':
      return FLOAT
    case 'boolean':
      return BOOLEAN
    case 'binary':
      return BLOB
    case 'date':
      return DATE
    case 'timestamp':
      return TIMESTAMPTZ
    case 'timestamp_ntz':
      return TIMESTAMP
    default:
      return unreachable(type)
  }
}
