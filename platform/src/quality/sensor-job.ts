import type { DuckDBConnection } from '@duckdb/node-api'
import { expectedSensors, sqlInstant, sqlText, timeSpan } from '../clean/index.ts'
import { type DeviceRow, type FleetDefinition, quoteName, type Sensor } from '../contracts/index.ts'
import { type JobContext, type Lake, withRows } from '../lake/index.ts'
import { currentDevices } from './device-slices.ts'
import { gradeSensor, minGradedRows, type SensorGrade } from './sensor-grade.ts'
import { type SeriesFigures, seriesFigures } from './sensor-series.ts'

/** Position of this job; the version is the end of the newest stretch graded, epoch seconds. */
const positionId = 'quality/sensors'

/** End of the newest stretch that was graded, epoch ms; -1 before the first. */
export async function gradedAtMs(lake: Lake): Promise<number> {
  const seconds = await lake.table('sensor_health').position(positionId)
  return seconds === undefined ? -1 : seconds * 1000
}

/** How sensors are graded. */
export type SensorInput = {
  readonly devices: readonly DeviceRow[]
  /** End of the stretch looked at, exclusive. */
  readonly untilMs: number
  /** Length of the stretch in hours; default 48. */
  readonly hours?: number
}

/** A sensor that does not measure as it should. */
export type FaultySensor = {
  readonly deviceId: string
  /** `*` for the whole device. */
  readonly sensor: string
  readonly rowCount: number
} & Exclude<SensorGrade, { readonly grade: 'usable' }>

const hourMs = 3_600_000
/** Devices read at once: two days of them fill some hundred MB. */
const devicesPerPart = 500
/** Running readings of one value that make a sensor stuck; slow surroundings get more, CON-43. */
const stuckReadings = 60
const slowStuckReadings = 180
/** All sensors repeat for so many readings: the payload is frozen, CON-43. */
const frozenReadings = 15
/** Like devices needed before their common movement counts. */
const minPeers = 5

type Numeric = Sensor & { readonly range: readonly [number, number] }

const numericSensors = (fleet: FleetDefinition): readonly Numeric[] =>
  fleet.sensors.filter(
    (sensor): sensor is Numeric => sensor.kind !== 'boolean' && sensor.range !== undefined,
  )

/** One device's rows: a column per sensor, NaN for null. */
type DeviceRows = {
  readonly deviceId: string
  readonly columns: readonly Float64Array[]
  /** Values taken out by the range check, per sensor. */
  readonly violations: readonly number[]
}

async function readPart(
  connection: DuckDBConnection,
  relation: string,
  sensors: readonly Numeric[],
  ids: readonly string[],
  [fromMs, untilMs]: readonly [number, number],
): Promise<readonly DeviceRows[]> {
  const lists = sensors.map(
    ({ name }) => `list(coalesce(${quoteName(name)}, 'nan'::DOUBLE) ORDER BY timestamp_utc)`,
  )
  const violations = sensors.map(
    ({ name }) => `count_if(list_contains(range_violation_sensors, ${sqlText(name)}))::DOUBLE`,
  )
  const reader = await connection.runAndReadAll(`SELECT device_id, [${violations.join(', ')}],
      ${lists.join(', ')}
    FROM ${relation}
    WHERE timestamp_utc >= ${sqlInstant(fromMs)} AND timestamp_utc < ${sqlInstant(untilMs)}
      AND device_id IN (${ids.map(sqlText).join(', ')})
    GROUP BY device_id ORDER BY device_id`)
  return reader.getRowsJS().map(([deviceId, counts, ...columns]) => ({
    deviceId: String(deviceId),
    violations: counts as readonly number[],
    columns: columns.map((column) => Float64Array.from(column as readonly number[])),
  }))
}

/**
 * Rows in which the machine runs: a sensor of its compressor shows more than a hundredth of its
 * range. Without such a sensor, or without a value of it, it counts as running.
 */
function runningRows(sensors: readonly Numeric[], { columns }: DeviceRows): Uint8Array {
  const running = new Uint8Array(columns[0]?.length ?? 0).fill(1)
  const drives = sensors.flatMap(({ group, range: [low, high] }, index) =>
    group === 'compressor'
      ? [{ values: columns[index] ?? new Float64Array(), least: low + (high - low) / 100 }]
      : [],
  )
  if (drives.length === 0) return running
  for (let row = 0; row < running.length; row++) {
    running[row] = drives.some(({ values, least }) => !(values[row]! <= least)) ? 1 : 0
  }
  return running
}

/** Longest run of rows that repeat each other in every sensor, and rows in such runs. */
function frozenRun({ columns }: DeviceRows, running: Uint8Array) {
  let longest = 0
  let run = 1
  for (let row = 1; row < running.length; row++) {
    const isSame =
      running[row] === 1 &&
      columns.every((values) => Object.is(values[row], values[row - 1])) &&
      columns.some((values) => !Number.isNaN(values[row]!))
    run = isSame ? run + 1 : 1
    if (run > longest) longest = run
  }
  return longest
}

type Measured = {
  readonly device: DeviceRow
  readonly figures: readonly SeriesFigures[]
  readonly frozen: number
}

