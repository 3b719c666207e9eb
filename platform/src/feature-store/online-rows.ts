import type { AddFile, Snapshot } from '@isotherm/delta'
import { quoteName } from '../contracts/index.ts'
import type { Lake } from '../lake/index.ts'
import { dayMs, utcDate } from './retention.ts'

/** The newest row of a device and duration, with everything needed to compute it again. */
export type OnlineRow = {
  readonly deviceId: string
  readonly durationMinutes: number
  readonly windowStartMs: number
  readonly windowEndMs: number
  readonly featureVersion: string
  /** Version of the clean table it was computed from. */
  readonly cleanVersion: number
  readonly operatingMode: string | null
  readonly isFinal: boolean
  /** One per feature, in the order of the fleet's columns; the numbers of the offline row. */
  readonly values: readonly (number | null)[]
}

/** Days before the newest window in which a device's last row is looked for. */
const lookBackDays = 3

/** Feature files of a duration that hold its newest days. */
function newestFiles(snapshot: Snapshot, minutes: number): readonly AddFile[] {
  const own = snapshot.files.filter(
    ({ partitionValues }) => partitionValues.window_duration_minutes === String(minutes),
  )
  const newest = own.reduce(
    (latest, { partitionValues: { window_date: date } }) =>
      (date ?? '') > latest ? date! : latest,
    '',
  )
  if (newest === '') return []
  const first = utcDate(Date.parse(newest) - lookBackDays * dayMs)
  return own.filter(({ partitionValues }) => (partitionValues.window_date ?? '') >= first)
}

/** The newest row of each device from the given feature files of one duration. */
async function newestRows(
  lake: Lake,
  snapshot: Snapshot,
  files: readonly AddFile[],
  columns: readonly string[],
): Promise<readonly OnlineRow[]> {
  if (files.length === 0) return []
  const relation = lake.table('device_features').relation(snapshot, files)
  const key = 'device_id, window_duration_minutes'
  const query = `SELECT device_id, window_duration_minutes::DOUBLE,
      epoch_ms(window_start)::DOUBLE, epoch_ms(window_end)::DOUBLE, feature_version,
      clean_snapshot_id, operating_mode, coalesce(is_final, false),
      ${columns.map((name) => `${quoteName(name)}::DOUBLE`).join(', ')}
    FROM ${relation} JOIN (SELECT ${key}, max(window_start) AS window_start
      FROM ${relation} GROUP BY ${key}) USING (${key}, window_start)`
  const rows: OnlineRow[] = []
  await lake.withConnection(async (connection) => {
    // In pieces: a whole fleet in one would hold up everything else of the process for a second.
    for await (const piece of (await connection.stream(query)).yieldRowsJs()) {
      for (const cells of piece) rows.push(onlineRow(cells))
    }
  })
  return rows
}

function onlineRow(cells: readonly unknown[]): OnlineRow {
  const text = (index: number) => String(cells[index] ?? '')
  return {
    deviceId: text(0),
    durationMinutes: Number(cells[1]),
    windowStartMs: Number(cells[2]),
    windowEndMs: Number(cells[3]),
    featureVersion: text(4),
    cleanVersion: Number(cells[5]),
    operatingMode: typeof cells[6] === 'string' ? cells[6] : null,
    isFinal: cells[7] === true,
    values: cells.slice(8).map((cell) => (typeof cell === 'number' ? cell : null)),
  }
}

/** The newest rows of all durations; devices silent for three days have none. */
export async function readNewestRows(
  lake: Lake,
  snapshot: Snapshot,
  columns: readonly string[],
): Promise<readonly OnlineRow[]> {
  const files = lake.fleet.windowMinutes.flatMap((minutes) => newestFiles(snapshot, minutes))
  return newestRows(lake, snapshot, files, columns)
}

/** The newest rows among those that versions after `fromVersion` wrote. */
export async function readAddedRows(
  lake: Lake,
  snapshot: Snapshot,
  fromVersion: number,
  columns: readonly string[],
): Promise<readonly OnlineRow[]> {
  const table = lake.table('device_features')
  const added = await table.addedFiles(fromVersion, snapshot.version)
  return newestRows(lake, snapshot, added, columns)
}

/** Means of the trailing 24 complete hours of each device, weighted by readings, FEA-52. */
export type DayMeans = {
  readonly readingCount: number
  /** One per column of the request; null without a value in 24 hours. */
  readonly means: readonly (number | null)[]
}

/** Reads the day's means of all devices from the hourly rows that end in (end - 24 h, end]. */
export async function readDayMeans(
  lake: Lake,
  snapshot: Snapshot,
  endMs: number,
  columns: readonly string[],
): Promise<ReadonlyMap<string, DayMeans>> {
  const first = utcDate(endMs - dayMs - 3_600_000)
  const files = snapshot.files.filter(
    ({ partitionValues }) =>
      partitionValues.window_duration_minutes === '60' &&
      (partitionValues.window_date ?? '') >= first,
  )
  if (files.length === 0) return new Map()
  const means = columns.map((column) => {
    const name = quoteName(column)
    return `sum(${name} * reading_count) / sum(reading_count) FILTER (${name} IS NOT NULL)`
  })
  const read = await lake.withConnection((connection) =>
    connection.runAndReadAll(`SELECT device_id, sum(reading_count)::DOUBLE, ${means.join(', ')}
      FROM ${lake.table('device_features').relation(snapshot, files)}
      WHERE window_duration_minutes = 60
        AND window_end > make_timestamptz(${(endMs - dayMs) * 1000})
        AND window_end <= make_timestamptz(${endMs * 1000})
      GROUP BY device_id`),
  )
  return new Map(
    read.getRowsJS().map(([deviceId, readingCount, ...values]) => [
      String(deviceId),
      {
        readingCount: Number(readingCount),
        means: values.map((value) => (typeof value === 'number' ? value : null)),
      },
    ]),
  )
}
