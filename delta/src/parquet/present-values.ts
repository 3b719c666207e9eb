import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
} from '@duckdb/node-api'
import type { DeltaField, DeltaType } from '../schema/schema.ts'
import { cellConverter } from '../write/cell-value.ts'
import type { NumberArray, PlainColumn } from '../write/column-data.ts'
import { badValue } from '../write/column-data.ts'
import type { ColumnLayout } from './column-layout.ts'

/** Numbers as Parquet's plain encoding has them in memory. */
export type NumberValues = Float64Array | Float32Array | Int32Array | BigInt64Array

/** The values of some rows of a column without its nulls. */
export interface PresentValues {
  readonly rowCount: number
  /** 1 for each row with a value, 0 for a null; undefined if there are no nulls. */
  readonly valid: Uint8Array | undefined
  readonly values:
    | { readonly kind: 'numbers'; readonly items: NumberValues }
    | { readonly kind: 'flags'; readonly items: Uint8Array }
    | { readonly kind: 'texts'; readonly items: readonly string[] }
    | { readonly kind: 'bytes'; readonly items: readonly Uint8Array[] }
    | { readonly kind: 'wideDecimals'; readonly items: readonly bigint[] }
}

/**
 * Rows `start`..`end` of a column, converted to what its layout stores. Numbers of the very type are a
 * view of the caller's memory; everything else is copied.
 * @throws SchemaMismatch for a value that the column cannot hold
 */
export function presentValues(
  column: PlainColumn,
  layout: ColumnLayout,
  start: number,
  end: number,
  table: string,
): PresentValues {
  const rowCount = end - start
  const valid = givenMask(column, start, end)
  const { field, values } = column
  if (isInMemoryForm(field.type, values, start, end)) {
    const part = values.subarray(start, end)
    const kept = valid === undefined ? part : compacted(part, valid)
    return { rowCount, valid, values: fromMemory(layout, kept) }
  }
  return converted(column, layout, start, rowCount, valid, table)
}

/** All rows null. */
export function nullValues(layout: ColumnLayout, rowCount: number): PresentValues {
  return { rowCount, valid: new Uint8Array(rowCount), values: sized(layout, 0) }
}

/** The marks of these rows as 0 and 1, undefined if none is 0. */
function givenMask({ valid }: PlainColumn, start: number, end: number): Uint8Array | undefined {
  if (valid === undefined || valid.indexOf(0, start) < 0) return undefined
  const marks = new Uint8Array(end - start)
  let presentCount = 0
  for (let i = 0; i < marks.length; i++) {
    const mark = valid[start + i] === 0 ? 0 : 1
    marks[i] = mark
    presentCount += mark
  }
  return presentCount === marks.length ? undefined : marks
}

/** True if the numbers need no look at each: their type has no values that the column lacks. */
function isInMemoryForm(
  type: DeltaType,
  values: PlainColumn['values'],
  start: number,
  end: number,
): values is NumberArray {
  switch (type) {
    case 'double':
    case 'float':
      return (
        ArrayBuffer.isView(values) &&
        !(values instanceof BigInt64Array || values instanceof BigUint64Array)
      )
    case 'long':
    case 'timestamp':
    case 'timestamp_ntz':
      return values instanceof BigInt64Array
    case 'integer':
    case 'date':
      return (
        values instanceof Int32Array ||
        values instanceof Int16Array ||
        values instanceof Int8Array ||
        values instanceof Uint16Array ||
        values instanceof Uint8Array
      )
    case 'short':
      return values instanceof Int16Array || values instanceof Int8Array
    case 'byte':
      return values instanceof Int8Array
    case 'boolean': {
      if (!(values instanceof Uint8Array)) return false
      for (let i = start; i < end; i++) if (values[i]! > 1) return false
      return true
    }
    default:
      return false
  }
}

function compacted(part: NumberArray, valid: Uint8Array): NumberArray {
  const kept = part.slice()
  let count = 0
  for (let i = 0; i < valid.length; i++) {
    kept[count] = part[i]!
    count += valid[i]!
  }
  return kept.subarray(0, count)
}

