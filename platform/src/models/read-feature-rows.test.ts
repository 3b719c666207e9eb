import { describe, expect, it } from 'vitest'
import { carryLimitMs } from './imputation.ts'
import { readFeatureRows } from './read-feature-rows.ts'
import { fixtureStartMs, pumpDevices, withPumpLake, writePumpHistory } from './test-support.ts'

const hourMs = 3_600_000

describe('feature rows', () => {
  it('arrive in device and window order with nulls as NaN, bounded by the range', () =>
    withPumpLake(async (lake) => {
      await writePumpHistory(lake, {
        deviceCount: 3,
        startMs: fixtureStartMs,
        hours: 48,
        nowMs: fixtureStartMs,
        order: 'ORDER BY random()',
        overrides: { current_std: 'CASE WHEN w % 5 = 0 THEN NULL ELSE w END' },
      })
      const rows = await readFeatureRows(lake, {
        durationMinutes: 60,
        range: { startMs: fixtureStartMs + 10 * hourMs, endMs: fixtureStartMs + 30 * hourMs },
        devices: pumpDevices(2),
        columns: ['current_std', 'reading_count'],
      })
      expect(rows.matrix.rowCount).toBe(3 * 20)
      const places = rows.deviceIds.map((id, row) => `${id} ${rows.windowStartMs[row]}`)
      expect(places).toEqual([...places].sort())
      expect(rows.matrix.values.slice(0, 4)).toEqual(Float64Array.of(Number.NaN, 60, 11, 60))
      expect(rows.cohortIds[0]).toBe('cohort-0')
      expect(rows.cohortIds[59]).toBeNull()
    }))

  it('carry what a naive search in the device’s earlier windows finds (FEA-43)', () =>
    withPumpLake(async (lake) => {
      const gap = (salt: number) => `CASE WHEN hash(d * 31 + w * 17 + ${salt}) % 10 < 7
        OR w BETWEEN 30 AND 62 THEN NULL ELSE 1000 * d + w END`
      await writePumpHistory(lake, {
        deviceCount: 4,
        startMs: fixtureStartMs,
        hours: 96,
        nowMs: fixtureStartMs,
        overrides: { pressure_mean: gap(1), current_mean: gap(2) },
      })
      const columns = ['pressure_mean', 'current_mean', 'temperature_mean']
      const request = { durationMinutes: 60, devices: pumpDevices(4), columns }
      const all = await readFeatureRows(lake, {
        ...request,
        range: { startMs: fixtureStartMs, endMs: fixtureStartMs + 96 * hourMs },
      })
      const part = await readFeatureRows(lake, {
        ...request,
        range: { startMs: fixtureStartMs + 40 * hourMs, endMs: fixtureStartMs + 96 * hourMs },
      })
      const cell = (row: number, column: number) => all.matrix.values[row * 3 + column]!
      const naive = (device: string, windowStartMs: number, column: number): number => {
        let newest = Number.NaN
        for (let row = 0; row < all.matrix.rowCount; row++) {
          const startMs = all.windowStartMs[row]!
          const isEarlier = all.deviceIds[row] === device && startMs < windowStartMs
          if (!isEarlier || windowStartMs - startMs > carryLimitMs(60)) continue
          if (!Number.isNaN(cell(row, column))) newest = cell(row, column)
        }
        return newest
      }
      expect(part.carried.columnNames).toEqual(['pressure_mean', 'current_mean'])
      const carriedAt = new Map([...part.carried.rows].map((row, index) => [row, index]))
      let checked = 0
      for (let row = 0; row < part.matrix.rowCount; row++) {
        for (const column of [0, 1]) {
          if (!Number.isNaN(part.matrix.values[row * 3 + column])) continue
          const index = carriedAt.get(row)
          const carried = index === undefined ? Number.NaN : part.carried.values[index * 2 + column]
          expect(carried).toBe(naive(part.deviceIds[row]!, part.windowStartMs[row]!, column))
          checked++
        }
      }
      expect(checked).toBeGreaterThan(100)
    }))
})
