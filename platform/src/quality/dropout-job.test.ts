import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { exampleFleet, newDevice } from '../contracts/index.ts'
import { type Lake, openLake } from '../lake/index.ts'
import { dropoutJob } from './dropout-job.ts'

const startMs = Date.UTC(2026, 1, 1, 10)
const hourMs = 3_600_000
let lake: Lake | undefined
let folder = ''

afterEach(async () => {
  await lake?.close()
  await rm(folder, { recursive: true, force: true })
})

/** Minutes in which each device reports in the hour that is judged. */
const minutes: Readonly<Record<string, (minute: number) => boolean>> = {
  healthy: () => true,
  silent: () => false,
  rare: (minute) => minute % 3 === 0,
  torn: (minute) => !(minute >= 10 && minute < 18) && !(minute >= 40 && minute < 50),
  once: (minute) => !(minute >= 10 && minute < 30),
  slow: (minute) => minute % 5 === 0,
}

it('tells full, frequency and intermittent dropouts apart, once for each hour', async () => {
  folder = await mkdtemp(join(tmpdir(), 'isotherm-dropout-'))
  lake = await openLake({ directory: folder, fleet: exampleFleet, threadCount: 2 })
  const table = lake.table('clean_sensor_readings')
  const rows = Object.entries(minutes).flatMap(([device, reports]) =>
    Array.from({ length: 120 }, (_, index) => index)
      .filter((index) =>
        index < 60 ? reports(index % 60) || device === 'silent' : reports(index % 60),
      )
      .map((index) => `('${device}', ${startMs - hourMs + index * 60_000})`),
  )
  const given: Readonly<Record<string, string>> = {
    event_id: "device || '-' || moment",
    device_id: 'device',
    timestamp_utc: 'make_timestamptz(moment * 1000)',
    timestamp_ingested: 'make_timestamptz(moment * 1000)',
    quality_flags: '[]::VARCHAR[]',
    sensor_null_count: '0',
    date: "'2026-02-01'",
  }
  const columns = table.contract.columns.map(({ name }) => `${given[name] ?? 'NULL'} AS "${name}"`)
  await lake.withConnection((connection) =>
    table.write({
      connection,
      query: `SELECT ${columns.join(', ')} FROM (VALUES ${rows.join(', ')}) AS t(device, moment)`,
      operation: 'CLEAN',
      nowMs: startMs,
    }),
  )
  const devices = [...Object.keys(minutes), 'never'].map((device_id) =>
    newDevice({
      ...{ device_id, valid_from: startMs, site_id: 'S' },
      reporting_interval_s: device_id === 'slow' ? 300 : 60,
    }),
  )
  const untilMs = startMs + hourMs + 60_000
  const outcome = await dropoutJob({ lake, nowMs: untilMs }, { devices, untilMs })
  expect(outcome.dropouts).toEqual([
    { deviceId: 'rare', state: 'FREQUENCY_DEGRADATION', readingCount: 20 },
    { deviceId: 'silent', state: 'FULL_DROPOUT', readingCount: 0 },
    { deviceId: 'torn', state: 'INTERMITTENT_DROPOUT', readingCount: 42 },
  ])
  expect(outcome.results.every(({ isPassed }) => isPassed)).toBe(true)
  await dropoutJob({ lake, nowMs: untilMs }, { devices, untilMs })
  const { rows: counted } = await lake.query(
    'SELECT measure, sum(row_count)::INTEGER FROM data_quality_daily_summary GROUP BY ALL ORDER BY 1',
  )
  expect(counted).toEqual([
    ['dropout:FREQUENCY_DEGRADATION', 1],
    ['dropout:FULL_DROPOUT', 1],
    ['dropout:HEALTHY', 3],
    ['dropout:INTERMITTENT_DROPOUT', 1],
  ])
})
