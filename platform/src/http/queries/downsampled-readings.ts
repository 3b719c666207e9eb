import { quoteName, type Sensor } from '../../contracts/index.ts'
import type { Lake } from '../../lake/index.ts'
import type { ReadingsView } from '../schemas/series-schema.ts'
import { relationWhere, utcDate } from './live-files.ts'

/** Bucket widths in seconds; all divide a day, so that buckets stay put while time moves on. */
const bucketWidthsS = [
  60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200, 86_400,
] as const

/** The narrowest width that cuts a range into at most `points` buckets, OBJ-39. */
export function bucketWidthS(rangeMs: number, points: number): number {
  const needed = rangeMs / 1000 / points
  const nice = bucketWidthsS.find((width) => width >= needed)
  return nice ?? Math.ceil(needed / 86_400) * 86_400
}

/** Spikes survive because min and max are kept beside the mean; means are rounded to 1e-6. */
function aggregates(sensor: Sensor): string {
  const column = quoteName(sensor.name)
  if (sensor.kind === 'boolean') {
    return `round(avg(${column}::INTEGER), 4), count(${column})::DOUBLE`
  }
  return `round(avg(${column}), 6), min(${column}), max(${column}), count(${column})::DOUBLE`
}

type Columns = readonly (readonly unknown[])[]

function numbersOf(column: readonly unknown[] | undefined): (number | null)[] {
  return (column ?? []).map((value) => (typeof value === 'number' ? value : null))
}

function countsOf(column: readonly unknown[] | undefined): number[] {
  return (column ?? []).map(Number)
}

function seriesOf(sensors: readonly Sensor[], columns: Columns): ReadingsView['series'] {
  const series: ReadingsView['series'] = {}
  // Column 0 holds the bucket times.
  let next = 1
  for (const sensor of sensors) {
    if (sensor.kind === 'boolean') {
      series[sensor.name] = {
        kind: 'boolean',
        fraction: numbersOf(columns[next]),
        count: countsOf(columns[next + 1]),
      }
      next += 2
    } else {
      series[sensor.name] = {
        kind: 'gauge',
        mean: numbersOf(columns[next]),
        min: numbersOf(columns[next + 1]),
        max: numbersOf(columns[next + 2]),
        count: countsOf(columns[next + 3]),
      }
      next += 4
    }
  }
  return series
}

/** Clean readings of a device in [fromMs, toMs) in at most `points` buckets of equal width. */
export async function downsampledReadings(
  lake: Lake,
  request: {
    readonly deviceId: string
    readonly fromMs: number
    readonly toMs: number
    readonly points: number
  },
): Promise<Pick<ReadingsView, 'bucket_seconds' | 'times' | 'series'>> {
  const { deviceId, fromMs, toMs, points } = request
  const { sensors } = lake.fleet
  const bucketSeconds = bucketWidthS(toMs - fromMs, points)
  const relation = await relationWhere(lake, 'clean_sensor_readings', {
    date: { min: utcDate(fromMs), max: utcDate(toMs) },
    device_id: { min: deviceId, max: deviceId },
    timestamp_utc: { min: new Date(fromMs), max: new Date(toMs) },
  })
  if (relation === undefined) {
    return { bucket_seconds: bucketSeconds, times: [], series: seriesOf(sensors, []) }
  }
  const bucketMs = bucketSeconds * 1000
  const columns = await lake.withConnection(async (connection) => {
    const reader = await connection.runAndReadAll(
      `SELECT ((epoch_ms(timestamp_utc) // ${bucketMs}) * ${bucketMs})::DOUBLE AS bucket,
         ${sensors.map(aggregates).join(', ')}
       FROM ${relation}
       WHERE device_id = $device
         AND timestamp_utc >= make_timestamptz($from_us::BIGINT)
         AND timestamp_utc < make_timestamptz($to_us::BIGINT)
       GROUP BY bucket ORDER BY bucket`,
      { device: deviceId, from_us: BigInt(fromMs) * 1000n, to_us: BigInt(toMs) * 1000n },
    )
    return reader.getColumnsJS()
  })
  return {
    bucket_seconds: bucketSeconds,
    times: (columns[0] ?? []).map(Number),
    series: seriesOf(sensors, columns),
  }
}
