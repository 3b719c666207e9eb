import type { DuckDBConnection } from '@duckdb/node-api'
import { InvalidSchema, SchemaMismatch } from '../errors.ts'
import { fromDuckDbType, toDuckDbType } from '../schema/duckdb-types.ts'
import type { DeltaSchema, DeltaType } from '../schema/schema.ts'
import { typeText } from '../schema/schema.ts'
import { sqlName } from './sql-text.ts'

/** Whole numbers from narrow to wide. */
const wholeNumbers: readonly DeltaType[] = ['byte', 'short', 'integer', 'long']

/**
 * SQL expressions that make the rows of a query into rows of the schema, one per column and in its
 * order: null for columns the query lacks, a cast for numbers that are only narrower.
 * @param leftOut columns of the schema that are not written
 * @throws SchemaMismatch for an extra column or another type
 */
export async function alignedColumns(
  connection: DuckDBConnection,
  sqlQuery: string,
  schema: DeltaSchema,
  table: string,
  leftOut: readonly string[] = [],
): Promise<readonly string[]> {
  const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM (${sqlQuery}\n)`)
  const found = new Map(
    described.getRowObjectsJson().map((row) => [String(row.column_name), String(row.column_type)]),
  )
  const names = new Set(schema.fields.map((field) => field.name))
  for (const name of found.keys()) {
    if (names.has(name)) continue
    throw new SchemaMismatch({
      table,
      where: `column ${name}`,
      what: 'is not a column of the table',
      expected: [...names].join(', '),
      found: name,
      fix: 'leave it out of the query, or add it with addColumns',
    })
  }
  const written = schema.fields.filter((field) => !leftOut.includes(field.name))
  return written.map((field) => {
    const name = sqlName(field.name)
    const sqlType = toDuckDbType(field.type)
    const foundType = found.get(field.name)
    if (foundType === undefined) return `CAST(NULL AS ${sqlType}) AS ${name}`
    const given = deltaTypeOf(foundType)
    if (given !== undefined && toDuckDbType(given) === sqlType) return name
    if (given !== undefined && isWidening(given, field.type)) {
      return `CAST(${name} AS ${sqlType}) AS ${name}`
    }
    throw new SchemaMismatch({
      table,
      where: `column ${field.name}`,
      what: 'has another type than the table',
      expected: `${typeText(field.type)} (SQL ${sqlType})`,
      found: `SQL ${foundType}`,
      fix: `cast it in the query: CAST(${name} AS ${sqlType})`,
    })
  })
}

function deltaTypeOf(sqlType: string): DeltaType | undefined {
  try {
    return fromDuckDbType(sqlType)
  } catch (cause) {
    if (cause instanceof InvalidSchema) return undefined
    throw cause
  }
}

/** True if every value of `from` is a value of `to`. */
function isWidening(from: DeltaType, to: DeltaType): boolean {
  const rank = wholeNumbers.indexOf(from)
  if (rank >= 0 && wholeNumbers.indexOf(to) > rank) return true
  if (from === 'float' && to === 'double') return true
  if (typeof from === 'string' || typeof to === 'string') return false
  if (from.type !== 'decimal' || to.type !== 'decimal') return false
  return to.scale >= from.scale && to.precision - to.scale >= from.precision - from.scale
}
