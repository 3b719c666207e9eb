import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { featureMatrix } from '../feature-matrix.ts'
import { createRandom, nextNormal, nextOpenUnit } from '../statistics/random.ts'
import { rollingZScores } from './rolling-z-score.ts'
import { fitSeasonalProfile, profileSlot, scoreSeasonalProfile } from './seasonal-profile.ts'
import { fitStlResidual, scoreStlResidual } from './stl-residual.ts'

const HOUR = 3_600_000

describe('rolling z-score', () => {
  test('equals mean and sample deviation of every window, missing cells left out', () => {
    const shape = fc.record({
      rowCount: fc.integer({ min: 1, max: 60 }),
      windowRows: fc.integer({ min: 2, max: 25 }),
      seed: fc.nat(1000),
      offset: fc.constantFrom(0, 1e6),
    })
    fc.assert(
      fc.property(shape, ({ rowCount, windowRows, seed, offset }) => {
        const random = createRandom(seed)
        const values = Float64Array.from({ length: 2 * rowCount }, () =>
          nextOpenUnit(random) < 0.1 ? Number.NaN : offset + nextNormal(random),
        )
        const options = { windowRows, minCount: 2 }
        const found = rollingZScores(featureMatrix(values, ['a', 'b']), options)
        for (let cell = 0; cell < values.length; cell++) {
          const window: number[] = []
          for (let back = 0; back < windowRows && cell - 2 * back >= 0; back++) {
            const value = values[cell - 2 * back]!
            if (!Number.isNaN(value)) window.push(value)
          }
          const mean = window.reduce((sum, value) => sum + value, 0) / window.length
          const squares = window.reduce((sum, value) => sum + (value - mean) ** 2, 0)
          const expected = (values[cell]! - mean) / Math.sqrt(squares / (window.length - 1))
          if (window.length < 2 || Number.isNaN(expected)) expect(found[cell]).toBeNaN()
          else expect(found[cell]).toBeCloseTo(expected, 6)
        }
      }),
    )
  })

  test('a constant window has no score, a short one neither unless allowed', () => {
    const constant = featureMatrix(new Float64Array(30).fill(0.1), ['a'])
    expect(rollingZScores(constant, { windowRows: 7 }).every(Number.isNaN)).toBe(true)
    const line = featureMatrix(
      Float64Array.from({ length: 5 }, (_, i) => i),
      ['a'],
    )
    const scores = rollingZScores(line, { windowRows: 3 })
    expect([...scores.subarray(0, 2)].every(Number.isNaN)).toBe(true)
    expect([...scores.subarray(2)]).toEqual([1, 1, 1])
    expect(() => rollingZScores(line, { windowRows: 1 })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
  })
})

describe('seasonal profile', () => {
  const times = Float64Array.from({ length: 24 * 7 * 8 }, (_, hour) => hour * HOUR)
  const usual = (time: number) => {
    const hour = Math.floor(time / HOUR) % 168
    return (hour < 120 ? 20 : 5) + (hour % 24)
  }

  test('learns the hours of the week, and scores what leaves them', () => {
    const random = createRandom(4)
    const values = times.map((time) => usual(time) + 0.5 * nextNormal(random))
    values[10] = Number.NaN
    values[11] = 1e6
    const profile = fitSeasonalProfile(times, values, { shrinkCount: 0 })
    expect(profile.counts[10]).toBe(7)
    for (let slot = 0; slot < 168; slot++) {
      expect(Math.abs(profile.centres[slot]! - usual(slot * HOUR))).toBeLessThan(1)
    }
    const now = Float64Array.of(times.length * HOUR + 130 * HOUR)
    const [ordinary, weekdayValue] = [usual(now[0]!), usual(now[0]! - 48 * HOUR)].map(
      (value) => scoreSeasonalProfile(profile, now, Float64Array.of(value))[0]!,
    )
    expect(ordinary).toBeLessThan(4)
    expect(weekdayValue).toBeGreaterThan(10)
  })

  test('a slot of few values leans on the same hour of other days, an empty one is that hour', () => {
    const values = times.map(usual)
    const few = times.map((time, i) => (Math.floor(time / HOUR) % 168 === 12 && i > 12 ? 0 : 1))
    const sparse = values.map((value, i) => (few[i] === 1 && i % 168 !== 36 ? value : Number.NaN))
    sparse[12] = 100
    const profile = fitSeasonalProfile(times, sparse, { shrinkCount: 4 })
    expect(profile.counts[12]).toBe(1)
    expect(profile.centres[12]).toBeGreaterThan(35)
    expect(profile.centres[12]).toBeLessThan(60)
    expect(profile.counts[36]).toBe(0)
    expect(profile.centres[36]).toBeGreaterThan(15)
    expect(profile.scales.every((scale) => scale > 0)).toBe(true)
  })

  test('times before 1970 and offsets fall into the right slot; bad input is refused', () => {
    const profile = fitSeasonalProfile(times, times.map(usual), { offsetMs: HOUR })
    expect(profileSlot(profile, -HOUR)).toBe(0)
    expect(profileSlot(profile, -2 * HOUR)).toBe(167)
    const code = (expected: string) => expect.objectContaining({ code: expected })
    expect(() => fitSeasonalProfile(times, new Float64Array(3))).toThrow(code('SHAPE_MISMATCH'))
    expect(() =>
      fitSeasonalProfile(
        times,
        times.map(() => Number.NaN),
      ),
    ).toThrow(code('TOO_FEW_ROWS'))
    expect(() => fitSeasonalProfile(times, times, { innerSlotCount: 5 })).toThrow(
      code('INVALID_OPTION'),
    )
    expect(() =>
      fitSeasonalProfile(
        times,
        times.map(() => Infinity),
      ),
    ).toThrow(code('NOT_FINITE'))
  })
})

describe('decomposition residual', () => {
  const random = createRandom(8)
  const series = Float64Array.from(
    { length: 24 * 29 },
    (_, hour) => 10 + 4 * Math.sin((2 * Math.PI * hour) / 24) + 0.3 * nextNormal(random),
  )
  const history = series.subarray(0, 24 * 28)

  test('a day like the others is quiet, an odd hour stands out and is explained', () => {
    const model = fitStlResidual(history, { period: 24 })
    const today = series.slice(24 * 28)
    const quiet = scoreStlResidual(model, today)
    expect(Math.max(...quiet.scores)).toBeLessThan(5)
    today[9] = today[9]! + 6
    const { scores, trend, seasonal, residual } = scoreStlResidual(model, today)
    expect(scores.indexOf(Math.max(...scores))).toBe(9)
    expect(scores[9]).toBeGreaterThan(10)
    expect(trend[9]! + seasonal[9]! + residual[9]!).toBeCloseTo(today[9]!, 10)
  })

  test('missing points have no score; one after a long gap neither', () => {
    const model = fitStlResidual(history, { period: 24, maxGap: 6 })
    const today = series.slice(24 * 28)
    today.fill(Number.NaN, 2, 5)
    today.fill(Number.NaN, 10, 18)
    const { scores } = scoreStlResidual(model, today)
    expect([...scores.keys()].filter((hour) => Number.isNaN(scores[hour]!))).toEqual([
      2, 3, 4, 10, 11, 12, 13, 14, 15, 16, 17, 18,
    ])
  })

  test('the history kept is bounded; too short a one is refused', () => {
    expect(fitStlResidual(series, { period: 24 }).history).toHaveLength(24 * 28)
    expect(() => fitStlResidual(series.subarray(0, 40), { period: 24 })).toThrow(
      expect.objectContaining({ code: 'TOO_FEW_ROWS' }),
    )
    expect(() => fitStlResidual(series, { period: 24, historyLength: 30 })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
  })
})
