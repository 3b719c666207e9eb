import type { DuckDBConnection, DuckDBType, DuckDBVector } from '@duckdb/node-api'
import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DATE,
  DECIMAL,
  DOUBLE,
  DuckDBBooleanVector,
  DuckDBTableFunction,
  ENUM,
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
import type { DeltaType } from '../schema/schema.ts'
import { unreachable } from '../schema/schema.ts'
import type { CellConverter } from './cell-value.ts'
import { cellConverter } from './cell-value.ts'
import type { PlainColumn } from './column-data.ts'
import { badValue } from './column-data.ts'
import type { TextDictionary } from './text-dictionary.ts'
import { textDictionary } from './text-dictionary.ts'

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
  const scanned = columns.map((column) => scannedColumn(column, start, end, table))
  let failure: unknown
  const scan = DuckDBTableFunction.create({
    name: scanName,
    bindFunction: (bind) => {
      for (const { name, type } of scanned) bind.addResultColumn(name, type)
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
        for (let index = 0; index < scanned.length; index++) {
          scanned[index]?.fill(output.getColumnVector(index), from, rowCount)
        }
        cursor.next = from + rowCount
      } catch (cause) {
        failure = cause
        info.setError('the rows from JavaScript stopped')
      }
    },
  })
  connection.registerTableFunction(scan)
  const selected = scanned.map(({ sql, name }) => `${sql} AS ${sqlName(name)}`)
  return { query: `SELECT ${selected.join(', ')} FROM ${scanName}()`, failure: () => failure }
}

/** A column as the engine is given it, and the SQL that makes it what the table has. */
interface ScannedColumn {
  readonly name: string
  readonly type: DuckDBType
  readonly sql: string
  readonly fill: (vector: DuckDBVector, from: number, rowCount: number) => void
}

function scannedColumn(
  column: PlainColumn,
  start: number,
  end: number,
  table: string,
): ScannedColumn {
  const { field, values, valid } = column
  const { name } = field
  const dictionary =
    field.type === 'string' && valid === undefined && isPlainArray(values)
      ? textDictionary(values, start, end)
      : undefined
  if (dictionary === undefined) {
    const convert = cellConverter(field.type)
    return {
      name,
      type: engineType(field.type),
      sql: sqlName(name),
      fill: (vector, from, rowCount) => fill(vector, column, convert, from, rowCount, table),
    }
  }
  return {
    name,
    type: ENUM(dictionary.texts),
    sql: `CAST(${sqlName(name)} AS VARCHAR)`,
    fill: (vector, from, rowCount) => fillCodes(vector, dictionary, from - start, rowCount),
  }
}

function isPlainArray(values: PlainColumn['values']): values is readonly unknown[] {
  return Array.isArray(values)
}

function fillCodes(
  vector: DuckDBVector,
  { texts, codes, nullRows }: TextDictionary,
  from: number,
  rowCount: number,
): void {
  const items: unknown = Reflect.get(vector, 'items')
  const part = codes.subarray(from, from + rowCount)
  if (items instanceof Uint8Array || items instanceof Uint16Array) items.set(part)
  else for (let i = 0; i < rowCount; i++) vector.setItem(i, texts[part[i]!] ?? null)
  if (nullRows !== undefined) {
    for (let at = firstAtLeast(nullRows, from); at < nullRows.length; at++) {
      const row = nullRows[at]! - from
      if (row >= rowCount) break
      vector.setItem(row, null)
    }
  }
  vector.flush()
}

/** Position of the first number that is not below `wanted` in a rising list. */
function firstAtLeast(rising: Uint32Array, wanted: number): number {
  let low = 0
  let high = rising.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (rising[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return low
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
  if (vector instanceof DuckDBBooleanVector) return copiedFlags(vector, values, from, rowCount)
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

/** Flags of 0 and 1 are as in memory; other numbers are left to be refused one by one. */
function copiedFlags(
  vector: DuckDBBooleanVector,
  values: PlainColumn['values'],
  from: number,
  rowCount: number,
): boolean {
  const view: unknown = Reflect.get(vector, 'dataView')
  const isBytes = view instanceof DataView && view.byteLength === rowCount
  if (!isBytes || !(values instanceof Uint8Array)) return false
  for (let i = from; i < from + rowCount; i++) if (values[i]! > 1) return false
  const items = new Uint8Array(view.buffer, view.byteOffset, rowCount)
  items.set(values.subarray(from, from + rowCount))
  return true
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
