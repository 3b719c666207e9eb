import { randomUUID } from 'node:crypto'
import type { DuckDBConnection } from '@duckdb/node-api'
import { alignedColumns } from '../data/row-alignment.ts'
import { sqlName } from '../data/sql-text.ts'
import { InvalidMergeKey } from '../errors.ts'
import type { Snapshot } from '../log/replay.ts'
import type { DeltaField, DeltaType } from '../schema/schema.ts'
import { typeText } from '../schema/schema.ts'
import { unusedName } from './matching-rows.ts'
import type { Predicate, PredicateValue } from './predicate.ts'

/** The rows of an upsert as a table of the engine. */
export interface StagedUpsert {
  /** SQL name of the table: all columns of the schema, and `mark`. */
  readonly name: string
  /** SQL name of a column that is true in every row. */
  readonly mark: string
  readonly rowCount: number
  readonly givenColumns: readonly string[]
  /** SQL condition on the relations `old` and `given`. */
  readonly keysAreEqual: string
}

interface KeyOptions {
  readonly keys: readonly string[]
  readonly nullKeys?: 'refuse' | 'equal'
}

/** Up to so many key values, files are skipped by each of them instead of by their range. */
const maxListedKeys = 200

/**
 * Runs a task on the rows of an upsert, checked: the keys are columns, not null, and each occurs once.
 * @throws InvalidMergeKey, SchemaMismatch
 */
