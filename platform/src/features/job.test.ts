import { afterEach, describe, expect, it } from 'vitest'
import type { Lake, LakeTable } from '../lake/index.ts'
import { featureJob } from './job.ts'
import { completeUntilMs } from './positions.ts'
import {
  type CleanReading,
  closeLakes,
  commitClean,
  day0,
  dayMs,
  featureRows,
  hourMs,
  minuteMs,
  newLake,
  type StoredFeatures,
} from './testing/clean-rows.ts'

afterEach(closeLakes)

const run = (lake: Lake, finishUntilMs?: number) =>
  featureJob(
    { lake, nowMs: day0 + 2 * dayMs },
    { devices: [], ...(finishUntilMs === undefined ? {} : { finishUntilMs }) },
  )

const values = { temperature: 4, pressure: 300, door_open: false }

/** One reading a minute of one device, minutes [from, to). */
function minutes(device: string, from: number, to: number): readonly CleanReading[] {
  return Array.from({ length: to - from }, (_, index) => ({
    device,
    at: day0 + (from + index) * minuteMs,
    values,
  }))
}

const keysOf = async (lake: Lake, duration: number) =>
  (await featureRows(lake, duration)).map(({ device_id, window_start, reading_count }) => [
    device_id,
    (Number(window_start) - day0) / minuteMs,
    reading_count,
  ])

