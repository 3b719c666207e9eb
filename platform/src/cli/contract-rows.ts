import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { Option } from 'commander'
import { IsothermError, quoteName } from '../contracts/index.ts'
import { openLake } from '../lake/index.ts'
import { loadFleet } from './fleet-source.ts'
import { type CommonOptions, fleetName, requireDataFolder } from './program.ts'

/** Which rows of a file or table to look at. */
export type RowRange = {
  /** Column of the time; default: the first timestamp. */
  readonly time?: string
  readonly from?: string
  readonly until?: string
  readonly days?: number
  /** How a CSV file writes times, as `%m/%d/%Y %H:%M`; default: found. */
  readonly timeFormat?: string
}

/** Options that say which rows. */
export type RangeOptions = CommonOptions & {
  readonly time?: string
  readonly from?: string
  readonly until?: string
  readonly timeFormat?: string
}

/** The options of `RangeOptions`. */
export const rangeOptions = () => [
  new Option('--time <column>', 'column of the time; default: the first timestamp'),
  new Option('--from <instant>', 'only rows from then on, UTC'),
  new Option('--until <instant>', 'only rows before then, UTC'),
  new Option('--time-format <format>', 'how a CSV file writes times, as %m/%d/%Y %H:%M'),
]

/** The range the options say. */
export function rangeOf({ time, from, until, timeFormat }: RangeOptions): RowRange {
  return {
    ...(time !== undefined && { time }),
    ...(from !== undefined && { from }),
    ...(until !== undefined && { until }),
    ...(timeFormat !== undefined && { timeFormat }),
  }
}

const sqlText = (text: string) => `'${text.replaceAll("'", "''")}'`

const readers: Readonly<Record<string, (path: string, timeFormat?: string) => string>> = {
  csv: (path, timeFormat) => {
    const format = timeFormat === undefined ? '' : `, timestampformat = ${sqlText(timeFormat)}`
    return `read_csv(${path}, sample_size = -1${format})`
  },
  parquet: (path) => `read_parquet(${path})`,
  ndjson: (path) => `read_json(${path}, format = 'newline_delimited')`,
  json: (path) => `read_json(${path})`,
}

function fileRelation(path: string, timeFormat: string | undefined): string {
  const ending = path.split('.').at(-1)?.toLowerCase() ?? ''
  const reader = readers[ending]
  if (reader !== undefined) return reader(sqlText(resolve(path)), timeFormat)
  throw new IsothermError(
    'INPUT_INVALID',
    `${path}: expected a file that ends with ${Object.keys(readers).join(', ')}`,
  )
}

function instantOf(text: string): string {
  const ms = Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`)
  if (!Number.isNaN(ms)) return `TIMESTAMP ${sqlText(new Date(ms).toISOString().slice(0, -1))}`
  throw new IsothermError('INPUT_INVALID', `${text} is no instant such as 2026-11-21T00:00`)
}

/** The rows of a relation within a range of time. */
async function withinRange(
  connection: DuckDBConnection,
  relation: string,
  { time, from, until, days }: RowRange,
): Promise<string> {
  if (from === undefined && until === undefined && days === undefined) return relation
  const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${relation}`)
  const column =
    time ??
    described
      .getRowObjects()
      .find(({ column_type: type }) => /^(TIMESTAMP|DATE$)/.test(String(type)))?.column_name
  // Rows without a time have one stretch: all of them.
  if (column === undefined && from === undefined && until === undefined) return relation
  if (column === undefined) {
    throw new IsothermError('INPUT_INVALID', 'no column is a timestamp; name it with --time')
  }
  const at = `TRY_CAST(${quoteName(String(column))} AS TIMESTAMP)`
  const start = from === undefined ? `(SELECT min(${at}) FROM ${relation})` : instantOf(from)
  const end =
    until === undefined
      ? days === undefined
        ? undefined
        : `${start} + INTERVAL '${days} days'`
      : instantOf(until)
  const before = end === undefined ? '' : ` AND ${at} < ${end}`
  // A row whose time cannot be read belongs to every range: it is a fault to be seen.
  return `(SELECT * FROM ${relation} WHERE (${at} >= ${start}${before}) OR ${at} IS NULL)`
}

async function withFile<T>(
  path: string,
  timeFormat: string | undefined,
  work: (connection: DuckDBConnection, relation: string) => Promise<T>,
): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run("SET TimeZone = 'UTC'")
    return await work(connection, fileRelation(path, timeFormat))
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

async function withTable<T>(
  options: CommonOptions,
  name: string,
  work: (connection: DuckDBConnection, relation: string) => Promise<T>,
): Promise<T> {
  const directory = join(requireDataFolder(options.data), 'tables')
  const temporaryDirectory = mkdtempSync(join(tmpdir(), 'isotherm-contracts-'))
  const fleet = await loadFleet(fleetName(options))
  const lake = await openLake({ directory, fleet, readOnly: true, temporaryDirectory })
  try {
    const table = lake.table(name)
    const relation = table.relation(await table.snapshot())
    return await lake.withConnection((connection) => work(connection, relation))
  } finally {
    await lake.close()
    rmSync(temporaryDirectory, { recursive: true, force: true })
  }
}

/** Gives work the rows of a file, or of a table of the data folder, within a range of time. */
export async function withRowsOf<T>(
  options: CommonOptions,
  rows: string,
  range: RowRange,
  work: (connection: DuckDBConnection, relation: string) => Promise<T>,
): Promise<T> {
  const ranged = async (connection: DuckDBConnection, relation: string) =>
    work(connection, await withinRange(connection, relation, range))
  if (existsSync(rows)) return withFile(rows, range.timeFormat, ranged)
  if (/[./\\]/.test(rows)) throw new IsothermError('INPUT_INVALID', `there is no file ${rows}`)
  return withTable(options, rows, ranged)
}
