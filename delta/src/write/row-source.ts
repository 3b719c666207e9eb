import { randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { sqlName, sqlPathList, sqlText } from '../data/sql-text.ts'
import { SchemaMismatch } from '../errors.ts'
import { toDuckDbType } from '../schema/duckdb-types.ts'
import type { DeltaField, DeltaSchema, DeltaType } from '../schema/schema.ts'
import type { ColumnData } from './column-data.ts'
import { columnsOfRows, plainColumns } from './column-data.ts'
import type { EngineSettings } from './engine.ts'
import { withConnection, withEngine } from './engine.ts'
import { scanColumns } from './scan-columns.ts'

/**
 * Rows to write, in one of five forms. Columns of the table that are not given become null.
 * - `columns`: arrays by column name; typed arrays are the fastest.
 * - `rows`: one object per row.
 * - `ndjson`: JSON objects, one per line, as text or bytes.
 * - `ndjsonFiles`: files of the same form (`.gz` and `.zst` too); read in parallel.
 * - `query`: a SELECT, run on `connection` or, without one, in a fresh engine that sees files only.
 * In JSON, binary values are base64 text, times are ISO text, NaN and infinities are text. Keys that are
 * no column are ignored. A decimal with more digits than its scale is rounded; one with more than 15
 * digits must be text, since numbers in JSON pass through a double (a longer number is refused).
 */
export type RowSource =
  | { readonly columns: Readonly<Record<string, ColumnData>> }
  | { readonly rows: readonly Readonly<Record<string, unknown>>[] }
  | { readonly ndjson: string | Uint8Array }
  | { readonly ndjsonFiles: string | readonly string[] }
  | { readonly query: string; readonly connection?: DuckDBConnection }

/** Rows from JavaScript are worth another engine from so many on. */
const rowsPerEngine = 250_000

/** More engines than this would wait for JavaScript, which hands the rows over. */
const maxEngines = 4

/** Lines of JSON up to this length are read on all cores. */
const usualLineBytes = 8 * 2 ** 20

/** Lines of JSON may be so long. */
const longestLineBytes = 64 * 2 ** 20

/** Runs a task on a SELECT. */
export type QueryTask<T> = (connection: DuckDBConnection, query: string) => Promise<T>

/**
 * Runs a task on a SELECT that yields the rows, once or several times.
 * @throws SchemaMismatch for values or columns that do not fit the schema
 */
export async function withRowQuery<T>(
  source: RowSource,
  schema: DeltaSchema,
  table: string,
  task: QueryTask<T>,
): Promise<T> {
  if ('query' in source) {
    return await withConnection(source.connection, (connection) => task(connection, source.query))
  }
  if (isInMemory(source)) {
    const plain = plainRows(source, schema, table)
    return await withScan(plain, { start: 0, end: plain.rowCount, table }, {}, schema, task)
  }
  return await withNdjsonFiles(source, async (files) =>
    withEngine(async (connection) => {
      if (files.length === 0) return await task(connection, emptyQuery(schema))
      try {
        return await withLineLimit((lineBytes) =>
          task(connection, ndjsonQuery(files, schema, table, lineBytes)),
        )
      } catch (cause) {
        throw isJsonProblem(cause) ? jsonMismatch(table, cause) : cause
      }
    }),
  )
}

/**
 * As `withRowQuery`, but many rows from JavaScript are split in order among engines of one thread each
 * that run the task side by side: handing rows over then overlaps with writing them.
 * @returns what each of them returned
 */
export async function withRowQueries<T>(
  source: RowSource,
  schema: DeltaSchema,
  table: string,
  task: QueryTask<T>,
): Promise<readonly T[]> {
  if (!isInMemory(source)) return [await withRowQuery(source, schema, table, task)]
  const plain = plainRows(source, schema, table)
  const wanted = Math.floor(plain.rowCount / rowsPerEngine)
  const engineCount = Math.max(1, Math.min(wanted, availableParallelism(), maxEngines))
  const bound = (part: number) => Math.floor((plain.rowCount * part) / engineCount)
  const parts = Array.from({ length: engineCount }, (_, part) =>
    withScan(
      plain,
      { start: bound(part), end: bound(part + 1), table },
      { threads: 1 },
      schema,
      task,
    ),
  )
  // All end before an error is passed on: none may write files after the others were cleaned away.
  const ended = await Promise.allSettled(parts)
  const failed = ended.find((part) => part.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return ended.flatMap((part) => (part.status === 'fulfilled' ? [part.value] : []))
}

/** Rows that JavaScript holds. */
type RowsInMemory = Extract<RowSource, { readonly columns: unknown } | { readonly rows: unknown }>

/** True for rows that JavaScript holds. */
export function isInMemory(source: RowSource): source is RowsInMemory {
  return 'columns' in source || 'rows' in source
}

/** The rows as columns.
 * @throws SchemaMismatch for columns that do not fit the schema
 */
export function plainRows(
  source: RowsInMemory,
  schema: DeltaSchema,
  table: string,
): ReturnType<typeof plainColumns> {
  if ('columns' in source) return plainColumns(source.columns, schema.fields, table)
  return columnsOfRows(source.rows, schema.fields, table)
}

async function withScan<T>(
  { columns }: ReturnType<typeof plainColumns>,
  range: { readonly start: number; readonly end: number; readonly table: string },
  settings: EngineSettings,
  schema: DeltaSchema,
  task: QueryTask<T>,
): Promise<T> {
  return await withEngine(async (connection) => {
    if (columns.length === 0) return await task(connection, emptyQuery(schema))
    const scan = scanColumns(connection, columns, range)
    try {
      return await task(connection, scan.query)
    } catch (cause) {
      throw scan.failure() ?? cause
    }
  }, settings)
}

async function withNdjsonFiles<T>(
  source:
    | { readonly ndjson: string | Uint8Array }
    | { readonly ndjsonFiles: string | readonly string[] },
  task: (files: readonly string[]) => Promise<T>,
): Promise<T> {
  if ('ndjsonFiles' in source) {
    const files = source.ndjsonFiles
    return await task(typeof files === 'string' ? [files] : files)
  }
  if (source.ndjson.length === 0) return await task([])
  const file = join(tmpdir(), `delta-rows-${randomUUID()}.ndjson`)
  try {
    await writeFile(file, source.ndjson)
    return await task([file])
  } finally {
    await rm(file, { force: true })
  }
}

function emptyQuery(schema: DeltaSchema): string {
  const nulls = schema.fields.map(
    ({ name, type }) => `CAST(NULL AS ${toDuckDbType(type)}) AS ${sqlName(name)}`,
  )
  return `SELECT ${nulls.join(', ')} WHERE false`
}

/**
 * Runs a task with a limit for the length of a line, and again with a higher one if it is too low: the
 * engine's threads read twice the limit at a time, so a high one leaves some of them without work.
 */
async function withLineLimit<T>(task: (lineBytes: number) => Promise<T>): Promise<T> {
  try {
    return await task(usualLineBytes)
  } catch (cause) {
    if (!(cause instanceof Error && cause.message.includes('maximum_object_size'))) throw cause
    return await task(longestLineBytes)
  }
}

/** The types are declared, never detected: a value that does not fit fails instead of becoming null. */
function ndjsonQuery(
  files: readonly string[],
  schema: DeltaSchema,
  table: string,
  lineBytes: number,
): string {
  const declared = schema.fields.map(
    (field) => `${sqlText(field.name)}: ${sqlText(jsonType(field, table))}`,
  )
  const columns = schema.fields.map((field) => `${fromJson(field)} AS ${sqlName(field.name)}`)
  return (
    `SELECT ${columns.join(', ')} FROM read_ndjson(${sqlPathList(files)},` +
    ` columns={${declared.join(', ')}}, maximum_object_size=${lineBytes})`
  )
}

/** Digits that every decimal keeps on its way through a double. */
const doubleDigits = 15

function isLongDecimal(type: DeltaType): boolean {
  return typeof type !== 'string' && type.type === 'decimal' && type.precision > doubleDigits
}

/** SQL for the value of a column declared with `jsonType`. */
function fromJson({ name, type }: DeltaField): string {
  const column = sqlName(name)
  if (type === 'binary') return `from_base64(${column})`
  if (!isLongDecimal(type)) return column
  const digits = `regexp_replace(split_part(lower(${column}::VARCHAR), 'e', 1), '^[-0.]+|[.]', '', 'g')`
  const refusal = `JSON: ${name} is a number of more than ${doubleDigits} digits; write it as text`
  return (
    `CASE WHEN json_type(${column}) = 'DOUBLE' AND length(${digits}) > ${doubleDigits}` +
    ` THEN error(${sqlText(refusal)})` +
    ` ELSE CAST(${column}->>'$' AS ${toDuckDbType(type)}) END`
  )
}

function jsonType(field: DeltaField, table: string): string {
  if (field.type === 'binary') return 'VARCHAR'
  if (isLongDecimal(field.type)) return 'JSON'
  if (!holdsBinary(field.type)) return toDuckDbType(field.type)
  throw new SchemaMismatch({
    table,
    where: `column ${field.name}`,
    what: 'has binary values inside lists, maps or structs, which JSON cannot carry',
    fix: 'pass the rows as objects or columns',
  })
}

function holdsBinary(type: DeltaType): boolean {
  if (typeof type === 'string') return type === 'binary'
  if (type.type === 'array') return holdsBinary(type.elementType)
  if (type.type === 'map') return holdsBinary(type.keyType) || holdsBinary(type.valueType)
  return type.type === 'struct' && type.fields.some((field) => holdsBinary(field.type))
}

function isJsonProblem(cause: unknown): boolean {
  return cause instanceof Error && /JSON|Malformed|Conversion Error|cast/i.test(cause.message)
}

function jsonMismatch(table: string, cause: unknown): SchemaMismatch {
  return new SchemaMismatch({
    table,
    where: 'JSON rows',
    what: 'do not fit the columns of the table',
    found: cause instanceof Error ? (cause.message.split('\n')[0] ?? '').slice(0, 300) : '',
    fix: 'correct the line, or change the schema of the table',
    cause,
  })
}
