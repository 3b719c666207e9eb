// Writes a day of clean readings of a large fleet as one Parquet file per hour.
// node verify/features/day-prepare.ts FOLDER DEVICE_COUNT
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { refrigeration } from '@isotherm/fleet-refrigeration'

/** Start of the day. */
export const dayStartMs = Date.UTC(2026, 2, 10)

/** Id of a device by its number; ids sort as numbers do. */
export const deviceId = (number: number): string => `dev-${String(number).padStart(6, '0')}`

/** Values with two decimals over the middle of each range, one in 211 missing; no two days alike. */
function sensorColumns(): readonly string[] {
  return refrigeration.sensors.map(({ name, kind, range }, index) => {
    const draw = `hash(d, m, ${index})`
    if (kind === 'boolean') return `${draw} % 7 = 0 AS ${name}`
    const [low, high] = range ?? [0, 1]
    const share = `(0.2 + 0.6 * ((${draw} % 100000)::DOUBLE / 100000))`
    return `CASE WHEN ${draw} % 211 <> 0 THEN round(${low} + ${share} * ${high - low}, 2) END AS ${name}`
  })
}

async function prepare(folder: string, deviceCount: number): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
  await connection.run("SET memory_limit = '6GB'")
  const nulls = refrigeration.sensors.map(({ name }) => `(${name} IS NULL)::INTEGER`).join(' + ')
  for (let hour = 0; hour < 24; hour++) {
    await connection.run(`COPY (
      SELECT *, ${nulls} AS sensor_null_count FROM (
        SELECT 'dev-' || lpad(d::VARCHAR, 6, '0') AS device_id,
          make_timestamptz(${dayStartMs}000 + m * 60000000 + (hash(d) % 60)::BIGINT * 1000000)
            AS timestamp_utc,
          make_timestamptz(${dayStartMs}000 + m * 60000000 + 61000000) AS timestamp_ingested,
          ${sensorColumns().join(', ')},
          CASE WHEN hash(d, m) % 50 = 0 THEN ['SUSPECT_VALUE'] ELSE [] END AS quality_flags
        FROM range(${deviceCount}) AS a(d), range(${hour * 60}, ${hour * 60 + 60}) AS b(m)
        ORDER BY d, m))
      TO '${join(folder, `hour-${String(hour).padStart(2, '0')}.parquet`)}' (COMPRESSION zstd)`)
  }
  connection.closeSync()
  instance.closeSync()
}

const [folder, count] = process.argv.slice(2)
if (import.meta.main && folder !== undefined) {
  await prepare(folder, Number(count))
  console.log('{}')
}
