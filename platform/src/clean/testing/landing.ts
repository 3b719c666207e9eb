import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DeviceRow, exampleFleet, type FleetDefinition } from '../../contracts/index.ts'
import { type Lake, openLake, withRows } from '../../lake/index.ts'

/** Start of the test history: a UTC midnight. */
export const day0 = Date.UTC(2026, 1, 16)
export const minuteMs = 60_000
export const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs

/** The example fleet with everything cleansing can be told. */
export const testFleet: FleetDefinition = {
  ...exampleFleet,
  equipmentClasses: ['example', 'wide'],
  sensors: exampleFleet.sensors.map((sensor) =>
    sensor.name === 'temperature' ? { ...sensor, suspectBelow: -30 } : sensor,
  ),
  rangeProfiles: { wide: { temperature: [-60, 90] } },
  idleBounds: { sensor: 'pressure', below: 150, ranges: { temperature: [-40, 80] } },
  firmwareMatrix: [{ below: '3.0', absent: ['door_open'] }],
}

/** A registry row with sensible defaults. */
export function deviceRow(deviceId: string, changes: Partial<DeviceRow> = {}): DeviceRow {
  return {
    device_id: deviceId,
    status: 'active',
    site_id: 'site-1',
    region: 'eu',
    model: 'm1',
    equipment_class: 'example',
    climate_zone: null,
    customer_tier: null,
    cohort_id: null,
    install_date: null,
    firmware_version: '3.5',
    expected_sensors: null,
    reporting_interval_s: 60,
    timezone: 'UTC',
    timestamp_mode: 'utc',
    pressure_reference: 'absolute',
    valid_from: day0 - 100 * dayMs,
    valid_to: null,
    site_name: null,
    ...changes,
  }
}

/** What a test says about a landing row; the rest is filled in. */
export type Arrival = {
  readonly device: string
  /** Device time, epoch ms. */
  readonly at: number
  /** Arrival; default one second after `at`. */
  readonly arrivedAt?: number
  readonly sentAt?: number
  readonly id?: string
  readonly values?: Readonly<Record<string, number | boolean | null>>
  readonly narrow?: boolean
  readonly quality?: 'good' | 'suspect' | 'bad'
  readonly schema?: string
  readonly partition?: number
}

/** Values of a healthy unit. */
export const healthy = { temperature: 4.1, pressure: 300.5, door_open: false }

/** A lake in a new folder. */
export async function newLake(fleet: FleetDefinition = testFleet): Promise<Lake> {
  const directory = await mkdtemp(join(tmpdir(), 'isotherm-clean-'))
  return openLake({ directory, fleet, threadCount: 2 })
}

let nextOffset = 0

/** Commits arrivals to the landing table as one version, published a second after the newest. */
export async function land(lake: Lake, arrivals: readonly Arrival[]): Promise<void> {
  const table = lake.table('raw_sensor_readings')
  const arrivedAt = (arrival: Arrival) => arrival.arrivedAt ?? arrival.at + 1000
  const availableMs = Math.max(...arrivals.map(arrivedAt)) + 1000
  const rows = arrivals.map((arrival) => {
    const offset = nextOffset++
    const arrived = new Date(arrivedAt(arrival))
    return {
      event_id: arrival.id ?? `e-${arrival.device}-${arrival.at}-${offset}`,
      device_id: arrival.device,
      timestamp_device: arrival.at,
      timestamp_ingested: arrivedAt(arrival),
      ...(arrival.values ?? healthy),
      _partition_key: arrival.device,
      _sequence_number: offset,
      timestamp_available: availableMs,
      sent_at: arrival.sentAt,
      schema_version: arrival.schema ?? '1.0',
      message_format: arrival.narrow === true ? 'narrow' : 'wide',
      device_quality: arrival.quality,
      _partition_id: arrival.partition ?? 0,
      _log_generation: 0,
      ingest_date: arrived.toISOString().slice(0, 10),
      ingest_hour: arrived.getUTCHours(),
    }
  })
  await withRows(lake.temporaryDirectory, table.contract, rows, (relation) =>
    lake.withConnection((connection) =>
      table.write({
        connection,
        query: `SELECT * FROM ${relation}`,
        operation: 'LAND',
        nowMs: availableMs,
      }),
    ),
  )
}

/** Rows of a table as plain objects, timestamps as epoch ms, in a stable order. */
export async function rowsOf(
  lake: Lake,
  name: string,
  orderBy = 'ALL',
): Promise<readonly Record<string, unknown>[]> {
  const table = lake.table(name)
  const snapshot = await table.snapshot()
  const columns = table.contract.columns.map(({ name: column, type }) =>
    type === 'timestamp'
      ? `epoch_ms(${column})::DOUBLE AS ${column}`
      : type === 'long'
        ? `${column}::DOUBLE AS ${column}`
        : column,
  )
  return await lake.withConnection(async (connection) => {
    const reader = await connection.runAndReadAll(
      `SELECT ${columns.join(', ')} FROM ${table.relation(snapshot)} ORDER BY ${orderBy}`,
    )
    return reader.getRowObjectsJS()
  })
}
