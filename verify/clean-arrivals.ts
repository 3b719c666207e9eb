import { type openLake, withRows } from 'isotherm/lake'
import { type NaiveReading, sensorNames } from './naive-features.ts'

export type Lake = Awaited<ReturnType<typeof openLake>>

/** A stream of numbers in [0, 1) that is the same every time (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const middles: Readonly<Record<string, readonly [number, number]>> = {
  temperature_evaporator: [-25, 3],
  temperature_condenser: [40, 5],
  temperature_ambient: [22, 4],
  temperature_discharge: [70, 8],
  temperature_suction: [-10, 3],
  pressure_high_side: [1500, 150],
  pressure_low_side: [200, 30],
  current_compressor: [12, 2],
  vibration_compressor: [3, 0.8],
  humidity: [45, 10],
  superheat: [8, 2],
  subcooling: [5, 1.5],
}

/** How a history is made. */
export type HistoryShape = {
  readonly deviceCount: number
  readonly startMs: number
  readonly endMs: number
  /** Time between readings of a device. */
  readonly stepMs: number
  /** Share of readings that come minutes to hours late, and of those that come days late. */
  readonly lateShare: number
  readonly veryLateShare: number
  readonly nullShare: number
  readonly seed: number
}

/** Readings in the order taken: gaps, nulls, flags, and arrivals seconds to days later. */
export function madeReadings(shape: HistoryShape): readonly NaiveReading[] {
  const random = seeded(shape.seed)
  const readings: NaiveReading[] = []
  for (let device = 0; device < shape.deviceCount; device++) {
    const deviceId = `HISTORY-${String(device).padStart(4, '0')}`
    for (let ms = shape.startMs; ms < shape.endMs; ms += shape.stepMs) {
      if (random() < 0.03) continue
      const takenMs = ms + Math.floor(random() * Math.min(shape.stepMs, 60_000))
      const draw = random()
      const isVeryLate = draw < shape.veryLateShare
      const isLate = draw < shape.veryLateShare + shape.lateShare
      const delayMs = isVeryLate
        ? random() * 3 * 86_400_000
        : isLate
          ? random() * 4 * 3_600_000
          : 1000 + random() * 9000
      const values = Object.fromEntries(
        sensorNames.map((name) => {
          if (random() < shape.nullShare) return [name, null]
          const range = middles[name]
          if (range === undefined) return [name, random() < 0.1]
          const value = range[0] + range[1] * (random() + random() - 1)
          return [name, Math.round(value * 10) / 10]
        }),
      )
      readings.push({
        eventId: `${deviceId}-${takenMs}-${readings.length}`,
        deviceId,
        takenMs,
        arrivedMs: Math.floor(takenMs + delayMs),
        values,
        flags: random() < 0.02 ? ['SENSOR_GAP'] : [],
      })
    }
  }
  return readings
}

/** Commits readings as one version of the clean table, in the order given. */
export async function commitClean(lake: Lake, readings: readonly NaiveReading[]): Promise<void> {
  const table = lake.table('clean_sensor_readings')
  const { transactions } = await table.snapshot()
  const newestMs = readings.reduce((newest, { arrivedMs }) => Math.max(newest, arrivedMs), 0)
  const rows = readings.map((reading) => ({
    event_id: reading.eventId,
    device_id: reading.deviceId,
    timestamp_utc: reading.takenMs,
    ...reading.values,
    quality_flags: reading.flags,
    sensor_null_count: sensorNames.filter((name) => (reading.values[name] ?? null) === null).length,
    timestamp_ingested: reading.arrivedMs,
    date: new Date(reading.takenMs).toISOString().slice(0, 10),
  }))
  const appId = 'clean/watermark/0/0'
  const isNewer = newestMs > (transactions.get(appId) ?? -1)
  await withRows(lake.temporaryDirectory, table.contract, rows, (relation) =>
    lake.withConnection((connection) =>
      table.write({
        connection,
        query: `SELECT * FROM ${relation}`,
        positions: isNewer ? [{ appId, version: newestMs }] : [],
        operation: 'CLEAN',
        nowMs: newestMs,
      }),
    ),
  )
}

/** A number of `--name=12` on the command line, or a default. */
export function numberOption(name: string, standard: number): number {
  const text = process.argv.find((word) => word.startsWith(`--${name}=`))
  const value = Number(text?.split('=')[1] ?? standard)
  if (Number.isFinite(value)) return value
  throw new Error(`${text}: expected a number`)
}
