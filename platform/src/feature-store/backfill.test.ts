import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { Lake, LakeTable } from '../lake/index.ts'
import { backfillHistory, planBackfill } from './backfill.ts'
import { historyHash } from './history-hash.ts'
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

async function newLake(): Promise<Lake> {
  const { lake, remove } = await temporaryLake()
  open.push(remove)
  return lake
}

const at = (device: string, minute: number, arrivedMinute: number, temperature = 4): Arrival => ({
  device,
  at: day0 + minute * minuteMs,
  arrivedAt: day0 + arrivedMinute * minuteMs,
  temperature,
  pressure: 300,
})

const fill = (lake: Lake, days = 1) =>
  backfillHistory(
    { lake, nowMs: day0 + 10 * dayMs },
    { fromMs: day0, toMs: day0 + days * dayMs, devices: [] },
  )

describe('the history of a window', () => {
  it('begins at emission and gets one state per tick of later arrivals, however late', async () => {
    const lake = await newLake()
    await commitArrivals(lake, [
      at('A', 1, 1.5, 4),
      at('A', 2, 65, 6),
      at('A', 3, 65.01, 8),
      at('A', 4, 69, 8),
      at('A', 5, 5000, 14),
    ])
    await fill(lake)
    const states = await rowsOf(lake, 'feature_history', 'window_duration_minutes = 60')
    expect(
      states.map((row) => [
        (Number(row.known_from) - day0) / minuteMs,
        row.revision,
        row.reading_count,
        row.temp_mean,
      ]),
    ).toEqual([
      [65, 0, 2, 5],
      [70, 1, 4, 6.5],
      [5000, 2, 5, 8],
    ])
  })

  it('has no state before the first arrival', async () => {
    const lake = await newLake()
    await commitArrivals(lake, [at('A', 1, 1), at('B', 1, 300)])
    await fill(lake)
    const states = await rowsOf(lake, 'feature_history', "device_id = 'B'")
    expect(
      states.map((row) => [row.window_duration_minutes, Number(row.known_from) - day0]),
    ).toEqual([
      [15, 300 * minuteMs],
      [60, 300 * minuteMs],
      [1440, dayMs + hourMs],
    ])
  })
})

describe('a backfill', () => {
  it('gives the same table whatever the order of commits, and when a kill repeats days', async () => {
    const arrivals = fc.sample(
      fc.record({
        device: fc.constantFrom('A', 'B', 'C'),
        minute: fc.nat(2 * 1440 - 1),
        lateMinutes: fc.oneof(fc.constant(0.02), fc.nat(600)),
        temperature: fc.integer({ min: -20, max: 30 }),
      }),
      { numRuns: 300, seed: 7 },
    )
    const rows = [
      ...new Map(
        arrivals.map((a) => [
          `${a.device} ${a.minute}`,
          at(a.device, a.minute, a.minute + a.lateMinutes, a.temperature),
        ]),
      ).values(),
    ]
    const whole = await newLake()
    await commitArrivals(whole, rows)
    const { filledDays, rowCount } = await fill(whole, 2)
    expect(filledDays).toEqual(['2026-02-17', '2026-02-16'])
    const expected = await historyHash(whole)
    expect(expected.rowCount).toBe(rowCount)
    const parts = await newLake()
    const shuffled = rows.toSorted((a, b) => Math.sin(a.at) - Math.sin(b.at))
    await commitArrivals(parts, shuffled.slice(0, 100))
    await fill(parts, 2)
    expect(await historyHash(parts)).not.toEqual(expected)
    await commitArrivals(parts, shuffled.slice(100))
    let writes = 0
    const dying: Lake = {
      ...parts,
      table: (name): LakeTable => {
        const real = parts.table(name)
        if (name !== 'feature_history') return real
        const write: LakeTable['write'] = (request) => {
          writes += 1
          const beforeCommit = async () => {
            if (writes === 2) throw new Error('killed')
          }
          return real.write({ ...request, beforeCommit })
        }
        return { ...real, write }
      },
    }
    await expect(fill(dying, 2)).rejects.toThrow('killed')
    expect(await fill(parts, 2)).toMatchObject({ filledDays: ['2026-02-16'], doneDayCount: 1 })
    expect(await historyHash(parts)).toEqual(expected)
    expect(await fill(parts, 2)).toMatchObject({ filledDays: [], doneDayCount: 2, rowCount: 0 })
  })

  it('says before and after what it does, and which days have no reading', async () => {
    const lake = await newLake()
    await commitArrivals(lake, [at('A', 1, 1), at('A', 2 * 1440 + 1, 2 * 1440 + 1)])
    const context = { lake, nowMs: day0 + 10 * dayMs }
    const plan = await planBackfill(context, { fromMs: day0, toMs: day0 + 3 * dayMs, devices: [] })
    expect(plan).toMatchObject({ dayCount: 3, dueDays: ['2026-02-18', '2026-02-17', '2026-02-16'] })
    expect(await fill(lake, 3)).toMatchObject({ emptyDays: ['2026-02-17'], rowCount: 6 })
  })

  it('is refused with the reason before it runs', async () => {
    const lake = await newLake()
    const run = (fromMs: number, toMs: number, nowMs = day0 + 200 * dayMs) =>
      backfillHistory({ lake, nowMs }, { fromMs, toMs, devices: [] })
    await expect(run(day0, day0 + dayMs)).rejects.toThrow(/no clean readings at all/)
    await commitArrivals(lake, [at('A', 0, 0), at('A', 100 * 1440, 100 * 1440)])
    await expect(run(day0, day0 + dayMs)).rejects.toThrow(/past retention/)
    await expect(run(day0 + 9 * dayMs, day0 + 10 * dayMs)).rejects.toThrow(/before 2026-02-26/)
    await expect(run(day0 + 1, day0 + dayMs)).rejects.toThrow(/whole UTC days/)
    await expect(run(day0 + dayMs, day0 + dayMs)).rejects.toThrow(/empty/)
    await expect(run(Number.NaN, day0)).rejects.toThrow(/dates/)
    const late = day0 + 99 * dayMs
    await expect(run(late, late + 2 * dayMs, late + dayMs)).rejects.toThrow(
      /2026-05-27 is not over/,
    )
    expect((await lake.table('feature_history').snapshot()).files).toEqual([])
    await expect(run(day0 + 10 * dayMs, day0 + 11 * dayMs)).resolves.toMatchObject({ rowCount: 0 })
  })
})
