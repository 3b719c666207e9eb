import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { featureColumns } from '../contracts/index.ts'
import type { Lake } from '../lake/index.ts'
import { type FeatureValues, type WindowReading, windowAccumulator } from './algebra/live-window.ts'
import { featureJob } from './job.ts'
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
  testFleet,
} from './testing/clean-rows.ts'

afterEach(closeLakes)

const names = featureColumns(testFleet).map(({ name }) => name)
const quarterMs = 15 * minuteMs

/** The definition of FEA-18 to FEA-20 for the example fleet, two passes and no cleverness. */
function naiveFeatures(readings: readonly CleanReading[]): FeatureValues {
  const values = (sensor: string) =>
    readings.flatMap(({ at, values: { [sensor]: value } }) =>
      value === null || value === undefined
        ? []
        : [{ x: (at - day0) / minuteMs, y: Number(value) }],
    )
  const mean = (numbers: readonly number[]) =>
    numbers.length === 0 ? null : numbers.reduce((a, b) => a + b, 0) / numbers.length
  const std = (numbers: readonly number[]) => {
    const centre = mean(numbers)
    if (centre === null || numbers.length < 2) return null
    return Math.sqrt(numbers.reduce((sum, y) => sum + (y - centre) ** 2, 0) / (numbers.length - 1))
  }
  const slope = (points: readonly { readonly x: number; readonly y: number }[]) => {
    const meanX = mean(points.map(({ x }) => x))
    const meanY = mean(points.map(({ y }) => y))
    if (meanX === null || meanY === null) return null
    const sxx = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0)
    const sxy = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0)
    return sxx === 0 ? null : sxy / sxx
  }
  const p95 = (numbers: readonly number[]) => {
    if (numbers.length === 0) return null
    const sorted = numbers.toSorted((a, b) => a - b)
    const rank = 0.95 * (sorted.length - 1)
    const low = sorted[Math.floor(rank)]!
    return low + (sorted[Math.ceil(rank)]! - low) * (rank % 1)
  }
  const temperature = values('temperature').map(({ y }) => y)
  const pressure = values('pressure').map(({ y }) => y)
  const door = values('door_open').map(({ y }) => y)
  const tempMean = mean(temperature)
  const pressureMean = mean(pressure)
  const nulls = 3 * readings.length - temperature.length - pressure.length - door.length
  return {
    temp_mean: tempMean,
    temp_std: std(temperature),
    temp_min: temperature.length === 0 ? null : Math.min(...temperature),
    temp_max: temperature.length === 0 ? null : Math.max(...temperature),
    temp_slope: slope(values('temperature')),
    pressure_mean: pressureMean,
    pressure_std: std(pressure),
    pressure_p95: p95(pressure),
    door_open_fraction: mean(door),
    pressure_per_degree:
      tempMean === null || pressureMean === null || tempMean < 1 ? null : pressureMean / tempMean,
    reading_count: readings.length,
    sensor_completeness: 1 - nulls / (3 * readings.length),
    quality_flag_count: readings.filter(({ flags }) => (flags ?? []).length > 0).length,
  }
}

/**
 * Equality up to 1e-9 of the size of the numbers that were added up: a feature near zero that comes
 * from large readings cannot be more exact than they are.
 */
function expectClose(found: FeatureValues | StoredFeatures, wanted: FeatureValues): void {
  const sizes: Readonly<Record<string, number>> = { pressure: 1000, temp: 60 }
  for (const name of names) {
    const a = found[name]
    const b = wanted[name]
    if (b === null || b === undefined) expect([name, a]).toEqual([name, null])
    else {
      const size = Math.max(Math.abs(b), sizes[name.split('_')[0] ?? ''] ?? 1)
      expect(Math.abs(Number(a) - b), `${name}: ${a} and ${b}`).toBeLessThanOrEqual(1e-9 * size)
    }
  }
}

const decimal = (low: number, high: number) =>
  fc.integer({ min: low * 1000, max: high * 1000 }).map((steps) => steps / 1000)

/**
 * A reading somewhere in one hour, at whole seconds: the slope through two readings one millisecond
 * apart is exact in SQL, but the floating twins lose seven digits of it. Values are often null,
 * sometimes at the edge of the range.
 */
const reading = fc.record({
  device: fc.constantFrom('A', 'B', 'ünit'),
  at: fc.integer({ min: 0, max: 3599 }).map((seconds) => day0 + seconds * 1000),
  values: fc.record({
    temperature: fc.option(fc.oneof(decimal(-40, 60), fc.constantFrom(-40, 0, 60)), { freq: 4 }),
    pressure: fc.option(decimal(0, 1000), { freq: 4 }),
    door_open: fc.option(fc.boolean(), { freq: 4 }),
  }),
  flags: fc.constantFrom([], ['SENSOR_GAP']),
})

const run = (lake: Lake) =>
  featureJob({ lake, nowMs: day0 + 2 * dayMs }, { devices: [], finishUntilMs: day0 + dayMs })

