import type { DuckDBConnection } from '@duckdb/node-api'
import { relationSql } from '../data/relation.ts'
import { sqlName, sqlText } from '../data/sql-text.ts'
import type { StatisticValue } from '../data/statistics.ts'
import { parseStatistics } from '../data/statistics.ts'
import { localRoot } from '../data/write-files.ts'
import type { AddFile } from '../log/actions.ts'
import type { Snapshot } from '../log/replay.ts'
import { mappingMode, physicalName } from '../schema/column-mapping.ts'
import type { DeltaField } from '../schema/schema.ts'
import type { DeltaTable } from '../table.ts'
import { microsOf } from '../write/calendar.ts'
import { readErrorOf } from './read-error.ts'
import { connected } from './rows.ts'

/** What to check. */
export interface StatisticsCheckOptions {
  /** Default: the newest. */
  readonly snapshot?: Snapshot
  /** Live files to check. Default: all. */
  readonly files?: readonly AddFile[]
  /** Engine to read with; its session's `TimeZone` becomes UTC. Default: one for this call. */
  readonly connection?: DuckDBConnection
}

/** A statement about a file that its rows deny. */
export interface StatisticsFault {
  /** Path of the file, as in the log. */
  readonly path: string
  /** The column, where it is about one. */
  readonly column?: string
  readonly what: 'row count' | 'null count' | 'minimum' | 'maximum'
  /** What the log says. */
  readonly expected: string
  /** What the file holds. */
  readonly found: string
}

/**
 * Compares the statistics in the log with the rows of the files: row counts, null counts, and bounds of
 * top-level columns. A reader that skips files by such a fault loses rows, so none may be there. Rows
 * that a deletion vector takes away count here, as they do in statistics.
 * @throws DataFileMissing, DataFileUnreadable, StoreNotLocal
 * Cost: every file is read in full, one after another.
 */
export async function checkStatistics(
  table: DeltaTable,
  options: StatisticsCheckOptions = {},
): Promise<readonly StatisticsFault[]> {
  const snapshot = options.snapshot ?? (await table.snapshot())
  const { connection, close } = await connected(options.connection)
  try {
    await connection.run("SET TimeZone='UTC'")
    const faults: StatisticsFault[] = []
    for (const file of options.files ?? snapshot.files) {
      faults.push(...(await faultsOf(connection, table, snapshot, file)))
    }
    return faults
  } finally {
    close()
  }
}

/** One statement: SQL that counts or shows what denies it, and how to read the result. */
interface Statement {
  readonly column?: string
  readonly what: StatisticsFault['what']
  readonly expected: string
  /** Null if the statement holds, else what the file holds, as text. */
  readonly sql: string
}

async function faultsOf(
  connection: DuckDBConnection,
  table: DeltaTable,
  snapshot: Snapshot,
  file: AddFile,
): Promise<readonly StatisticsFault[]> {
  const statements = statementsOf(snapshot, file, localRoot(table.store))
  if (statements.length === 0) return []
  const { deletionVector: _, ...whole } = file
  const relation = relationSql(table, snapshot, { files: [whole] })
  try {
    const sql = `SELECT ${statements.map((statement) => statement.sql).join(', ')} FROM ${relation}`
    const [found = []] = (await connection.runAndReadAll(sql)).getRowsJson()
    return statements.flatMap(({ column, what, expected }, i) => {
      const value = found[i]
      if (value === null || value === undefined) return []
      const fault = { path: file.path, what, expected, found: String(value) }
      return [column === undefined ? fault : { ...fault, column }]
    })
  } catch (cause) {
    throw await readErrorOf(cause, { table, snapshot, files: [file] }, connection)
  }
}

function statementsOf(snapshot: Snapshot, file: AddFile, root: string): readonly Statement[] {
  const statistics = parseStatistics(file)
  if (statistics === undefined) return []
  const { numRecords } = statistics
  const statements: Statement[] = []
  if (numRecords !== undefined) {
    const sql = `CASE WHEN count(*) <> ${numRecords} THEN count(*)::VARCHAR END`
    statements.push({ what: 'row count', expected: String(numRecords), sql })
  }
  const mode = mappingMode(snapshot, root)
  const isTight = !/"tightBounds"\s*:\s*false/.test(file.stats ?? '')
  for (const field of snapshot.schema.fields) {
    if (snapshot.partitionColumns.includes(field.name)) continue
    const key = physicalName(field, mode)
    const nulls = statistics.nullCount.get(key)
    if (nulls !== undefined) statements.push(...nullStatement(field, nulls, numRecords, isTight))
    statements.push(...boundStatement(field, 'minimum', statistics.minValues.get(key)))
    statements.push(...boundStatement(field, 'maximum', statistics.maxValues.get(key)))
  }
  return statements
}

/** Delta: with wide bounds only the null counts 0 and "all" say something for sure. */
function nullStatement(
  { name, type }: DeltaField,
  nulls: number,
  rowCount: number | undefined,
  isTight: boolean,
): readonly Statement[] {
  // A struct's count is kept for its fields.
  if (typeof type !== 'string' && type.type === 'struct') return []
  if (!isTight && nulls !== 0 && nulls !== rowCount) return []
  const counted = `(count(*) - count(${sqlName(name)}))`
  const sql = `CASE WHEN ${counted} <> ${nulls} THEN ${counted}::VARCHAR END`
  return [{ column: name, what: 'null count', expected: String(nulls), sql }]
}

function boundStatement(
  field: DeltaField,
  what: 'minimum' | 'maximum',
  bound: StatisticValue | undefined,
): readonly Statement[] {
  if (bound === undefined) return []
  const sides = comparable(field, bound, what)
  if (sides === undefined) return []
  const { value, limit } = sides
  const extreme = `${what === 'minimum' ? 'min' : 'max'}(${value})`
  const outside = what === 'minimum' ? `${extreme} < ${limit}` : `${extreme} > ${limit}`
  const sql = `CASE WHEN ${outside} THEN ${extreme}::VARCHAR END`
  return [{ column: field.name, what, expected: String(bound), sql }]
}

/** Column and bound as SQL that compares; undefined for types whose bounds mean nothing. */
function comparable(
  { name, type }: DeltaField,
  bound: StatisticValue,
  what: 'minimum' | 'maximum',
): { readonly value: string; readonly limit: string } | undefined {
  const column = sqlName(name)
  const text = sqlText(String(bound))
  switch (type) {
    case 'string':
      return { value: column, limit: text }
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
      return { value: column, limit: `${text}::HUGEINT` }
    case 'double':
    case 'float': {
      // NaN has no place in bounds; writers leave it out of them.
      const value = `CASE WHEN NOT isnan(${column}) THEN ${column} END`
      return { value, limit: `${text}::${type === 'float' ? 'FLOAT' : 'DOUBLE'}` }
    }
    case 'date':
      return { value: column, limit: `${sqlText(String(bound).slice(0, 10))}::DATE` }
    case 'timestamp':
    case 'timestamp_ntz': {
      const micros = microsOf(typeof bound === 'string' ? bound : undefined)
      if (micros === undefined) return undefined
      // Bounds are cut to milliseconds, so a value may be up to one above the maximum.
      return {
        value: `epoch_us(${column})`,
        limit: String(micros + (what === 'maximum' ? 999n : 0n)),
      }
    }
    default: {
      if (typeof type === 'string' || type.type !== 'decimal') return undefined
      // A bound may have gone through a double; so does the value, which keeps the order.
      return { value: `${column}::DOUBLE`, limit: `${text}::DOUBLE` }
    }
  }
}
