import { SchemaMismatch } from '../errors.ts'
import type { DeltaField } from '../schema/schema.ts'
import { typeText } from '../schema/schema.ts'

/** Arrays of numbers in memory as they are on disk; the fastest way in. */
export type NumberArray =
  | Float64Array
  | Float32Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array

/**
 * The values of one column. Typed arrays hold numbers (booleans as 0 and 1, dates as days, times as
 * `BigInt64Array` of microseconds or `Float64Array` of milliseconds) and no nulls; plain arrays hold
 * what the column's type allows, with null or undefined for null. `valid` marks the present values of
 * `values` with 1 and the null ones with 0.
 */
export type ColumnData =
  | NumberArray
  | readonly unknown[]
  | { readonly values: NumberArray | readonly unknown[]; readonly valid: Uint8Array }

/** A column ready to be copied: its field, its values, and which of them are there. */
export interface PlainColumn {
  readonly field: DeltaField
  readonly values: NumberArray | readonly unknown[]
  readonly valid?: Uint8Array
}

/**
 * The columns of the schema among `columns`, with their row count.
 * @throws SchemaMismatch for a column that the table lacks, or columns of different lengths
 */
export function plainColumns(
  columns: Readonly<Record<string, ColumnData>>,
  fields: readonly DeltaField[],
  table: string,
): { readonly columns: readonly PlainColumn[]; readonly rowCount: number } {
  const fieldOf = new Map(fields.map((field) => [field.name, field]))
  const plain = Object.entries(columns).map(([name, data]): PlainColumn => {
    const field = fieldOf.get(name)
    if (field === undefined) throw unknownColumn(name, fields, table)
    if (!('valid' in data)) return { field, values: data }
    return { field, values: data.values, valid: data.valid }
  })
  const rowCount = plain[0]?.values.length ?? 0
  for (const { field, values, valid } of plain) {
    if (values.length === rowCount && (valid?.length ?? rowCount) === rowCount) continue
    throw new SchemaMismatch({
      table,
      where: `column ${field.name}`,
      what: 'has another number of rows than the first column',
      expected: String(rowCount),
      found: `${values.length} values${valid === undefined ? '' : `, ${valid.length} marks`}`,
      fix: 'give every column one value per row',
    })
  }
  return { columns: plain, rowCount }
}

/**
 * Row objects turned into columns, one for each name that occurs.
 * @throws SchemaMismatch for a name that is no column of the table
 */
export function columnsOfRows(
  rows: readonly Readonly<Record<string, unknown>>[],
  fields: readonly DeltaField[],
  table: string,
): { readonly columns: readonly PlainColumn[]; readonly rowCount: number } {
  const fieldOf = new Map(fields.map((field) => [field.name, field]))
  const valuesOf = new Map<string, unknown[]>()
  rows.forEach((row, index) => {
    for (const name of Object.keys(row)) {
      let values = valuesOf.get(name)
      if (values === undefined) {
        if (!fieldOf.has(name)) throw unknownColumn(name, fields, table)
        values = new Array<unknown>(rows.length).fill(null)
        valuesOf.set(name, values)
      }
      values[index] = row[name]
    }
  })
  const present = fields.filter(({ name }) => valuesOf.has(name))
  const columns = present.map((field) => ({ field, values: valuesOf.get(field.name) ?? [] }))
  return { columns, rowCount: rows.length }
}

/** The error for a value that its column cannot hold. */
export function badValue(
  field: DeltaField,
  row: number,
  value: unknown,
  table: string,
): SchemaMismatch {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return new SchemaMismatch({
    table,
    where: `column ${field.name}, row ${row}`,
    what: 'holds a value that the column cannot',
    expected: typeText(field.type),
    found: `${typeof value} ${(text ?? '').slice(0, 60)}`,
    fix: 'convert the value, or change the schema of the table',
  })
}

function unknownColumn(name: string, fields: readonly DeltaField[], table: string): SchemaMismatch {
  return new SchemaMismatch({
    table,
    where: `column ${name}`,
    what: 'is not a column of the table',
    expected: fields.map((field) => field.name).join(', '),
    found: name,
    fix: 'leave it out, or add it with addColumns',
  })
}
