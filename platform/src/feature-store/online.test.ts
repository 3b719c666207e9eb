import { afterEach, describe, expect, it } from 'vitest'
import { featureJob } from '../features/index.ts'
import type { Lake } from '../lake/index.ts'
import { openOnlineFeatures } from './online.ts'
import { proveOnline, storeVerdict } from './skew-proof.ts'
import {
  type Arrival,
  commitArrivals,
  day0,
  dayMs,
  hourMs,
  minuteMs,
  rowsOf,
  temporaryLake,
} from './testing/arrivals.ts'

const open: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const remove of open.splice(0)) await remove()
})

const nowMs = day0 + 2 * dayMs

function hours(device: string, from: number, to: number, temperature: number): readonly Arrival[] {
  return Array.from({ length: ((to - from) * hourMs) / (5 * minuteMs) }, (_, index) => {
    const at = day0 + from * hourMs + index * 5 * minuteMs
    return { device, at, arrivedAt: at + 1000, temperature, pressure: 300 + index }
  })
}

async function lakeOf(...parts: readonly (readonly Arrival[])[]): Promise<Lake> {
  const { lake, remove } = await temporaryLake()
  open.push(remove)
  for (const part of parts) {
    await commitArrivals(lake, part)
    await featureJob({ lake, nowMs }, { devices: [] })
  }
  return lake
}

describe('the online view', () => {
  it('holds the newest row per duration and the means of the last day', async () => {
    const lake = await lakeOf([...hours('A', 0, 26, 4), ...hours('B', 0, 20, 8)])
    const online = openOnlineFeatures(lake)
    await online.refresh(nowMs)
    const record = online.lookup('A')
    expect(record?.rows.map((row) => [row.durationMinutes, row.windowStartMs])).toEqual([
      [15, day0 + 25.5 * hourMs],
      [60, day0 + 24 * hourMs],
      [1440, day0],
    ])
    const mean = online.columns.indexOf('temp_mean')
    expect(record?.rows.map(({ values }) => values[mean])).toEqual([4, 4, 4])
    expect(record?.day).toMatchObject({ readingCount: 24 * 12 })
    expect(online.lookup('B')?.day?.readingCount).toBe(19 * 12)
    expect(online.lookup('C')).toBeUndefined()
  })

  it('follows the table: newer windows, corrections of the same, never older ones', async () => {
    const lake = await lakeOf(hours('A', 0, 3, 4))
    const online = openOnlineFeatures(lake)
    expect((await online.refresh(nowMs)).rowCount).toBe(2)
    expect((await online.refresh(nowMs)).rowCount).toBe(0)
    const at = day0 + 1.5 * hourMs + 1
    const late = { device: 'A', at, arrivedAt: day0 + 3 * hourMs, temperature: 44, pressure: 1 }
    await commitArrivals(lake, [late, ...hours('A', 3, 3.2, 4)])
    await featureJob({ lake, nowMs }, { devices: [] })
    await online.refresh(nowMs)
    const max = online.columns.indexOf('temp_max')
    const [, hour] = online.lookup('A')?.rows ?? []
    expect([hour?.windowStartMs, hour?.values[max]]).toEqual([day0 + 2 * hourMs, 4])
  })
})

describe('the skew proof', () => {
  it('computes served rows again bit for bit and keeps its verdict', async () => {
    const lake = await lakeOf(hours('A', 0, 5, 4.1), [
      ...hours('A', 5, 30, 3.3),
      ...hours('B', 0, 9, 7),
    ])
    const online = openOnlineFeatures(lake)
    await online.refresh(nowMs)
    const verdict = await proveOnline({ lake, nowMs }, online, { devices: [], seed: 1 })
    expect(verdict).toMatchObject({ checkedCount: 6, differingCount: 0, differences: [] })
    await storeVerdict(lake, verdict)
    expect(await rowsOf(lake, 'feature_skew_verdicts')).toMatchObject([
      { checked_at: nowMs, checked_count: 6, differing_count: 0, verdict: 'OK' },
    ])
  })

  it('names the value that was served and is not what the readings give', async () => {
    const lake = await lakeOf(hours('A', 0, 5, 4.1))
    const table = lake.table('device_features')
    const snapshot = await table.snapshot()
    await lake.withConnection((connection) =>
      table.write({
        connection,
        query: `SELECT * REPLACE (CASE WHEN window_duration_minutes = 60 THEN temp_mean + 1e-12
          ELSE temp_mean END AS temp_mean) FROM ${table.relation(snapshot)}`,
        replaces: snapshot.files,
        readVersion: snapshot.version,
        operation: 'TAMPER',
        nowMs,
      }),
    )
    const online = openOnlineFeatures(lake)
    await online.refresh(nowMs)
    const verdict = await proveOnline({ lake, nowMs }, online, { devices: [], seed: 1 })
    expect(verdict).toMatchObject({ checkedCount: 2, differingCount: 1 })
    expect(verdict.differences).toMatchObject([
      { deviceId: 'A', durationMinutes: 60, feature: 'temp_mean' },
    ])
  })
})
