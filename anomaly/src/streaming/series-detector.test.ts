import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom, nextNormal } from '../statistics/random.ts'
import {
  emptySeriesDetector,
  scoreSeries,
  seriesScratch,
  silentIntervalsAt,
  updateSeriesDetector,
  usualIntervalMs,
} from './series-detector.ts'

const FIVE_MINUTES = 300_000
const DAY_ROWS = 288

function timesOf(count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, row) => 1.7e12 + row * FIVE_MINUTES)
}

/** A daily wave of 10 around 50 with noise of 1. */
function dailySeries(count: number, seed: number): Float64Array {
  const random = createRandom(seed)
  return Float64Array.from(
    { length: count },
    (_, row) => 50 + 10 * Math.sin((2 * Math.PI * row) / DAY_ROWS) + nextNormal(random),
  )
}

function alarmRows(scores: Float64Array): number[] {
  return [...scores.keys()].filter((row) => scores[row]! > 0.5)
}

describe('series detector', () => {
  test('quiet series of several kinds raise about one alarm in 4,000 rows', () => {
    let alarmCount = 0
    for (const seed of [1, 2, 3]) {
      const daily = dailySeries(2000, seed)
      const skewed = daily.map((value) => Math.exp(value / 20))
      let walk = 0
      const slow = daily.map((value, row) => {
        walk = 0.99 * walk + 0.2 * (value - 50 - 10 * Math.sin((2 * Math.PI * row) / DAY_ROWS))
        return walk
      })
      for (const values of [daily, skewed, slow, daily.map(Math.round)]) {
        alarmCount += alarmRows(scoreSeries(timesOf(2000), values)).length
      }
    }
    // 24,000 rows.
    expect(alarmCount).toBeLessThanOrEqual(8)
  })

  test('a spike, a level shift, a missing day and a burst of noise are found at once', () => {
    const random = createRandom(9)
    const faults: Record<string, (value: number, row: number) => number> = {
      spike: (value, row) => (row < 1503 ? value + 40 : value),
      shift: (value) => value + 25,
      'missing day': (value, row) => (row < 1500 + DAY_ROWS ? 41 : value),
      noise: (value, row) => (row < 1600 ? value + 15 * nextNormal(random) : value),
    }
    for (const [name, fault] of Object.entries(faults)) {
      const values = dailySeries(2000, 4).map((value, row) =>
        row >= 1500 ? fault(value, row) : value,
      )
      const alarms = alarmRows(scoreSeries(timesOf(2000), values))
      expect(
        alarms.some((row) => row >= 1500 && row < 1500 + DAY_ROWS),
        name,
      ).toBe(true)
    }
  })

  test('a score is above one half exactly at an alarm, and the episode then stays open', () => {
    const detector = emptySeriesDetector({ intervalMs: FIVE_MINUTES, quietRows: 20 })
    const scratch = seriesScratch()
    const times = timesOf(2000)
    const states = [...dailySeries(2000, 5)].map((value, row) => {
      const odd = row >= 1500 && row < 1510 ? value + 60 : value
      const verdict = updateSeriesDetector(detector, times[row]!, odd, scratch)
      expect(verdict.score > 0.5).toBe(verdict.state === 'alarm')
      expect(verdict.evidence).toBeGreaterThanOrEqual(verdict.score)
      return verdict.state
    })
    expect(states.slice(0, 576).every((state) => state === 'warming_up')).toBe(true)
    const alarm = states.indexOf('alarm')
    expect(alarm).toBeGreaterThanOrEqual(1500)
    expect(alarm).toBeLessThan(1503)
    expect(states.slice(alarm + 1, alarm + 21).every((state) => state === 'open')).toBe(true)
    expect(states.slice(1700).every((state) => state === 'normal')).toBe(true)
  })

  test('k of n: one odd row is no alarm where three of five are asked for', () => {
    const times = timesOf(2000)
    const withOdd = (count: number) =>
      dailySeries(2000, 6).map((value, row) =>
        row >= 1500 && row < 1500 + count ? value + 60 : value,
      )
    const options = { minHits: 3, hitWindow: 5 }
    const near = (rows: number[]) => rows.filter((row) => row >= 1500 && row < 1510)
    expect(near(alarmRows(scoreSeries(times, withOdd(4), options)))).toEqual([1502])
    expect(near(alarmRows(scoreSeries(times, withOdd(1))))).toEqual([1500])
  })

  test('scores do not depend on the unit of the values or the start of the clock', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -3, max: 3 }),
        fc.integer({ min: 0, max: 1e6 }),
        (power, shiftMs) => {
          const values = dailySeries(1200, 7)
          const base = scoreSeries(timesOf(1200), values)
          const moved = scoreSeries(
            timesOf(1200).map((time) => time + shiftMs),
            values.map((value) => value * 2 ** power),
          )
          for (const [row, score] of moved.entries()) expect(score).toBeCloseTo(base[row]!, 6)
        },
      ),
      { numRuns: 5 },
    )
  })

  test('a row is judged by earlier rows only, and a copied state goes on alike', () => {
    const times = timesOf(1500)
    const values = dailySeries(1500, 8)
    const whole = scoreSeries(times, values)
    const head = scoreSeries(times.subarray(0, 1000), values.subarray(0, 1000))
    expect(whole.subarray(0, 1000)).toEqual(head)
    let detector = emptySeriesDetector({ intervalMs: FIVE_MINUTES })
    for (let row = 0; row < 1500; row++) {
      if (row % 300 === 0) detector = structuredClone(detector)
      expect(updateSeriesDetector(detector, times[row]!, values[row]!).score).toBe(whole[row])
    }
  })

  test('missing values and silence are findings of their own', () => {
    const times = timesOf(800)
    const values = dailySeries(800, 10)
    const detector = emptySeriesDetector({ intervalMs: FIVE_MINUTES })
    const scratch = seriesScratch()
    expect(silentIntervalsAt(detector, times[0]!)).toBe(0)
    for (let row = 0; row < 700; row++) {
      updateSeriesDetector(detector, times[row]!, values[row]!, scratch)
    }
    const missing = updateSeriesDetector(detector, times[700]!, Number.NaN, scratch)
    expect(missing).toMatchObject({ state: 'missing', score: 0 })
    expect(detector.missingCount).toBe(1)
    expect(silentIntervalsAt(detector, times[710]!)).toBe(10)
    const back = updateSeriesDetector(detector, times[720]!, values[720]!, scratch)
    expect(back).toMatchObject({ state: 'normal', silentIntervals: 20 })
  })

  test('a clock going back counts as standing still', () => {
    const times = timesOf(900)
    for (let row = 600; row < 612; row++) times[row] = times[row]! - 3_600_000
    const scores = scoreSeries(times, dailySeries(900, 11))
    expect(scores.every((score) => score >= 0 && score <= 0.5)).toBe(true)
  })

  test('a constant series is quiet, and its first other value is an alarm', () => {
    const values = new Float64Array(1000).fill(7)
    values[900] = 8
    expect(alarmRows(scoreSeries(timesOf(1000), values))).toEqual([900])
  })

  test('the usual interval ignores pauses', () => {
    const even = timesOf(50)
    even[49] = even[49]! + 1e9
    expect(usualIntervalMs(even)).toBe(FIVE_MINUTES)
    expect(usualIntervalMs(Float64Array.of(0, 100, 300, 600, 700, 900, 50_000))).toBe(180)
  })

  test('bad input is refused', () => {
    const code = (expected: string) => expect.objectContaining({ code: expected })
    expect(() => emptySeriesDetector({ intervalMs: 0 })).toThrow(code('INVALID_OPTION'))
    for (const wrong of [
      { alarmProbability: 0 },
      { minHits: 2, hitWindow: 1 },
      { warmUpRows: -1 },
    ]) {
      expect(() => emptySeriesDetector({ intervalMs: 1, ...wrong })).toThrow(code('INVALID_OPTION'))
    }
    const detector = emptySeriesDetector({ intervalMs: 1 })
    expect(() => updateSeriesDetector(detector, Number.NaN, 1)).toThrow(code('NOT_FINITE'))
    expect(() => updateSeriesDetector(detector, 0, Infinity)).toThrow(code('NOT_FINITE'))
    expect(() => scoreSeries(timesOf(2), new Float64Array(3))).toThrow(code('SHAPE_MISMATCH'))
    expect(() => scoreSeries(timesOf(1), new Float64Array(1))).toThrow(code('TOO_FEW_ROWS'))
  })
})
