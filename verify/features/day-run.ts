// Computes the 45 features over a prepared day and prints what it took.
// node verify/features/day-run.ts FOLDER DEVICE_COUNT newest|day
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { refrigeration } from '@isotherm/fleet-refrigeration'
import { duckdbDialect, featureQuery, windowRules, windowSumsQuery } from 'isotherm/features'
import { dayStartMs, deviceId } from './day-prepare.ts'

/** What a run took. */
export type DayCost = {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakMib: number
  readonly rows: number
}

const minuteMs = 60_000
const dayMs = 86_400_000
/** As the feature job cuts work: at most 12 million readings a pass. */
const devicesPerPass = Math.floor(12e6 / 1440)

type Work = { readonly relation: string; readonly startMs: number; readonly endMs: number }

async function compute(
  connection: DuckDBConnection,
  work: Work & { readonly devices?: string },
  minutes: number,
): Promise<void> {
  const rule = windowRules(refrigeration).find((one) => one.minutes === minutes)
  if (rule === undefined) throw new Error(`no windows of ${minutes} min`)
  const provenance = {
    ...{ rule, featureVersion: 'day', cleanVersion: 1, nowMs: work.endMs },
    ...{ finalUntilMs: work.endMs, lateFinalUntilMs: work.endMs },
  }
  const sums = windowSumsQuery(duckdbDialect, refrigeration, { rule, ...work })
  await connection.run(`CREATE OR REPLACE TEMP TABLE window_sums AS ${sums}`)
  const tables = { sums: 'window_sums', ownSensors: 'own_sensors' }
  const rows = featureQuery(duckdbDialect, refrigeration, tables, provenance)
  const known = minutes === 15 && work.devices === undefined
  await connection.run(
    known ? `CREATE OR REPLACE TABLE features AS ${rows}` : `INSERT INTO features BY NAME ${rows}`,
  )
}

async function open(): Promise<{
  readonly connection: DuckDBConnection
  readonly close: () => void
}> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
  await connection.run('SET preserve_insertion_order = false')
  await connection.run('CREATE TABLE own_sensors (device_id VARCHAR, sensor_count INTEGER)')
  return {
    connection,
    close: () => {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

async function run(folder: string, deviceCount: number, what: string): Promise<DayCost> {
  const { connection, close } = await open()
  const newest = {
    relation: `read_parquet('${join(folder, 'hour-23.parquet')}')`,
    startMs: dayStartMs + dayMs - 15 * minuteMs,
    endMs: dayStartMs + dayMs,
  }
  // The query engine reads its code and the file's footer before the clock starts.
  const first = `device_id < '${deviceId(10)}'`
  await connection.run('CREATE TABLE features AS SELECT 1 AS none')
  await compute(connection, newest, 15)
  await connection.run('DELETE FROM features')
  await compute(connection, { ...newest, devices: first }, 15)
  await connection.run('DELETE FROM features')
  const start = performance.now()
  const startCpu = process.cpuUsage()
  let count = 0
  const take = async () => {
    const reader = await connection.runAndReadAll('SELECT count(*) FROM features')
    count += Number(reader.getRows()[0]?.[0])
    await connection.run('DELETE FROM features')
  }
  if (what === 'newest') {
    await compute(connection, newest, 15)
    await take()
  } else {
    const whole = { relation: `read_parquet('${join(folder, '*.parquet')}')` }
    const span = { startMs: dayStartMs, endMs: dayStartMs + dayMs }
    for (let from = 0; from < deviceCount; from += devicesPerPass) {
      const devices = `device_id >= '${deviceId(from)}' AND device_id < '${deviceId(from + devicesPerPass)}'`
      for (const minutes of [15, 60, 1440]) {
        await compute(connection, { ...whole, ...span, devices }, minutes)
      }
      await take()
    }
  }
  const { user, system } = process.cpuUsage(startCpu)
  const cost = {
    seconds: (performance.now() - start) / 1000,
    cpuSeconds: (user + system) / 1e6,
    peakMib: Math.round(process.resourceUsage().maxRSS / 1024),
    rows: count,
  }
  close()
  return cost
}

const [folder, count, what] = process.argv.slice(2)
if (import.meta.main && folder !== undefined) {
  console.log(JSON.stringify(await run(folder, Number(count), what ?? 'day')))
}