describe('the feature job', () => {
  it('writes a window when the watermark passes its end and delay, and says so (FEA-10)', async () => {
    const lake = await newLake()
    await commitClean(lake, minutes('A', 0, 20), day0 + 15 * minuteMs + 59_999)
    expect((await run(lake)).emittedCount).toBe(0)
    await commitClean(lake, minutes('A', 20, 21), day0 + 16 * minuteMs + 60_000)
    expect(await run(lake)).toMatchObject({ emittedCount: 1, commitCount: 1 })
    expect(await keysOf(lake, 15)).toEqual([['A', 0, 15]])
    expect(await completeUntilMs(lake, 15)).toBe(day0 + 15 * minuteMs)
    expect(await completeUntilMs(lake, 60)).toBeUndefined()
    await commitClean(lake, minutes('A', 21, 66), day0 + 65 * minuteMs)
    const outcome = await run(lake)
    expect(outcome.completeUntilMs).toEqual(
      new Map([
        [15, day0 + hourMs],
        [60, day0 + hourMs],
      ]),
    )
    expect(await keysOf(lake, 60)).toEqual([['A', 0, 60]])
    expect((await featureRows(lake, 60))[0]).toMatchObject({
      window_end: day0 + hourMs,
      window_date: '2026-02-16',
      temp_mean: 4,
      temp_std: 0,
      temp_slope: 0,
      pressure_p95: 300,
      door_open_fraction: 0,
      pressure_per_degree: 75,
      sensor_completeness: 1,
      quality_flag_count: 0,
      operating_mode: 'normal',
      is_final: false,
      late_created: false,
    })
  })

  it('does nothing twice and writes no row for silence (FEA-13)', async () => {
    const lake = await newLake()
    await commitClean(lake, [...minutes('A', 0, 15), ...minutes('A', 100, 130)])
    await run(lake)
    expect(await keysOf(lake, 15)).toEqual([
      ['A', 0, 15],
      ['A', 90, 5],
      ['A', 105, 15],
    ])
    const { version } = await lake.table('device_features').snapshot()
    expect(await run(lake)).toMatchObject({ emittedCount: 0, lateCount: 0, commitCount: 0 })
    expect((await lake.table('device_features').snapshot()).version).toBe(version)
  })

  it('closes all windows an import finished, and they are final', async () => {
    const lake = await newLake()
    await commitClean(lake, minutes('A', 0, 1440))
    await run(lake, day0 + dayMs)
    const rows = await featureRows(lake)
    expect(rows).toHaveLength(96 + 24 + 1)
    expect(rows.every(({ is_final }) => is_final === true)).toBe(true)
  })

  it('corrects an hour by readings up to two hours late, a quarter never (FEA-10, ING-43)', async () => {
    const lake = await newLake()
    await commitClean(lake, minutes('A', 0, 60), day0 + 70 * minuteMs)
    await run(lake)
    const late = (minute: number, arrivedMinute: number): CleanReading => ({
      device: 'A',
      at: day0 + minute * minuteMs + 30_000,
      arrivedAt: day0 + arrivedMinute * minuteMs,
      values: { ...values, temperature: 64 },
    })
    await commitClean(lake, [late(59, 179), late(58, 180)], day0 + 179 * minuteMs)
    expect(await run(lake)).toMatchObject({ lateCount: 1, lateDroppedCount: 2 })
    expect(await keysOf(lake, 15)).toContainEqual(['A', 45, 15])
    expect(await featureRows(lake, 60)).toMatchObject([{ reading_count: 62, is_final: false }])
    await commitClean(lake, [late(57, 181)], day0 + 181 * minuteMs)
    await run(lake)
    expect(await featureRows(lake, 60)).toMatchObject([
      { reading_count: 62, temp_max: 64, is_final: true },
    ])
  })

  it('creates a missing window from readings up to a day late, for training only (FEA-11)', async () => {
    const lake = await newLake()
    await commitClean(lake, minutes('A', 0, 300))
    await run(lake)
    const flushed = (minute: number, arrivedMs: number): CleanReading => ({
      device: 'B',
      at: day0 + minute * minuteMs,
      arrivedAt: arrivedMs,
      values,
    })
    const windowEndMs = day0 + 15 * minuteMs
    await commitClean(lake, [flushed(1, day0 + 299 * minuteMs)], day0 + 301 * minuteMs)
    await run(lake)
    await commitClean(
      lake,
      [flushed(2, windowEndMs + dayMs), flushed(3, windowEndMs + dayMs + 1)],
      day0 + 302 * minuteMs,
    )
    await run(lake)
    const rows = await featureRows(lake, 15)
    expect(rows.filter(({ device_id }) => device_id === 'B')).toMatchObject([
      { reading_count: 2, late_created: true, is_final: false },
    ])
    await commitClean(lake, minutes('A', 1500, 1501), day0 + 1500 * minuteMs)
    await run(lake)
    const final = (await featureRows(lake)).filter(({ device_id }) => device_id === 'B')
    expect(final).toMatchObject([
      { window_duration_minutes: 15, late_created: true, is_final: true },
      { window_duration_minutes: 60, late_created: true, is_final: true },
      { window_duration_minutes: 1440, late_created: false, is_final: false, reading_count: 3 },
    ])
  })

  it('holds windows back for the slowest active partition only (FEA-10)', async () => {
    const lake = await newLake()
    const table = lake.table('clean_sensor_readings')
    await commitClean(lake, minutes('A', 0, 40), day0 + 40 * minuteMs)
    const partition = (appId: string, version: number) =>
      lake.withConnection((connection) =>
        table.write({
          connection,
          query: 'SELECT * FROM (SELECT 1) WHERE false'.replace(
            '*',
            table.contract.columns.map(({ name }) => `NULL AS ${name}`).join(', '),
          ),
          positions: [{ appId: `clean/watermark/0/${appId}`, version }],
          operation: 'CLEAN',
          nowMs: version,
        }),
      )
    await partition('1', day0 + 10 * minuteMs)
    await partition('2', day0 + 36 * minuteMs)
    await partition('0', day0 + 41 * minuteMs - 1)
    await run(lake)
    expect(await completeUntilMs(lake, 15)).toBe(day0 + 30 * minuteMs)
    await partition('0', day0 + 46 * minuteMs)
    await run(lake)
    expect(await completeUntilMs(lake, 15)).toBe(day0 + 45 * minuteMs)
  })
})

