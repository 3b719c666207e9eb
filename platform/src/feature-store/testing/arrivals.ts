import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { watermarkPrefix } from '../../clean/index.ts'
import { exampleFleet } from '../../contracts/index.ts'
import { type Lake, openLake, withRows } from '../../lake/index.ts'

/** Start of the test history: a UTC midnight. */
export const day0 = Date.UTC(2026, 1, 16)
export const minuteMs = 60_000
export const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs

/** A clean reading and when it arrived. */
export type Arrival = {
  readonly device: string
  readonly at: number
  readonly arrivedAt: number
  readonly temperature: number | null
  readonly pressure: number | null
}

/** A lake of the example fleet in a folder of its own. */
export async function temporaryLake(): Promise<{
  readonly lake: Lake
  readonly remove: () => Promise<void>
}> {
  const directory = mkdtempSync(join(tmpdir(), 'isotherm-feature-store-'))
  const lake = await openLake({ directory, fleet: exampleFleet, threadCount: 2 })
  const remove = async () => {
    await lake.close()
    rmSync(directory, { recursive: true, force: true })
  }
  return { lake, remove }
}

/** Commits arrivals as one version of the clean table, in the order given. */
export async function commitArrivals(lake: Lake, arrivals: readonly Arrival[]): Promise<void> {
  const table = lake.table('clean_sensor_readings')
  const { transactions } = await table.snapshot()
  const newest = Math.max(...arrivals.map(({ arrivedAt }) => arrivedAt))
  const rows = arrivals.map(({ device, at, arrivedAt, temperature, pressure }) => ({
    event_id: `${device}-${at}-${arrivedAt}`,
    device_id: device,
    timestamp_utc: at,
    temperature,
    pressure,
    door_open: false,
    quality_flags: [],
    sensor_null_count: (temperature === null ? 1 : 0) + (pressure === null ? 1 : 0),
    timestamp_ingested: arrivedAt,
    date: new Date(at).toISOString().slice(0, 10),
  }))
  const appId = `${watermarkPrefix}0/0`
  await withRows(lake.temporaryDirectory, table.contract, rows, (relation) =>
    lake.withConnection((connection) =>
      table.write({
        connection,
        query: `SELECT * FROM ${relation}`,
        positions: newest > (transactions.get(appId) ?? -1) ? [{ appId, version: newest }] : [],
        operation: 'CLEAN',
        nowMs: newest,
      }),
    ),
  )
}

/** Rows of a query over a lake table, as objects with epoch ms instead of instants. */
export async function rowsOf(
  lake: Lake,
  name: string,
  where = 'true',
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const table = lake.table(name)
  const snapshot = await table.snapshot()
  const columns = table.contract.columns.map(({ name: column, type }) =>
    type === 'timestamp' ? `epoch_ms(${column})::DOUBLE AS ${column}` : column,
  )
  const order = table.contract.key.join(', ')
  const reader = await lake.withConnection((connection) =>
    connection.runAndReadAll(
      `SELECT ${columns.join(', ')} FROM ${table.relation(snapshot)} WHERE ${where} ORDER BY ${order}`,
    ),
  )
  return reader.getRowObjectsJS()
}
