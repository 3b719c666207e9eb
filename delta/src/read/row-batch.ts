import type { DuckDBDataChunk, DuckDBValue, DuckDBVector } from '@duckdb/node-api'
import {
  DuckDBBlobValue,
  DuckDBBlobVector,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
} from '@duckdb/node-api'
import type { DeltaField, DeltaType } from '../schema/schema.ts'

/** Typed arrays that a column of rows can be. */
export type TypedColumn =
  | Uint8Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array

/**
 * The values of a column in a batch, one per row. `valid` is 1 where there is a value and 0 for null;
 * at null rows a typed array holds any number, a plain one null.
 * - `boolean` Uint8Array of 0 and 1; `byte` Int8Array; `short` Int16Array; `integer` Int32Array;
 *   `long` BigInt64Array; `float` Float32Array; `double` Float64Array;
 * - `date` Int32Array of days since 1970; `timestamp` and `timestamp_ntz` BigInt64Array of
 *   microseconds since 1970 (UTC, or on the wall clock);
 * - `string` text, `binary` Uint8Array, `decimal` text with every digit;
 * - arrays, plain objects for structs, `Map` for maps; inside them numbers, `bigint` for `long` and
 *   for times, booleans, and the rest as above.
 * The form is the one that `append` takes.
 */
export interface ColumnValues {
  readonly values: TypedColumn | readonly unknown[]
  readonly valid: Uint8Array
}

/** Some rows of a table, column by column. */
export interface RowBatch {
  readonly rowCount: number
  /** By column name, in the order asked for. */
  readonly columns: Readonly<Record<string, ColumnValues>>
}

/**
 * The columns of some chunks of the engine, copied out of its memory.
 * @param fields one for each column of the chunks; text columns arrive as bytes
 */
export function batchOf(
  chunks: readonly DuckDBDataChunk[],
  fields: readonly DeltaField[],
): RowBatch {
  const rowCount = chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0)
  const columns = fields.map((field, index) => {
    const vectors = chunks.map((chunk) => chunk.getColumnVector(index))
    return [field.name, columnOf(vectors, field.type, rowCount)] as const
  })
  return { rowCount, columns: Object.fromEntries(columns) }
}

function columnOf(
  vectors: readonly DuckDBVector[],
  type: DeltaType,
  rowCount: number,
): ColumnValues {
  const valid = new Uint8Array(rowCount)
  const typed = typedColumn(type, rowCount)
  if (typed === undefined) {
    const values: unknown[] = new Array(rowCount)
    let at = 0
    for (const vector of vectors) {
      fillPlain(vector, type, values, valid, at)
      at += vector.itemCount
    }
    return { values, valid }
  }
  let at = 0
  for (const vector of vectors) {
    if (!copiedAsMemory(vector, typed, at)) fillTyped(vector, typed, at)
    markValid(vector, valid, at)
    at += vector.itemCount
  }
  return { values: typed, valid }
}

function typedColumn(type: DeltaType, rowCount: number): TypedColumn | undefined {
  switch (type) {
    case 'boolean':
      return new Uint8Array(rowCount)
    case 'byte':
      return new Int8Array(rowCount)
    case 'short':
      return new Int16Array(rowCount)
    case 'integer':
    case 'date':
    case 'void':
      return new Int32Array(rowCount)
    case 'long':
    case 'timestamp':
    case 'timestamp_ntz':
      return new BigInt64Array(rowCount)
    case 'float':
      return new Float32Array(rowCount)
    case 'double':
      return new Float64Array(rowCount)
    default:
      return undefined
  }
}

/**
 * Copies a vector that keeps its items in an array of the column's kind. The array is no documented
 * part of the engine's interface, so its absence only costs time.
 */
function copiedAsMemory(vector: DuckDBVector, out: TypedColumn, at: number): boolean {
  const items: unknown = Reflect.get(vector, 'items')
  if (items instanceof BigInt64Array && out instanceof BigInt64Array) out.set(items, at)
  else if (items instanceof Float64Array && out instanceof Float64Array) out.set(items, at)
  else if (items instanceof Int32Array && out instanceof Int32Array) out.set(items, at)
  else if (items instanceof Float32Array && out instanceof Float32Array) out.set(items, at)
  else if (items instanceof Int16Array && out instanceof Int16Array) out.set(items, at)
  else if (items instanceof Int8Array && out instanceof Int8Array) out.set(items, at)
  else return false
  return true
}

function fillTyped(vector: DuckDBVector, out: TypedColumn, at: number): void {
  for (let i = 0; i < vector.itemCount; i++) {
    const value = plainValue(vector.getItem(i))
    if (typeof value === 'boolean') out[at + i] = value ? 1 : 0
    else if (typeof value === 'number' || typeof value === 'bigint') out[at + i] = value
  }
}

function markValid(vector: DuckDBVector, valid: Uint8Array, at: number): void {
  const { itemCount } = vector
  const validity: unknown = Reflect.get(vector, 'validity')
  const bits: unknown =
    typeof validity === 'object' && validity !== null ? Reflect.get(validity, 'data') : undefined
  if (bits === null) {
    valid.fill(1, at, at + itemCount)
  } else if (bits instanceof BigUint64Array) {
    const words = new Uint32Array(bits.buffer, bits.byteOffset, bits.length * 2)
    for (let i = 0; i < itemCount; i++) valid[at + i] = (words[i >> 5]! >>> (i & 31)) & 1
  } else {
    for (let i = 0; i < itemCount; i++) valid[at + i] = vector.getItem(i) === null ? 0 : 1
  }
}

const keepingMark = new TextDecoder('utf-8', { ignoreBOM: true })

function fillPlain(
  vector: DuckDBVector,
  type: DeltaType,
  out: unknown[],
  valid: Uint8Array,
  at: number,
): void {
  // The engine's own way to text drops a leading byte order mark, so text comes as bytes.
  const isText = type === 'string' && vector instanceof DuckDBBlobVector
  for (let i = 0; i < vector.itemCount; i++) {
    if (isText) {
      const bytes = vector.getItemBytes(i)
      out[at + i] = bytes === null ? null : keepingMark.decode(bytes)
    } else {
      out[at + i] = plainValue(vector.getItem(i))
    }
    valid[at + i] = out[at + i] === null ? 0 : 1
  }
}

/** A value of the engine as plain JavaScript. */
function plainValue(value: DuckDBValue): unknown {
  if (value === null || typeof value !== 'object') return value
  if (value instanceof DuckDBTimestampTZValue) return value.micros
  if (value instanceof DuckDBTimestampValue) return value.micros
  if (value instanceof DuckDBDateValue) return value.days
  if (value instanceof DuckDBDecimalValue) return value.toString()
  if (value instanceof DuckDBBlobValue) return new Uint8Array(value.bytes)
  if (value instanceof DuckDBListValue) return value.items.map(plainValue)
  if (value instanceof DuckDBStructValue) {
    const entries = Object.entries(value.entries)
    return Object.fromEntries(entries.map(([name, inner]) => [name, plainValue(inner)]))
  }
  if (value instanceof DuckDBMapValue) {
    return new Map(
      value.entries.map(({ key, value: inner }) => [plainValue(key), plainValue(inner)]),
    )
  }
  return value
}