describe('a backlog', () => {
  /** Ten hours of two devices over two days' boundary, with an hour of silence. */
  const history = ['A', 'B'].flatMap((device) => [
    ...minutes(device, -300, -60),
    ...minutes(device, 0, 300),
  ])
  const untimed = (rows: readonly StoredFeatures[]) =>
    rows.map((row) => ({ ...row, computed_at: null, clean_snapshot_id: null }))
  const runInParts = (lake: Lake, maxRowsPerCommit: number) =>
    featureJob(
      { lake, nowMs: day0 + 2 * dayMs },
      { devices: [], finishUntilMs: day0 + dayMs, maxRowsPerCommit },
    )

  it('is emitted in bounded commits with the same rows as in one', async () => {
    const whole = await newLake()
    await commitClean(whole, history)
    expect(await runInParts(whole, 1_000_000)).toMatchObject({ commitCount: 1 })
    const parts = await newLake()
    await commitClean(parts, history)
    const outcome = await runInParts(parts, 200)
    expect(outcome.commitCount).toBeGreaterThan(5)
    expect(untimed(await featureRows(parts))).toEqual(untimed(await featureRows(whole)))
    expect(await runInParts(parts, 200)).toMatchObject({ commitCount: 0 })
  })

  it('survives a crash between two of its commits', async () => {
    const whole = await newLake()
    await commitClean(whole, history)
    await runInParts(whole, 200)
    const lake = await newLake()
    await commitClean(lake, history)
    let writeCount = 0
    const table = (name: string): LakeTable => {
      const real = lake.table(name)
      const write: LakeTable['write'] = (request) => {
        writeCount += 1
        const beforeCommit = async () => {
          if (writeCount === 4) throw new Error('died before the fourth commit')
        }
        return real.write({ ...request, beforeCommit })
      }
      return { ...real, write }
    }
    await expect(runInParts({ ...lake, table }, 200)).rejects.toThrow('died')
    await runInParts(lake, 200)
    expect(untimed(await featureRows(lake))).toEqual(untimed(await featureRows(whole)))
  })

  it('older than what is complete is added by the way of late readings', async () => {
    const lake = await newLake()
    await commitClean(lake, minutes('A', 0, 300))
    await run(lake, day0 + 300 * minuteMs)
    await commitClean(lake, minutes('B', -300, 0), day0 + 301 * minuteMs)
    await run(lake, day0 + 300 * minuteMs)
    const rows = await featureRows(lake, 60)
    expect(rows.filter(({ device_id }) => device_id === 'B')).toMatchObject(
      Array.from({ length: 5 }, () => ({
        reading_count: 60,
        is_final: true,
        late_created: false,
      })),
    )
  })

  it('imported in parts that cut a window gives whole windows', async () => {
    const lake = await newLake()
    await commitClean(lake, minutes('A', 0, 300))
    await run(lake, day0 + 300 * minuteMs)
    for (const [from, to] of [
      [-60, -37],
      [-37, -20],
      [-20, 0],
    ] as const) {
      await commitClean(lake, minutes('B', from, to), day0 + 301 * minuteMs)
      await run(lake, day0 + 300 * minuteMs)
    }
    const own = (await featureRows(lake)).filter(({ device_id }) => device_id === 'B')
    expect(own.map((row) => [row.window_duration_minutes, row.reading_count])).toEqual([
      [15, 15],
      [15, 15],
      [15, 15],
      [15, 15],
      [60, 60],
      [1440, 60],
    ])
  })

  it('with impossible values is refused by name, and nothing is committed (FEA-23)', async () => {
    const lake = await newLake()
    const [first] = minutes('A', 0, 1)
    await commitClean(lake, [{ ...first!, values: { temperature: 1e6 } }])
    await expect(run(lake, day0 + dayMs)).rejects.toThrow(/out of range/)
    expect(await featureRows(lake)).toEqual([])
  })
})
