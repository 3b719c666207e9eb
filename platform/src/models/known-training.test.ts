import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { backfillHistory } from '../feature-store/index.ts'
import type { Lake } from '../lake/index.ts'
import { trainModels } from './job.ts'
import { openModelRegistry } from './model-registry.ts'
import { fixtureStartMs, noise, pumpDevices, pumps, withPumpLake } from './test-support.ts'

const dayMs = 86_400_000
const days = 8
const endMs = fixtureStartMs + days * dayMs
const stepMs = 1_200_000
const fleet = {
  ...pumps,
  sensors: pumps.sensors.map((sensor) => ({ ...sensor, range: [-100, 1000] as const })),
}
const devices = pumpDevices(12).map((device) => ({ ...device, reporting_interval_s: 1200 }))

/** Readings of twelve pumps, one in twenty minutes, moved in time and arrival. */
async function writeReadings(
  lake: Lake,
  name: string,
  options: { readonly count: number; readonly shiftMs: number; readonly delayMs: number },
): Promise<void> {
  const table = lake.table('clean_sensor_readings')
  const taken = `${fixtureStartMs + options.shiftMs} + w * ${stepMs}`
  const values: Readonly<Record<string, string>> = {
    event_id: `'${name}-' || d || '-' || w`,
    device_id: `'pump-' || lpad(d::VARCHAR, 3, '0')`,
    timestamp_utc: `make_timestamptz((${taken})::BIGINT * 1000)`,
    timestamp_ingested: `make_timestamptz((${taken} + ${options.delayMs})::BIGINT * 1000)`,
    quality_flags: '[]',
    sensor_null_count: '0',
    date: `strftime(make_timestamptz((${taken})::BIGINT * 1000), '%Y-%m-%d')`,
    pressure: `200 + 50 * (d % 2) + 2 * ${noise(1)}`,
    current: `8 + (d % 2) + 0.3 * ${noise(3)}`,
    temperature: `-20 + 0.2 * d + 0.8 * ${noise(5)}`,
  }
  const columns = table.contract.columns.map(
    (column) => `${values[column.name] ?? 'NULL'} AS "${column.name}"`,
  )
  await lake.withConnection((connection) =>
    table.write({
      connection,
      query: `SELECT ${columns.join(', ')}
        FROM range(12) AS devices(d), range(${options.count}) AS windows(w)`,
      operation: 'CLEAN',
      nowMs: endMs,
    }),
  )
}

const fill = (lake: Lake) =>
  backfillHistory(
    { lake, nowMs: endMs + 30 * dayMs },
    { fromMs: fixtureStartMs, toMs: endMs, devices: [] },
  )

describe('training on what was known', () => {
  it('gives the same model after corrections that arrived later, and names its source', () =>
    withPumpLake(async (lake, directory) => {
      const registry = await openModelRegistry({ directory: join(directory, 'models') })
      const train = (untilMs: number) =>
        trainModels(
          { lake, nowMs: endMs + 30 * dayMs },
          { registry, devices, untilMs, asKnown: true },
        )
      await writeReadings(lake, 'first', {
        count: (days * dayMs) / stepMs,
        shiftMs: 1000,
        delayMs: 1000,
      })
      const empty = await train(endMs)
      expect(empty.models[0]).toMatchObject({ kind: 'failed' })
      await fill(lake)
      const first = await train(endMs)
      expect(first.models.map(({ kind }) => kind)).toEqual(['trained', 'trained'])
      expect(first.models[0]).toMatchObject({
        manifest: { snapshotId: `feature_history@v${days}` },
      })
      await writeReadings(lake, 'late', {
        count: 200,
        shiftMs: 2 * dayMs + 5000,
        delayMs: 7 * dayMs,
      })
      expect(await fill(lake)).toMatchObject({ filledDays: { length: 3 } })
      const again = await train(endMs)
      expect(again.models.map(({ kind }) => kind)).toEqual(['unchanged', 'unchanged'])
      const beyond = await train(endMs + dayMs)
      expect(beyond.models[0]).toMatchObject({ kind: 'failed' })
    }, fleet))
})
