import { expectedSensors, sqlInstant, timeSpan } from '../clean/index.ts'
import type { DeviceRow } from '../contracts/index.ts'
import type { JobContext } from '../lake/index.ts'
import { createDeviceSlices, currentDevices } from './device-slices.ts'
import type { GateResult } from './gate-entry.ts'
import { sliceNames } from './slice-names.ts'

/** How a device reported in an hour; the first that fits counts, CON-42. */
export const dropoutStates = [
  'FULL_DROPOUT',
  'FREQUENCY_DEGRADATION',
  'SENSOR_SUBSET_DROPOUT',
  'INTERMITTENT_DROPOUT',
  'HEALTHY',
] as const
/** A dropout state of a device. */
export type DropoutState = (typeof dropoutStates)[number]

/** A device that did not report as it should. */
export type Dropout = {
  readonly deviceId: string
  readonly state: Exclude<DropoutState, 'HEALTHY'>
  readonly readingCount: number
}

/** What the hour looked like. */
export type DropoutOutcome = {
  /** Start of the hour, epoch ms. */
  readonly hourMs: number
  readonly dropouts: readonly Dropout[]
  /** Judgement per site and firmware and over the fleet, MON-5; holds nothing. */
  readonly results: readonly GateResult[]
}

const hourMs = 3_600_000
/** Silent for longer than this a device is offline, not dropping out; SRV-20 sees to it. */
const heardWithinMs = 24 * hourMs
/** Limits of CON-42 for one reading a minute; they scale with the interval. */
const minShare = 0.5
const maxUnexpectedNulls = 4
const gapReadings = 5
const minGaps = 2
/** MON-5: this share of devices in full dropout, and at least so many. */
const fullLimit = 0.001
const fullLeast = 5

/**
 * Judges how each device reported in the last whole hour before an instant, counts device-hours per
 * state in `data_quality_daily_summary`, and tells which devices dropped out (CON-42). Devices that
 * were not heard for a day are left to the offline rule. An hour is counted once.
 */
export async function dropoutJob(
  { lake, nowMs }: JobContext,
  { devices, untilMs }: { readonly devices: readonly DeviceRow[]; readonly untilMs: number },
): Promise<DropoutOutcome> {
  const endMs = Math.floor(untilMs / hourMs) * hourMs
  const startMs = endMs - hourMs
  const clean = lake.table('clean_sensor_readings')
  const summary = lake.table('data_quality_daily_summary')
  const snapshot = await clean.snapshot()
  const files = snapshot.files.filter((file) => {
    const { minMs, maxMs } = timeSpan(file, 'timestamp_utc')
    return minMs < endMs && maxMs >= endMs - heardWithinMs
  })
  const active = currentDevices(devices).filter(({ status }) => status === 'active')
  if (files.length === 0 || active.length === 0)
    return { hourMs: startMs, dropouts: [], results: [] }
  const absent = new Map<number, string[]>()
  for (const device of active) {
    const count = lake.fleet.sensors.length - expectedSensors(lake.fleet, device).size
    if (count > 0) absent.set(count, [...(absent.get(count) ?? []), device.device_id])
  }
  return await lake.withConnection(async (connection) => {
    const slices = await createDeviceSlices(connection, active)
    await sliceNames(connection, slices)
    await connection.run('CREATE OR REPLACE TEMP TABLE absent (absent_id VARCHAR, absent INTEGER)')
    for (const [count, ids] of absent) {
      const list = ids.map((id) => `'${id.replaceAll("'", "''")}'`).join(', ')
      await connection.run(`INSERT INTO absent SELECT unnest([${list}]), ${count}`)
    }
    await connection.run(`CREATE OR REPLACE TEMP TABLE hours AS
      WITH heard AS (
        SELECT device_id, sensor_null_count, timestamp_utc >= ${sqlInstant(startMs)} AS is_now,
          epoch(timestamp_utc - lag(timestamp_utc) OVER (PARTITION BY device_id
            ORDER BY timestamp_utc)) AS pause_s
        FROM ${clean.relation(snapshot, files)}
        WHERE timestamp_utc >= ${sqlInstant(endMs - heardWithinMs)}
          AND timestamp_utc < ${sqlInstant(endMs)}),
      counted AS (
        SELECT device_id, slice, count_if(is_now) AS n,
          avg(greatest(0, sensor_null_count - coalesce(absent, 0))) FILTER (is_now) AS nulls,
          count_if(is_now AND pause_s > ${gapReadings} * greatest(60, interval_s)) AS gaps,
          any_value(interval_s) AS interval_s
        FROM heard JOIN device_slices ON registered_id = device_id
          LEFT JOIN absent ON absent_id = device_id
        GROUP BY ALL)
      SELECT device_id, slice, n, CASE WHEN n = 0 THEN 'FULL_DROPOUT'
        WHEN n * interval_s < ${minShare * 3600} THEN 'FREQUENCY_DEGRADATION'
        WHEN nulls > ${maxUnexpectedNulls} THEN 'SENSOR_SUBSET_DROPOUT'
        WHEN gaps >= ${minGaps} THEN 'INTERMITTENT_DROPOUT' ELSE 'HEALTHY' END AS state
      FROM counted`)
    const date = new Date(startMs).toISOString().slice(0, 10)
    await summary.write({
      connection,
      query: `SELECT '${date}' AS date, site_id, firmware_version, 'dropout:' || state AS measure,
          count(*) AS row_count FROM hours JOIN slice_names USING (slice) GROUP BY ALL`,
      positions: [{ appId: 'quality/dropouts', version: endMs / 1000 }],
      operation: 'DROPOUTS',
      nowMs,
    })
    const read = async (query: string) => (await connection.runAndReadAll(query)).getRowsJS()
    const dropouts = await read(
      "SELECT device_id, state, n::DOUBLE FROM hours WHERE state <> 'HEALTHY' ORDER BY state, device_id",
    )
    const counts = await read(`SELECT slice, count(*)::DOUBLE, count_if(n = 0)::DOUBLE
      FROM hours GROUP BY GROUPING SETS ((slice), ())`)
    return {
      hourMs: startMs,
      dropouts: dropouts.map(([deviceId, state, n]) => ({
        deviceId: String(deviceId),
        state: String(state) as Dropout['state'],
        readingCount: Number(n),
      })),
      results: counts.map(([index, count, full]): GateResult => {
        const slice = index === null ? undefined : slices[Number(index)]
        const value = Number(full) / Math.max(1, Number(count))
        return {
          ...{ gateId: 'CON-42', table: 'clean_sensor_readings', severity: 'WARN' },
          scope: slice === undefined ? {} : { siteId: slice.siteId, firmware: slice.firmware },
          isPassed: value <= fullLimit || Number(full) < fullLeast,
          ...{ holds: 'nothing', value, limit: fullLimit, rowCount: Number(full) },
        }
      }),
    }
  })
}
