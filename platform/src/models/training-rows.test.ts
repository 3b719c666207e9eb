import { describe, expect, it } from 'vitest'
import { defineFleet } from '../contracts/index.ts'
import { featureSource } from './feature-source.ts'
import {
  fixtureStartMs,
  pumpDevices,
  pumps,
  withPumpLake,
  writePumpHistory,
} from './test-support.ts'
import { readTrainingRows } from './training-rows.ts'

const hourMs = 3_600_000
const hours = 24

/** Pump 3 stands still and warms up from its sixth hour on; pump 2 is warm while it is flushed. */
const overrides = {
  temperature_mean: 'CASE WHEN d IN (2, 3) AND w >= 6 THEN 15.0 ELSE -20.0 END',
  current_mean: 'CASE WHEN d = 2 THEN 1.0 ELSE 0.0 END',
  pressure_mean: 'CASE WHEN d = 4 THEN NULL WHEN d = 5 THEN 40.0 ELSE 200.0 END',
}

async function trainingRows(fallbackRules: typeof pumps.fallbackRules) {
  const fleet = defineFleet({ ...pumps, fallbackRules })
  return withPumpLake(async (lake) => {
    const history = { deviceCount: 6, startMs: fixtureStartMs, hours, overrides }
    await writePumpHistory(lake, { ...history, nowMs: fixtureStartMs })
    const source = await featureSource(lake, 60)
    return lake.withConnection((connection) =>
      readTrainingRows(connection, source, {
        range: { startMs: fixtureStartMs, endMs: fixtureStartMs + hours * hourMs },
        columns: ['temperature_mean', 'pressure_mean'],
        devices: pumpDevices(6),
        excludedSpans: [],
        limits: fallbackRules,
        rowLimit: 10_000,
        seed: 1,
      }),
    )
  }, fleet)
}

describe('rows that train', () => {
  it('show units in service: what is beyond a plain limit is left out (MOD-31)', async () => {
    const { rows, exclusions } = await trainingRows([
      { feature: 'temperature_mean', above: 0, unlessPositive: 'current_mean' },
      { feature: 'pressure_mean', below: 100 },
    ])
    expect(exclusions).toMatchObject({ totalBefore: 6 * hours, outOfService: hours - 6 + hours })
    expect(exclusions.excludedFraction).toBeCloseTo((2 * hours - 6) / (6 * hours), 12)
    const count = (id: string) => rows.deviceIds.filter((deviceId) => deviceId === id).length
    expect(['pump-001', 'pump-002', 'pump-003', 'pump-004', 'pump-005'].map(count)).toEqual([
      hours,
      hours,
      6,
      hours,
      0,
    ])
  })

  it('are all there when the fleet names no limits', async () => {
    const { rows, exclusions } = await trainingRows([])
    expect(exclusions.outOfService).toBe(0)
    expect(rows.matrix.rowCount).toBe(6 * hours)
    expect(new Set(rows.operatingModes)).toEqual(new Set(['normal']))
  })
})
