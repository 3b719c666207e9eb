import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import {
  type DeviceLog,
  type FleetDefinition,
  IsothermError,
  type NewRecord,
} from '../contracts/index.ts'
import { type ColumnMap, resolveMap } from './column-map.ts'
import { type RowMessage, rowConverter } from './message-from-row.ts'
import { openSource } from './source-file.ts'
import { rejectedLines, sourceRows } from './source-rows.ts'

/** What to import and how. */
export type ImportOptions = {
  readonly path: string
  readonly fleet: FleetDefinition
  readonly map: ColumnMap
  /** Device id of files without a device column. */
  readonly deviceId?: string
  /** Keep the good rows of a file that has bad ones; default: import nothing. */
  readonly skipBad?: boolean
  /** Rows measured later than this are bad: one reading from the future makes all later ones late. */
  readonly latestMs?: number
  /** Turns a message into a log record, as the gateway does for devices. */
  readonly admit: (message: ImportedMessage) => NewRecord
  readonly log: DeviceLog
  readonly connection: DuckDBConnection
  readonly onProgress?: (rowCount: number) => void
}

/** A row as a device would have sent it, with the time it arrived where it was recorded. */
export type ImportedMessage = {
  readonly deviceId: string
  readonly timeMs: number
  readonly payload: Uint8Array
}

/** A row that could not be imported. */
export type BadRow = { readonly rowNumber: number; readonly reason: string }

/** What an import did. */
export type ImportOutcome = {
  readonly rowCount: number
  readonly badRowCount: number
  /** The first hundred bad rows. */
  readonly badRows: readonly BadRow[]
  readonly deviceIds: readonly string[]
  readonly firstTimeMs: number | undefined
  readonly lastTimeMs: number | undefined
  /** Sensors that the file feeds; the others stay null. */
  readonly sensors: readonly string[]
}

const maxListedRows = 100

type Tally = {
  rowCount: number
  badRowCount: number
  badRows: BadRow[]
  deviceIds: Set<string>
  firstTimeMs: number
  lastTimeMs: number
}

function note(tally: Tally, bad: BadRow): void {
  tally.badRowCount += 1
  if (tally.badRows.length < maxListedRows) tally.badRows.push(bad)
}

function noteRow(tally: Tally, row: RowMessage): void {
  if (row.kind === 'bad') {
    note(tally, { rowNumber: row.rowNumber, reason: row.reason })
    return
  }
  tally.rowCount += 1
  tally.deviceIds.add(row.deviceId)
  tally.firstTimeMs = Math.min(tally.firstTimeMs, row.timeMs)
  tally.lastTimeMs = Math.max(tally.lastTimeMs, row.timeMs)
}

function refusal(path: string, tally: Tally): IsothermError {
  const shown = tally.badRows
    .slice(0, 10)
    .map(({ rowNumber, reason }) => `  row ${rowNumber}: ${reason}`)
  const more = tally.badRowCount - shown.length
  return new IsothermError(
    'INPUT_INVALID',
    `${path}: ${tally.badRowCount} bad rows, nothing was imported; mend them or add --skip-bad\n` +
      shown.join('\n') +
      (more > 0 ? `\n  and ${more} more` : ''),
  )
}

/**
 * Sees whether a file can be read and fits fleet and map, before there is any place to import to.
 * @throws IsothermError INPUT_INVALID, saying what is missing
 */
export async function checkFile(
  options: Pick<ImportOptions, 'path' | 'fleet' | 'map'> & {
    readonly deviceId: string | undefined
  },
): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const source = await openSource(connection, options.path)
    rowConverter(
      options.fleet,
      resolveMap(options.fleet, options.map, source.columns, options.deviceId),
    )
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/**
 * Imports a CSV, NDJSON or Parquet file through the same decoder and log as live messages. The
 * file is read twice: first to find every bad row, then to append, so that a file with bad rows
 * leaves nothing behind unless `skipBad` says so. Importing a file again adds nothing to the clean
 * table: event ids are deterministic.
 * @throws IsothermError INPUT_INVALID with row numbers and reasons
 */
export async function importFile(options: ImportOptions): Promise<ImportOutcome> {
  const { connection, path, fleet, log, admit, onProgress } = options
  const source = await openSource(connection, path)
  const map = resolveMap(fleet, options.map, source.columns, options.deviceId)
  const convert = rowConverter(fleet, map, options.latestMs)
  const tally: Tally = {
    rowCount: 0,
    badRowCount: 0,
    badRows: [],
    deviceIds: new Set(),
    firstTimeMs: Number.POSITIVE_INFINITY,
    lastTimeMs: Number.NEGATIVE_INFINITY,
  }
  for await (const rows of sourceRows(connection, source, map)) {
    for (const row of rows) noteRow(tally, convert(row))
  }
  for (const rejected of await rejectedLines(connection)) note(tally, rejected)
  tally.badRows.sort((a, b) => a.rowNumber - b.rowNumber)
  if (tally.badRowCount > 0 && options.skipBad !== true) throw refusal(path, tally)
  if (tally.rowCount === 0) {
    throw new IsothermError(
      'INPUT_INVALID',
      `${path}: ${tally.badRowCount === 0 ? 'there is no row in it' : 'no row is good'}; check the file`,
    )
  }

  let appendedCount = 0
  for await (const rows of sourceRows(connection, source, map)) {
    const records = rows
      .map(convert)
      .flatMap((row) =>
        row.kind === 'message' ? [admit({ ...row, payload: Buffer.from(row.payload) })] : [],
      )
    await log.append(records)
    appendedCount += records.length
    onProgress?.(appendedCount)
  }
  return {
    rowCount: tally.rowCount,
    badRowCount: tally.badRowCount,
    badRows: tally.badRows,
    deviceIds: [...tally.deviceIds].toSorted(),
    firstTimeMs: tally.rowCount === 0 ? undefined : tally.firstTimeMs,
    lastTimeMs: tally.rowCount === 0 ? undefined : tally.lastTimeMs,
    sensors: map.sensors.map(({ name }) => name),
  }
}