export async function withUpsertRows<T>(
  connection: DuckDBConnection,
  query: string,
  snapshot: Snapshot,
  options: KeyOptions,
  table: string,
  task: (staged: StagedUpsert) => Promise<T>,
): Promise<T> {
  const { schema } = snapshot
  const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM (${query}\n)`)
  const givenColumns = described.getRowObjectsJson().map((row) => String(row.column_name))
  checkKeys(options.keys, snapshot, givenColumns, table)
  const columns = await alignedColumns(connection, query, schema, table)
  const name = sqlName(`upsert_${randomUUID()}`)
  const mark = sqlName(unusedName('is_given', schema))
  await connection.run(
    `CREATE TEMP TABLE ${name} AS SELECT ${columns.join(', ')}, true AS ${mark}` +
      ` FROM (${query}\n) AS given_rows`,
  )
  try {
    const counted = await connection.runAndReadAll(`SELECT count(*) FROM ${name}`)
    const rowCount = Number(counted.getRowsJson()[0]?.[0])
    if (options.nullKeys !== 'equal') await checkNoNulls(connection, name, options.keys, table)
    await checkUnique(connection, name, options.keys, table)
    const equals = options.nullKeys === 'equal' ? 'IS NOT DISTINCT FROM' : '='
    const keysAreEqual = options.keys
      .map((key) => `old.${sqlName(key)} ${equals} given.${sqlName(key)}`)
      .join(' AND ')
    return await task({ name, mark, rowCount, givenColumns, keysAreEqual })
  } finally {
    await connection.run(`DROP TABLE IF EXISTS ${name}`)
  }
}

/** A condition that every row with one of the keys meets: their values, or their range. */
export async function keyRange(
  connection: DuckDBConnection,
  staged: StagedUpsert,
  { schema }: Snapshot,
  options: KeyOptions,
): Promise<Predicate> {
  const conditions: Predicate[] = []
  for (const key of options.keys) {
    const field = schema.fields.find(({ name }) => name === key)
    if (field === undefined) continue
    const condition = await columnRange(connection, staged, field)
    if (condition === undefined) continue
    const isNull = { column: key, isNull: true } as const
    conditions.push(options.nullKeys === 'equal' ? { or: [condition, isNull] } : condition)
  }
  return { and: conditions }
}

async function columnRange(
  connection: DuckDBConnection,
  staged: StagedUpsert,
  field: DeltaField,
): Promise<Predicate | undefined> {
  const column = sqlName(field.name)
  const text = valueText(field.type, column)
  if (text === undefined) return undefined
  const values = `SELECT DISTINCT ${column} FROM ${staged.name} WHERE ${column} IS NOT NULL`
  const listed = await connection.runAndReadAll(
    `SELECT ${text} FROM (${values} LIMIT ${maxListedKeys + 1}) AS listed`,
  )
  const list = listed.getRowsJson().map(([value]) => predicateValue(field.type, String(value)))
  if (list.length <= maxListedKeys) return { column: field.name, in: list }
  const bounds = await connection.runAndReadAll(
    `SELECT ${valueText(field.type, `min(${column})`)}, ${valueText(field.type, `max(${column})`)}` +
      ` FROM ${staged.name}`,
  )
  const [low, high] = bounds.getRowsJson()[0] ?? []
  return {
    and: [
      { column: field.name, is: '>=', value: predicateValue(field.type, String(low)) },
      { column: field.name, is: '<=', value: predicateValue(field.type, String(high)) },
    ],
  }
}

/** SQL for a value as text that `predicateValue` reads; undefined for types without an order here. */
function valueText(type: DeltaType, sql: string): string | undefined {
  if (typeof type !== 'string') return type.type === 'decimal' ? `${sql}::VARCHAR` : undefined
  switch (type) {
    case 'string':
      // As hex: the engine's client drops a byte order mark at the beginning of a text.
      return `hex(encode(${sql}))`
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
    case 'date':
      return `${sql}::VARCHAR`
    case 'timestamp':
    case 'timestamp_ntz':
      return `epoch_us(${sql})::VARCHAR`
    default:
      return undefined
  }
}

function predicateValue(type: DeltaType, text: string): PredicateValue {
  if (type === 'string') return Buffer.from(text, 'hex').toString('utf8')
  return type === 'timestamp' || type === 'timestamp_ntz' ? BigInt(text) : text
}

function checkKeys(
  keys: readonly string[],
  { schema }: Snapshot,
  givenColumns: readonly string[],
  table: string,
): void {
  for (const key of keys) {
    const field = schema.fields.find(({ name }) => name === key)
    const problem =
      field === undefined
        ? 'is not a column of the table'
        : !givenColumns.includes(key)
          ? 'is not in the rows given'
          : typeof field.type !== 'string' && field.type.type !== 'decimal'
            ? `is of type ${typeText(field.type)}, which cannot be a key`
            : undefined
    if (problem === undefined) continue
    throw new InvalidMergeKey({
      table,
      where: `key ${key}`,
      what: problem,
      fix: 'use plain columns that both the table and the rows have',
    })
  }
}

async function checkNoNulls(
  connection: DuckDBConnection,
  name: string,
  keys: readonly string[],
  table: string,
): Promise<void> {
  const anyNull = keys.map((key) => `${sqlName(key)} IS NULL`).join(' OR ')
  const found = await connection.runAndReadAll(`SELECT count(*) FROM ${name} WHERE ${anyNull}`)
  const count = Number(found.getRowsJson()[0]?.[0])
  if (count === 0) return
  throw new InvalidMergeKey({
    table,
    where: `keys ${keys.join(', ')}`,
    what: 'null in the rows given',
    found: `${count} rows`,
    fix: "fill the keys, or pass nullKeys: 'equal'",
  })
}

async function checkUnique(
  connection: DuckDBConnection,
  name: string,
  keys: readonly string[],
  table: string,
): Promise<void> {
  const columns = keys.map(sqlName).join(', ')
  const found = await connection.runAndReadAll(
    `SELECT ${columns}, count(*) FROM ${name} GROUP BY ${columns} HAVING count(*) > 1 LIMIT 1`,
  )
  const row = found.getRowsJson()[0]
  if (row === undefined) return
  throw new InvalidMergeKey({
    table,
    where: `keys ${keys.join(', ')}`,
    what: 'a key more than once in the rows given, so the result would depend on their order',
    found: `(${row.slice(0, -1).join(', ')}) ${row.at(-1)} times`,
    fix: 'keep one row per key, for instance the newest',
  })
}