const optionsOf = ({ group, range: [low, high] }: Numeric) => ({
  rangeWidth: high - low,
  stuckReadings: group === 'environment' ? slowStuckReadings : stuckReadings,
})

function measure(sensors: readonly Numeric[], device: DeviceRow, rows: DeviceRows): Measured {
  const running = runningRows(sensors, rows)
  const figures = sensors.map((sensor, index) =>
    seriesFigures(
      rows.columns[index] ?? new Float64Array(),
      running,
      rows.violations[index] ?? 0,
      optionsOf(sensor),
    ),
  )
  return { device, figures, frozen: sensors.length < 2 ? 0 : frozenRun(rows, running) }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? 0
}

/** Median change of level per model of equipment and sensor; none without enough devices. */
function peerChanges(measured: readonly Measured[], sensorCount: number) {
  const groups = Map.groupBy(measured, ({ device }) => device.cohort_id ?? device.model)
  return new Map(
    [...groups].map(([key, members]) => [
      key,
      Array.from({ length: sensorCount }, (_, sensor) =>
        members.length < minPeers
          ? 0
          : median(members.map(({ figures }) => figures[sensor]?.levelChange ?? 0)),
      ),
    ]),
  )
}

function faultsOf(
  fleet: FleetDefinition,
  sensors: readonly Numeric[],
  { device, figures, frozen }: Measured,
  peers: readonly number[],
): readonly FaultySensor[] {
  const base = { deviceId: device.device_id, rowCount: figures[0]?.rowCount ?? 0 }
  const rowsPerDay = 86_400 / device.reporting_interval_s
  const expected = expectedSensors(fleet, device)
  const found = sensors.flatMap((sensor, index): readonly FaultySensor[] => {
    const own = figures[index]
    if (own === undefined || !expected.has(sensor.name)) return []
    const options = { ...optionsOf(sensor), rowsPerDay, isSwitched: sensor.group === 'compressor' }
    const grade = gradeSensor(own, options, peers[index] ?? 0)
    return grade.grade === 'usable' ? [] : [{ ...base, sensor: sensor.name, ...grade }]
  })
  if (frozen < frozenReadings || base.rowCount < minGradedRows) return found
  const share = frozen / base.rowCount
  const detail = `all sensors repeat for ${frozen} readings`
  const grade = share >= 0.5 ? 'dead' : 'weak'
  return [...found, { ...base, sensor: '*', grade, reason: 'FROZEN_PAYLOAD', detail, share }]
}

/**
 * Grades every numeric sensor over the last days of clean readings and writes those that are weak or
 * dead to `sensor_health`; the values stay as they are, for real faults look like this (CON-43,
 * CON-44). Reads the fleet in parts; memory does not grow with it but for a few numbers per sensor.
 */
export async function sensorJob(
  { lake, nowMs, onProgress }: JobContext,
  { devices, untilMs: askedMs, hours = 48 }: SensorInput,
): Promise<readonly FaultySensor[]> {
  const untilMs = Math.floor(askedMs / 1000) * 1000
  const sensors = numericSensors(lake.fleet)
  const table = lake.table('sensor_health')
  const clean = lake.table('clean_sensor_readings')
  const snapshot = await clean.snapshot()
  const fromMs = untilMs - hours * hourMs
  const files = snapshot.files.filter((file) => {
    const { minMs, maxMs } = timeSpan(file, 'timestamp_utc')
    return minMs < untilMs && maxMs >= fromMs
  })
  const current = currentDevices(devices)
  if (files.length === 0 || current.length === 0) return []
  const relation = clean.relation(snapshot, files)
  const byId = new Map(current.map((device) => [device.device_id, device]))
  const ids = [...byId.keys()].toSorted()
  return await lake.withConnection(async (connection) => {
    const measured: Measured[] = []
    for (let start = 0; start < ids.length; start += devicesPerPart) {
      const part = ids.slice(start, start + devicesPerPart)
      for (const rows of await readPart(connection, relation, sensors, part, [fromMs, untilMs])) {
        const device = byId.get(rows.deviceId)
        if (device !== undefined) measured.push(measure(sensors, device, rows))
      }
      onProgress?.('sensors graded', Math.min(start + devicesPerPart, ids.length), ids.length)
    }
    const peers = peerChanges(measured, sensors.length)
    const faults = measured.flatMap((one) =>
      faultsOf(lake.fleet, sensors, one, peers.get(one.device.cohort_id ?? one.device.model) ?? []),
    )
    const rows = faults.map(({ deviceId, sensor, grade, reason, detail, share, rowCount }) => ({
      ...{ graded_at: untilMs, device_id: deviceId, sensor_name: sensor },
      ...{ grade, reason, detail, share, row_count: BigInt(rowCount) },
    }))
    await withRows(lake.temporaryDirectory, table.contract, rows, (written) =>
      table.write({
        connection,
        query: `SELECT * FROM ${written}`,
        positions: [{ appId: positionId, version: Math.floor(untilMs / 1000) }],
        operation: 'GRADE',
        nowMs,
      }),
    )
    return faults
  })
}