/** Readings in and out of order, so that everything depends on content alone. */
function grouped(readings: readonly CleanReading[], lengthMs: number) {
  return Map.groupBy(readings, ({ device, at }) =>
    JSON.stringify([device, Math.floor(at / lengthMs) * lengthMs]),
  )
}

/** Rows without what names the run that wrote them. */
const content = (rows: readonly StoredFeatures[]): readonly StoredFeatures[] =>
  rows.map((row) => ({ ...row, computed_at: null, clean_snapshot_id: null }))

describe('feature values', () => {
  it('are equal in SQL, in incremental form and by the naive definition', async () => {
    const accumulator = windowAccumulator(testFleet)
    await fc.assert(
      fc.asyncProperty(fc.array(reading, { minLength: 1, maxLength: 80 }), async (readings) => {
        const lake = await newLake()
        await commitClean(lake, readings)
        await run(lake)
        const rows = await featureRows(lake)
        const durations = [quarterMs, hourMs, dayMs]
        const groups = durations.map((lengthMs) => grouped(readings, lengthMs))
        expect(rows).toHaveLength(groups.reduce((sum, { size }) => sum + size, 0))
        for (const row of rows) {
          const lengthMs = Number(row.window_duration_minutes) * minuteMs
          const key = JSON.stringify([row.device_id, row.window_start])
          const own = groups[durations.indexOf(lengthMs)]?.get(key) ?? []
          expectClose(row, naiveFeatures(own))
          const states = own.map(({ at, values, flags = [] }) =>
            accumulator.update(accumulator.empty, {
              timeMs: at,
              values,
              isFlagged: flags.length > 0,
            }),
          )
          const state = states.reduce(accumulator.merge, accumulator.empty)
          const live = accumulator.finish(state)
          for (const name of names) expect([name, live[name]]).toEqual([name, row[name]])
        }
        await closeLakes()
      }),
      { numRuns: 12 },
    )
  })

  it('are identical to the byte whatever the order, threads and commits (FEA-15)', async () => {
    // Values without a short binary form: floating sums of them depend on their order.
    const readings: readonly CleanReading[] = Array.from({ length: 3000 }, (_, index) => ({
      device: `D${index % 3}`,
      at: day0 + ((index * 7919) % (24 * 60)) * minuteMs + (index % 60) * 1000,
      values: {
        temperature: Math.round(Math.sin(index) * 30_000) / 1001,
        pressure: 500 + Math.round(Math.cos(index) * 400_000) / 1003,
        door_open: index % 5 === 0,
      },
    }))
    const whole = await newLake(1)
    await commitClean(whole, readings)
    await run(whole)
    const wanted = content(await featureRows(whole))
    expect(wanted).toHaveLength(3 * (96 + 24 + 1))

    const shuffled = readings.toSorted((a, b) => ((a.at * 31) % 977) - ((b.at * 31) % 977))
    const parts = await newLake(2)
    for (let start = 0; start < shuffled.length; start += 700) {
      await commitClean(parts, shuffled.slice(start, start + 700))
    }
    await run(parts)
    expect(content(await featureRows(parts))).toEqual(wanted)

    const live = await newLake(2)
    const inTime = readings.toSorted((a, b) => a.at - b.at)
    for (let start = 0; start < inTime.length; start += 500) {
      await commitClean(live, inTime.slice(start, start + 500))
      await featureJob({ lake: live, nowMs: day0 + dayMs }, { devices: [] })
    }
    await run(live)
    expect(content(await featureRows(live)).map((row) => ({ ...row, is_final: true }))).toEqual(
      wanted,
    )
  })

  it('do not see readings at or after the end of their window (FEA-44, MON-54)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(reading, { minLength: 1, maxLength: 40 }),
        fc.array(reading, { minLength: 1, maxLength: 40 }),
        async (past, future) => {
          const later = future.map((one) => ({ ...one, at: one.at + hourMs }))
          const rowsWith = async (readings: readonly CleanReading[]) => {
            const lake = await newLake()
            await commitClean(lake, readings)
            await run(lake)
            const rows = content(await featureRows(lake))
            await closeLakes()
            return rows.filter(({ window_end }) => Number(window_end) <= day0 + hourMs)
          }
          expect(await rowsWith([...past, ...later])).toEqual(await rowsWith(past))
        },
      ),
      { numRuns: 6 },
    )
  })

  it('merge in any order in incremental form', () => {
    const accumulator = windowAccumulator(testFleet)
    const one = (item: CleanReading): WindowReading => ({
      timeMs: item.at,
      values: item.values,
      isFlagged: (item.flags ?? []).length > 0,
    })
    const fold = (items: readonly CleanReading[]) =>
      items.reduce((state, item) => accumulator.update(state, one(item)), accumulator.empty)
    fc.assert(
      fc.property(
        fc.array(reading, { minLength: 1, maxLength: 50 }),
        fc.array(reading, { maxLength: 50 }),
        (left, right) => {
          const merged = accumulator.merge(fold(right), fold(left))
          expectClose(
            accumulator.finish(structuredClone(merged)),
            accumulator.finish(fold([...left, ...right])),
          )
        },
      ),
    )
  })
})
