import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { refrigeration } from '@isotherm/fleet-refrigeration'
import { featureColumns } from 'isotherm/contracts'
import { sparkDialect } from 'isotherm/features'
import { checkRows, rowQuery } from './features/check-rows.ts'
import { checkSeries, checkStored, seriesQueries, storedQueries } from './features/check-windows.ts'
import { newComparison } from './features/comparison.ts'
import { type Reading, randomReadings } from './features/random-readings.ts'
import { sparkParses } from './features/spark-parses.ts'
import { randomRows } from './features/stored-rows.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const startMs = Date.UTC(2026, 2, 10)
const dayMs = 86_400_000
const span = { startMs, endMs: startMs + dayMs }
const seed = 1

/** The readings as a table with the columns of the clean one that features read. */
function cleanTable(path: string, readings: readonly Reading[]): string {
  const lines = readings.map(({ device, at, values, isFlagged }, index) =>
    JSON.stringify({
      ...{ event_id: `e-${String(index).padStart(8, '0')}`, device_id: device, at_ms: at },
      ...values,
      sensor_null_count: Object.values(values).filter((value) => value === null).length,
      quality_flags: isFlagged ? ['SUSPECT_VALUE'] : [],
    }),
  )
  writeFileSync(path, lines.join('\n'))
  const sensors = refrigeration.sensors.map(
    ({ name, kind }) => `${name}: '${kind === 'boolean' ? 'BOOLEAN' : 'DOUBLE'}'`,
  )
  return `SELECT *, make_timestamptz(at_ms * 1000) AS timestamp_utc,
      make_timestamptz(at_ms * 1000) AS timestamp_ingested
    FROM read_ndjson('${path}', columns = {event_id: 'VARCHAR', device_id: 'VARCHAR', at_ms: 'BIGINT',
      ${sensors.join(', ')}, sensor_null_count: 'INTEGER', quality_flags: 'VARCHAR[]'})`
}

/** Every query of every feature in Spark's dialect. */
function sparkQueries(): readonly (readonly [string, string])[] {
  const stored = refrigeration.windowMinutes.flatMap((minutes) => {
    const { sums, rows } = storedQueries(sparkDialect, minutes, span)
    return [
      [`sums of ${minutes} min`, sums],
      [`features of ${minutes} min`, rows],
    ] as const
  })
  const rows = featureColumns(refrigeration).map(
    ({ name }) => [`model input of ${name}`, rowQuery(sparkDialect, name, span.endMs)] as const,
  )
  return [...stored, ...seriesQueries(sparkDialect, 60, span), ...rows]
}

/** All forms of each feature come from one definition, so they give one value. */
export const promised: Promised = {
  id: 'E1',
  title: 'each feature in SQL, in live form and by the naive text of the specification',
  unit: 'differences',
  bar: '0: stored features equal to the bit in SQL and live, 1e-9 to the naive form; Spark parses',
  quick: false,
  limitSeconds: 600,
  run: async (report) => {
    const folder = temporaryFolder('e1')
    const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
    const connection = await instance.connect()
    try {
      await connection.run("SET TimeZone = 'UTC'")
      const readings = randomReadings(12, 24, startMs, seed)
      const clean = cleanTable(join(folder.path, 'clean.ndjson'), readings)
      await connection.run(`CREATE TABLE clean AS ${clean}`)
      await connection.run('CREATE TABLE own_sensors (device_id VARCHAR, sensor_count INTEGER)')
      const stored = newComparison()
      await checkStored(connection, readings, span, stored)
      report(`stored: ${JSON.stringify(stored.result())}`)
      const series = newComparison()
      await checkSeries(connection, readings, 60, span, series)
      const daily = readings.filter(({ device }) => device < 'D-004')
      await connection.run("DELETE FROM clean WHERE device_id >= 'D-004'")
      await checkSeries(connection, daily, 1440, span, series)
      report(`series: ${JSON.stringify(series.result())}`)
      const rows = newComparison()
      for (const [index, { name }] of featureColumns(refrigeration).entries()) {
        await checkRows(connection, randomRows(span.endMs, seed + index), name, span.endMs, rows)
      }
      report(`rows: ${JSON.stringify(rows.result())}`)
      const parsed = await sparkParses(folder.path, sparkQueries())
      report(parsed === undefined ? 'no Spark here: not parsed' : JSON.stringify(parsed))
      const results = [stored, series, rows].map((one) => one.result())
      const differences = results.reduce((sum, one) => sum + one.different, 0)
      const refused = parsed?.refused.length ?? 0
      return {
        ok: differences + refused === 0 && results.every((one) => one.alwaysNull.length === 0),
        value: differences + refused,
        detail: {
          ...{ stored: results[0], series: results[1], rows: results[2] },
          spark: parsed ?? 'skipped: no Spark',
        },
      }
    } finally {
      connection.closeSync()
      instance.closeSync()
      folder.remove()
    }
  },
}
