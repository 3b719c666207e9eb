import type { DuckDBConnection } from '@duckdb/node-api'
import type { DeltaField, DeltaType, RowSource } from '@isotherm/delta'
import { rowsQuery } from './duckdb-values.ts'
import { dateText, decimalText, instantText, type Row, type Value } from './values.ts'

/** A way to hand rows to this library. */
export type SourceForm = 'query' | 'rows' | 'columns' | 'ndjson'

/** The rows in one of the forms that this library takes. */
export function rowSource(
  form: SourceForm,
  connection: DuckDBConnection,
  fields: readonly DeltaField[],
  rows: readonly Row[],
): RowSource {
  switch (form) {
    case 'query':
      return { query: rowsQuery(fields, rows), connection }
    case 'rows':
      return { rows: rows.map((row) => objectOf(fields, row)) }
    case 'columns':
      return {
        columns: Object.fromEntries(
          fields.map(({ name, type }, i) => [name, rows.map((row) => plain(type, row[i] ?? null))]),
        ),
      }
    case 'ndjson':
      return { ndjson: rows.map((row) => `${jsonObject(fields, row)}\n`).join('') }
  }
}

/** JSON carries no bytes below the top level. */
export function fitsJson(type: DeltaType, isNested = false): boolean {
  if (typeof type === 'string') return type !== 'binary' || !isNested
  if (type.type === 'array') return fitsJson(type.elementType, true)
  if (type.type === 'map') return fitsJson(type.valueType, true)
  return type.type === 'decimal' || type.fields.every((field) => fitsJson(field.type, true))
}

function objectOf(fields: readonly DeltaField[], row: readonly Value[]): Record<string, unknown> {
  return Object.fromEntries(
    fields.map(({ name, type }, i) => [name, plain(type, row[i] ?? null)] as const),
  )
}

/** The value as a program in JavaScript would hold it. */
function plain(type: DeltaType, value: Value): unknown {
  if (value === null || typeof type === 'string') return plainAtom(type, value)
  if (type.type === 'decimal') return decimalText(value as bigint, type.scale)
  const items = value as readonly Value[]
  if (type.type === 'array') return items.map((item) => plain(type.elementType, item))
  if (type.type === 'struct') return objectOf(type.fields, items)
  return new Map(
    (items as readonly (readonly Value[])[]).map(([key = null, item = null]) => [
      plain(type.keyType, key),
      plain(type.valueType, item),
    ]),
  )
}

function plainAtom(type: DeltaType, value: Value): unknown {
  if (typeof value !== 'bigint') return value
  if (type === 'date') return dateText(value)
  return type === 'integer' || type === 'short' || type === 'byte' ? Number(value) : value
}

function jsonObject(fields: readonly DeltaField[], row: readonly Value[]): string {
  const parts = fields.map(
    ({ name, type }, i) => `${JSON.stringify(name)}:${json(type, row[i] ?? null)}`,
  )
  return `{${parts.join(',')}}`
}

function json(type: DeltaType, value: Value): string {
  if (value === null) return 'null'
  if (typeof value === 'number') {
    if (Object.is(value, -0)) return '-0.0'
    return Number.isFinite(value) ? String(value) : `"${value}"`
  }
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`
  if (typeof value === 'bigint') return jsonWhole(type, value)
  if (typeof value !== 'object') return JSON.stringify(value)
  if (typeof type === 'string' || type.type === 'decimal') throw new Error(`list for ${type}`)
  if (type.type === 'array') return `[${value.map((item) => json(type.elementType, item)).join()}]`
  if (type.type === 'struct') return jsonObject(type.fields, value)
  const entries = (value as readonly (readonly Value[])[]).map(([key = null, item = null]) => {
    const text = typeof key === 'string' ? key : jsonWhole(type.keyType, key as bigint)
    const name = JSON.stringify(text.replace(/^"(.*)"$/s, typeof key === 'string' ? '$&' : '$1'))
    return `${name}:${json(type.valueType, item)}`
  })
  return `{${entries.join()}}`
}

function jsonWhole(type: DeltaType, value: bigint): string {
  if (type === 'date') return `"${dateText(value)}"`
  if (type === 'timestamp') return `"${instantText(value).replace(' ', 'T')}Z"`
  if (type === 'timestamp_ntz') return `"${instantText(value)}"`
  if (typeof type === 'object' && type.type === 'decimal') {
    // As a JSON number it would pass through a double.
    return `"${decimalText(value, type.scale)}"`
  }
  return String(value)
}
