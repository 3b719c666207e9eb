import { describe, expect, test } from 'vitest'
import { decodeModel, encodeModel } from '../model-file/model-file.ts'
import { createRandom, nextNormal } from '../statistics/random.ts'
import { fitAdditiveForecast } from './additive-forecast.ts'
import { forecastAdditive, scoreAdditive } from './additive-predict.ts'

const HOUR = 3_600_000
const START = 1.7e12 - (1.7e12 % (168 * HOUR))

function hours(count: number, from = 0): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => START + (from + i) * HOUR)
}

/** Level 50, a slope that changes from 0.02 to −0.03 per hour at hour 600, a day and a week. */
function truth(times: Float64Array): Float64Array {
  return times.map((time) => {
    const hour = (time - START) / HOUR
    const trend = 50 + 0.02 * hour - 0.05 * Math.max(0, hour - 600)
    return (
      trend + 5 * Math.sin((2 * Math.PI * hour) / 24) + 2 * Math.cos((2 * Math.PI * hour) / 168)
    )
  })
}

function noisy(times: Float64Array, seed: number, deviation = 0.5): Float64Array {
  const random = createRandom(seed)
  return truth(times).map((value) => value + deviation * nextNormal(random))
}

describe('additive forecast', () => {
  const times = hours(1344)
  const model = fitAdditiveForecast(times, noisy(times, 1))

  test('finds trend with its bend, day and week under noise', () => {
    const { expected, components } = forecastAdditive(model, times)
    const right = truth(times)
    for (let i = 0; i < times.length; i += 7) {
      expect(Math.abs(expected[i]! - right[i]!)).toBeLessThan(1)
    }
    const daily = components.daily ?? new Float64Array()
    expect(Math.max(...daily)).toBeGreaterThan(4.7)
    expect(Math.max(...daily)).toBeLessThan(5.3)
    const sum = Object.values(components).reduce((total, part) => total + part[100]!, 0)
    expect(sum).toBeCloseTo(expected[100]!, 10)
  })

  test('about 80 % of new values lie inside the interval, which widens ahead', () => {
    const fresh = noisy(times, 2)
    const scores = scoreAdditive(model, times, fresh)
    const inside = scores.filter((score) => score <= 1).length / scores.length
    expect(inside).toBeGreaterThan(0.76)
    expect(inside).toBeLessThan(0.84)
    const ahead = forecastAdditive(model, hours(700, 1344))
    const width = (i: number) => ahead.upper[i]! - ahead.lower[i]!
    expect(width(100)).toBeGreaterThan(width(0))
    expect(width(699)).toBeGreaterThan(2 * width(0))
  })

  test('the forecast of the next day is near the truth, and an odd hour stands out', () => {
    const next = hours(24, 1344)
    const values = truth(next)
    expect(Math.max(...scoreAdditive(model, next, values))).toBeLessThan(2)
    values[5] = values[5]! + 8
    const scores = scoreAdditive(model, next, values)
    expect(scores.indexOf(Math.max(...scores))).toBe(5)
    expect(scores[5]).toBeGreaterThan(5)
  })

  test('regressors and holidays get their own share', () => {
    const outdoor = Float64Array.from({ length: 1344 }, (_, i) => 10 * Math.sin(i * i))
    const feast = [[START + 480 * HOUR, START + 504 * HOUR]] as const
    const future = [[START + 1344 * HOUR, START + 1368 * HOUR]] as const
    const values = noisy(times, 3).map(
      (value, i) => value - 0.7 * outdoor[i]! + (i >= 480 && i < 504 ? 9 : 0),
    )
    const fitted = fitAdditiveForecast(times, values, {
      regressors: { outdoor },
      holidays: [{ name: 'feast', spans: [...feast, ...future] }],
    })
    const next = hours(48, 1344)
    const { components } = forecastAdditive(fitted, next, { outdoor: new Float64Array(48).fill(5) })
    expect(components.feast?.[3]).toBeGreaterThan(8)
    expect(components.feast?.[30]).toBe(0)
    expect(components.outdoor?.[0]).toBeCloseTo(-3.5, 0)
    expect(() => forecastAdditive(fitted, next)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
  })

  test('scaling the series scales the forecast; missing values are left out', () => {
    const values = noisy(times, 1)
    const scaled = fitAdditiveForecast(
      times,
      values.map((value) => 1000 * value),
    )
    const base = forecastAdditive(model, times).expected
    for (const [i, value] of forecastAdditive(scaled, times).expected.entries()) {
      expect(value / 1000).toBeCloseTo(base[i]!, 6)
    }
    for (let i = 0; i < 200; i++) values[i * 6] = Number.NaN
    const holed = fitAdditiveForecast(times, values)
    expect(Math.abs(forecastAdditive(holed, times).expected[6]! - base[6]!)).toBeLessThan(0.5)
    expect(scoreAdditive(holed, times, values)[0]).toBeNaN()
  })

  test('a constant series is its own forecast; the state survives a file', () => {
    const flat = fitAdditiveForecast(times, new Float64Array(1344).fill(7))
    for (const value of forecastAdditive(flat, hours(24, 1344)).expected) {
      expect(value).toBeCloseTo(7, 3)
    }
    expect(decodeModel(encodeModel(model))).toEqual(model)
  })

  test('bad input is refused', () => {
    const code = (expected: string) => expect.objectContaining({ code: expected })
    const values = noisy(times, 1)
    expect(() => fitAdditiveForecast(times, new Float64Array(3))).toThrow(code('SHAPE_MISMATCH'))
    expect(() => fitAdditiveForecast(hours(1), Float64Array.of(1))).toThrow(code('TOO_FEW_ROWS'))
    expect(() => fitAdditiveForecast(times.slice().reverse(), values)).toThrow(
      code('INVALID_OPTION'),
    )
    expect(() => fitAdditiveForecast(times, values.slice().fill(Infinity, 4, 5))).toThrow(
      code('NOT_FINITE'),
    )
    for (const wrong of [{ intervalWidth: 1 }, { changePointCount: -1 }, { seasonScale: 0 }]) {
      expect(() => fitAdditiveForecast(times, values, wrong)).toThrow(code('INVALID_OPTION'))
    }
    const regressors = { outdoor: new Float64Array(1344).fill(Number.NaN) }
    expect(() => fitAdditiveForecast(times, values, { regressors })).toThrow(code('NOT_FINITE'))
  })
})
