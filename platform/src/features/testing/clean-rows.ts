import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { watermarkPrefix } from '../../clean/index.ts'
import { exampleFleet, type FleetDefinition } from '../../contracts/index.ts'
import { type Lake, openLake, withRows } from '../../lake/index.ts'

/** Start of the test history: a UTC midnight. */
export const day0 = Date.UTC(2026, 1, 16)
export const minuteMs = 60_000
export const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs

/** The example fleet; its derived feature, mode and durations are what the tests expect. */
export const testFleet: FleetDefinition = exampleFleet

/** What a test says about a clean row. */
export type CleanReading = {
  readonly device: string
  /** Event time, epoch ms. */
  readonly at: number
  /** Default one second after `at`. */
  readonly arrivedAt?: number
  readonly values: Readonly<Record<string, number | boolean | null>>
  readonly flags?: readonly string[]
}

const lakes: Lake[] = []

/** A lake in a new folder; `closeLakes` closes it. */
export async function newLake(threadCount = 2, fleet: FleetDefinition = testFleet): Promise<Lake> {
  const directory = await mkdtemp(join(tmpdir(), 'isotherm-features-'))
  const lake = await openLake({ directory, fleet, threadCount })
  lakes.push(lake)
  return lake
}

export async function closeLakes(): Promise<void> {
  for (const lake of lakes.splice(0)) await lake.close()
}

/**
 * Commits clean rows as one version, in the order given.
 * @param watermarkMs newest arrival cleansed of log partition 0; default the newest of the rows
 */
export async function commitClean(
  lake: Lake,
  readings: readonly CleanReading[],
  watermarkMs?: number,
): Promise<void> {
  const table = lake.table('clean_sensor_readings')
  const arrivedAt = (reading: CleanReading) => reading.arrivedAt ?? reading.at + 1000
  const newest = watermarkMs ?? Math.max(...readings.map(arrivedAt))
  const { transactions, version } = await table.snapshot()
  const rows = readings.map((reading, index) => ({
    event_id: `e-${version}-${index}`,
    device_id: reading.device,
    timestamp_utc: reading.at,
    ...reading.values,
    quality_flags: reading.flags ?? [],
    sensor_null_count: lake.fleet.sensors.filter(
      ({ name }) => (reading.values[name] ?? null) === null,
    ).length,
    timestamp_ingested: arrivedAt(reading),
    timestamp_available: arrivedAt(reading) + 1000,
    date: new Date(reading.at).toISOString().slice(0, 10),
  }))
  const appId = `${watermarkPrefix}0/0`
  const isNewer = newest > (transactions.get(appId) ?? -1)
  await withRows(lake.temporaryDirectory, table.contract, rows, (relation) =>
    lake.withConnection((connection) =>
      table.write({
        connection,
        query: `SELECT * FROM ${relation}`,
        positions: isNewer ? [{ appId, version: newest }] : [],
        operation: 'CLEAN',
        nowMs: newest,
      }),
    ),
  )
}

/** A stored feature row; timestamps as epoch ms. */
export type StoredFeatures = Readonly<Record<string, unknown>>

/** Feature rows in key order. */
export async function featureRows(
  lake: Lake,
  minutes?: number,
): Promise<readonly StoredFeatures[]> {
  const table = lake.table('device_features')
  const snapshot = await table.snapshot()
  const columns = table.contract.columns.map(({ name, type }) =>
    type === 'timestamp' ? `epoch_ms(${name})::DOUBLE AS ${name}` : name,
  )
  return await lake.withConnection(async (connection) => {
    const reader = await connection.runAndReadAll(
      `SELECT ${columns.join(', ')} FROM ${table.relation(snapshot)}
        ${minutes === undefined ? '' : `WHERE window_duration_minutes = ${minutes}`}
        ORDER BY window_duration_minutes, window_start, device_id`,
    )
    return reader.getRowObjectsJS()
  })
}