function fromMemory(layout: ColumnLayout, part: NumberArray): PresentValues['values'] {
  if (layout.physical === 'boolean' && part instanceof Uint8Array) {
    return { kind: 'flags', items: part }
  }
  if (part instanceof BigInt64Array || part instanceof BigUint64Array) {
    return { kind: 'numbers', items: new BigInt64Array(part.buffer, part.byteOffset, part.length) }
  }
  switch (layout.physical) {
    case 'double':
      return {
        kind: 'numbers',
        items: part instanceof Float64Array ? part : new Float64Array(part),
      }
    case 'float':
      return {
        kind: 'numbers',
        items: part instanceof Float32Array ? part : new Float32Array(part),
      }
    default:
      return { kind: 'numbers', items: part instanceof Int32Array ? part : new Int32Array(part) }
  }
}

/** Room for so many values. */
function sized(layout: ColumnLayout, count: number) {
  switch (layout.physical) {
    case 'double':
      return { kind: 'numbers' as const, items: new Float64Array(count) }
    case 'float':
      return { kind: 'numbers' as const, items: new Float32Array(count) }
    case 'int32':
      return { kind: 'numbers' as const, items: new Int32Array(count) }
    case 'int64':
      return { kind: 'numbers' as const, items: new BigInt64Array(count) }
    case 'boolean':
      return { kind: 'flags' as const, items: new Uint8Array(count) }
    case 'fixedBytes':
      return { kind: 'wideDecimals' as const, items: new Array<bigint>(count) }
    case 'byteArray':
      return layout.convertedType === undefined
        ? { kind: 'bytes' as const, items: new Array<Uint8Array>(count) }
        : { kind: 'texts' as const, items: new Array<string>(count) }
  }
}

/** Values one by one, each checked. */
function converted(
  column: PlainColumn,
  layout: ColumnLayout,
  start: number,
  rowCount: number,
  given: Uint8Array | undefined,
  table: string,
): PresentValues {
  const { field, values } = column
  const convert = cellConverter(field.type)
  const valid = new Uint8Array(rowCount)
  const items: unknown[] | NumberArray = sized(layout, rowCount).items
  let count = 0
  for (let i = 0; i < rowCount; i++) {
    const value = given === undefined || given[i] === 1 ? values[start + i] : null
    if (value === null || value === undefined) continue
    const plain = isPlainAlready(field, value) ? value : storedValue(convert(value), layout)
    if (plain === undefined) throw badValue(field, start + i, value, table)
    items[count++] = plain as never
    valid[i] = 1
  }
  const marks = count === rowCount ? undefined : valid
  return { rowCount, valid: marks, values: cutTo(layout, items, count) }
}

/** Most values of most columns: no conversion, so none is called. */
function isPlainAlready({ type }: DeltaField, value: unknown): boolean {
  return typeof value === 'number'
    ? type === 'double'
    : typeof value === 'string' && type === 'string'
}

function cutTo(
  layout: ColumnLayout,
  items: unknown[] | NumberArray,
  count: number,
): PresentValues['values'] {
  if (!Array.isArray(items)) return fromMemory(layout, items.subarray(0, count))
  items.length = count
  // Each was checked by its converter, and the layout follows from the same type.
  if (layout.physical === 'fixedBytes') return { kind: 'wideDecimals', items: items as bigint[] }
  return layout.convertedType === undefined
    ? { kind: 'bytes', items: items as Uint8Array[] }
    : { kind: 'texts', items: items as string[] }
}

/** The engine's form of a value as the number, text or bytes that is stored. */
function storedValue(value: unknown, { physical }: ColumnLayout): unknown {
  if (value instanceof DuckDBDateValue) return value.days
  if (value instanceof DuckDBTimestampTZValue || value instanceof DuckDBTimestampValue) {
    return value.micros
  }
  if (value instanceof DuckDBBlobValue) return value.bytes
  if (value instanceof DuckDBDecimalValue) {
    return physical === 'int32' ? Number(value.value) : value.value
  }
  return typeof value === 'boolean' ? Number(value) : value
}
