import {
  DuckDBBlobValue,
  type DuckDBConnection,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api'
import { type DeltaField, type DeltaType, toDuckDbType } from '@isotherm/delta'
import { canonicalRow, dateText, decimalText, type Row, type Value } from './values.ts'

/** SQL text of a literal, quotes doubled. */
const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`
const name = (text: string) => `"${text.replaceAll('"', '""')}"`

/** The value as a SQL expression of its type. */
export function duckDbLiteral(type: DeltaType, value: Value): string {
  return `CAST(${bareLiteral(type, value)} AS ${toDuckDbType(type)})`
}

function bareLiteral(type: DeltaType, value: Value): string {
  if (value === null) return 'NULL'
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return quoted(Object.is(value, -0) ? '-0' : String(value))
  if (typeof value === 'string') return textLiteral(value)
  if (value instanceof Uint8Array) return `unhex('${Buffer.from(value).toString('hex')}')`
  if (typeof value === 'bigint') return wholeLiteral(type, value)
  if (typeof type === 'string' || type.type === 'decimal') throw new Error(`list for ${type}`)
  if (type.type === 'array') {
    return `list_value(${value.map((item) => duckDbLiteral(type.elementType, item)).join(', ')})`
  }
  if (type.type === 'struct') {
    const parts = type.fields.map(
      (field, i) => `${name(field.name)} := ${duckDbLiteral(field.type, value[i] ?? null)}`,
    )
    return `struct_pack(${parts.join(', ')})`
  }
  const entries = value as readonly (readonly Value[])[]
  const keys = entries.map(([key = null]) => duckDbLiteral(type.keyType, key))
  const items = entries.map(([, item = null]) => duckDbLiteral(type.valueType, item))
  return entries.length === 0 ? 'MAP {}' : `map([${keys.join(', ')}], [${items.join(', ')}])`
}

/** A text in pieces around its NUL characters, which no literal can hold. */
function textLiteral(text: string): string {
  const pieces = text.split('\u0000').map(quoted)
  return pieces.length === 1 ? (pieces[0] ?? "''") : `(${pieces.join(' || chr(0) || ')})`
}

function wholeLiteral(type: DeltaType, value: bigint): string {
  if (type === 'date') return quoted(dateText(value))
  if (type === 'timestamp' || type === 'timestamp_ntz') return `make_timestamp(${value}::BIGINT)`
  if (typeof type === 'object' && type.type === 'decimal') {
    return quoted(decimalText(value, type.scale))
  }
  return quoted(String(value))
}

/** A query with these rows. */
export function rowsQuery(fields: readonly DeltaField[], rows: readonly Row[]): string {
  const names = fields.map((field) => name(field.name)).join(', ')
  const nulls = fields.map((field) => duckDbLiteral(field.type, null)).join(', ')
  const values = rows.map(
    (row) => `(${fields.map((field, i) => duckDbLiteral(field.type, row[i] ?? null)).join(', ')})`,
  )
  if (rows.length === 0) return `SELECT * FROM (VALUES (${nulls})) AS given(${names}) WHERE false`
  return `SELECT * FROM (VALUES ${values.join(', ')}) AS given(${names})`
}

/** The rows of a relation in canonical spelling, in no particular order. */
export async function canonicalRows(
  connection: DuckDBConnection,
  relation: string,
  fields: readonly DeltaField[],
): Promise<readonly string[]> {
  const columns = fields.map((field) => guarded(field.type, name(field.name)))
  const sql = `SELECT ${columns.join(', ')} FROM ${relation}`
  const result = await connection.runAndReadAll(sql)
  return result.getRows().map((row) =>
    canonicalRow(
      fields,
      fields.map((field, i) => valueFrom(field.type, row[i] ?? null)),
    ),
  )
}

/**
 * The expression with a dot before each text. The database's client takes a byte order mark away
 * from where a text begins, so no text may begin with one.
 */
function guarded(type: DeltaType, sql: string, depth = 0): string {
  if (!holdsText(type)) return sql
  if (typeof type === 'string') return `('.' || ${sql})`
  const item = `item_${depth}`
  switch (type.type) {
    case 'array': {
      const inner = guarded(type.elementType, item, depth + 1)
      return `list_transform(${sql}, lambda ${item}: ${inner})`
    }
    case 'map': {
      const key = guarded(type.keyType, `${item}.key`, depth + 1)
      const value = guarded(type.valueType, `${item}.value`, depth + 1)
      const entries = `list_transform(map_entries(${sql}), lambda ${item}: struct_pack(k := ${key}, v := ${value}))`
      return `CASE WHEN ${sql} IS NOT NULL THEN map_from_entries(${entries}) END`
    }
    case 'struct': {
      const parts = type.fields.map(
        (one) => `${name(one.name)} := ${guarded(one.type, `${sql}.${name(one.name)}`, depth)}`,
      )
      return `CASE WHEN ${sql} IS NOT NULL THEN struct_pack(${parts.join(', ')}) END`
    }
    case 'decimal':
      return sql
  }
}

function holdsText(type: DeltaType): boolean {
  if (typeof type === 'string') return type === 'string'
  if (type.type === 'array') return holdsText(type.elementType)
  if (type.type === 'map') return holdsText(type.keyType) || holdsText(type.valueType)
  return type.type === 'struct' && type.fields.some((one) => holdsText(one.type))
}

function valueFrom(type: DeltaType, value: DuckDBValue): Value {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string') return value.slice(1)
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') {
    return type === 'double' || type === 'float' ? value : BigInt(value)
  }
  if (value instanceof DuckDBDecimalValue) return value.value
  if (value instanceof DuckDBDateValue) return BigInt(value.days)
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue) {
    return value.micros
  }
  if (value instanceof DuckDBBlobValue) return value.bytes
  if (typeof type === 'object' && value instanceof DuckDBListValue && type.type === 'array') {
    return value.items.map((item) => valueFrom(type.elementType, item))
  }
  if (typeof type === 'object' && value instanceof DuckDBStructValue && type.type === 'struct') {
    return type.fields.map((field) => valueFrom(field.type, value.entries[field.name] ?? null))
  }
  if (typeof type === 'object' && value instanceof DuckDBMapValue && type.type === 'map') {
    return value.entries.map((entry) => [
      valueFrom(type.keyType, entry.key),
      valueFrom(type.valueType, entry.value),
    ])
  }
  throw new Error(`a ${typeof value} (${String(value)}) for ${JSON.stringify(type)}`)
}
