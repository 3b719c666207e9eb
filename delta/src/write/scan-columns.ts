import type { DuckDBConnection, DuckDBType, DuckDBVector } from '@duckdb/node-api'
import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DATE,
  DECIMAL,
  DOUBLE,
  DuckDBTableFunction,
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
import type { DeltaType } from '../schema/schema.ts'
import { unreachable } from '../schema/schema.ts'
import type { CellConverter } from './cell-value.ts'
import { cellConverter } from './cell-value.ts'
import type { PlainColumn } from './column-data.ts'
import { badValue } from './column-data.ts'

/** Rows that the engine takes at a time; its vector size. */
const chunkRows = 2048

/** Name of the table function, in an engine of its own. */
const scanName = 'rows_from_javascript'

/** A scan of columns in the engine. */
export interface ColumnScan {
  /** A SELECT that yields the rows, each time it is run. */
  readonly query: string
  /** What stopped a scan, if our own side did: the engine's error says less. */
  readonly failure: () => unknown
}

/**
 * Makes rows `start`..`end` of the columns readable by SQL on this connection, without a copy of them:
 * the engine asks for 2,048 rows at a time. Typed arrays of the column's own type are copied as memory;
 * other values go one by one.
 */
export function scanColumns(
  connection: DuckDBConnection,
  columns: readonly PlainColumn[],
  { start, end, table }: { readonly start: number; readonly end: number; readonly table: string },
): ColumnScan {
  const converters = columns.map(({ field }) => cellConverter(field.type))
  let failure: unknown
  const scan = DuckDBTableFunction.create({
    name: scanName,
    bindFunction: (bind) => {
      for (const { field } of columns) bind.addResultColumn(field.name, engineType(field.type))
      bind.setCardinality(end - start, true)
    },
    initFunction: (init) => {
      init.setInitData({ next: start })
      init.setMaxThreads(1)
    },
    mainFunction: (info, output) => {
      try {
        const cursor = info.initData
        if (!isCursor(cursor)) throw new Error('the engine lost the cursor of its scan')
        const from = cursor.next
        const rowCount = Math.min(chunkRows, end - from)
        output.rowCount = rowCount
        if (rowCount === 0) return
        for (let index = 0; index < columns.length; index++) {
          const column = columns[index]
          const convert = converters[index]
          if (column === undefined || convert === undefined) continue
          fill(output.getColumnVector(index), column, convert, from, rowCount, table)
        }
        cursor.next = from + rowCount
      } catch (cause) {
        failure = cause
        info.setError('the rows from JavaScript stopped')
      }
    },
  })
  connection.registerTableFunction(scan)
  return { query: `SELECT * FROM ${scanName}()`, failure: () => failure }
}

function isCursor(value: object | undefined): value is { next: number } {
  return value !== undefined && 'next' in value && typeof value.next === 'number'
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
