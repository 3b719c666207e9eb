import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom, nextNormal } from '../statistics/random.ts'
import { decomposeStl } from './stl.ts'
import type { StlOptions } from './stl-options.ts'
import { stlPlan } from './stl-plan.ts'

/** 20 + 0.05 t + 4 sin(2πt/p) + 0.8 sin(1.7 t²), +12 at 17, −9 at 40. */
function waves(length: number, period: number): Float64Array {
  const values = Float64Array.from(
    { length },
    (_, t) =>
      20 + 0.05 * t + 4 * Math.sin((2 * Math.PI * t) / period) + 0.8 * Math.sin(1.7 * t * t),
  )
  values[17] = values[17]! + 12
  values[40] = values[40]! - 9
  return values
}

type Recorded = {
  readonly length: number
  readonly options: StlOptions
  /** [point, trend, seasonal, weight] by statsmodels 0.15.0. */
  readonly points: readonly (readonly [number, number, number, number])[]
}

const recorded: readonly Recorded[] = [
  {
    length: 100,
    options: { period: 12 },
    points: [
      [0, 19.84529081203526, -0.5598145267958962, 1],
      [17, 21.791759438322707, 5.23076311346856, 1],
      [50, 22.351593886677986, 3.6382032082057916, 1],
      [99, 24.81368618732672, 3.3798890424885104, 1],
    ],
  },
  {
    length: 100,
    options: { period: 12, isRobust: true },
    points: [
      [0, 20.37402703026197, -0.4349157081885259, 0.9936211318854199],
      [17, 20.936314819838056, 1.2846300772930794, 0],
      [50, 22.278183845727007, 3.4549023288643586, 0.4530337486612943],
      [99, 24.75050267761243, 3.4646460832564103, 0.997793917598539],
    ],
  },
  {
    length: 130,
    options: {
      period: 7,
      seasonalSpan: 13,
      trendSpan: 21,
      lowPassSpan: 9,
      seasonalDegree: 0,
      trendDegree: 0,
      lowPassDegree: 0,
    },
    points: [
      [0, 20.399682505200303, 0.21556908284116338, 1],
      [17, 21.893414000379, 3.014920555268338, 1],
      [65, 23.228268691020105, 4.047705079996328, 1],
      [129, 26.318260621660176, 1.6909258402377136, 1],
    ],
  },
  {
    length: 101,
    options: { period: 12, seasonalJump: 2, trendJump: 4, lowPassJump: 3, isRobust: true },
    points: [
      [0, 20.371330836626054, -0.46797724265275026, 0.988679541976387],
      [17, 20.934173084327394, 1.2903786644788071, 0],
      [50, 22.247062873326165, 3.5429128522240125, 0.5974621878385754],
      [100, 24.705612541193602, 3.077787689182732, 0.9914384265957132],
    ],
  },
  {
    length: 41,
    options: { period: 12, trendSpan: 101 },
    points: [
      [0, 20.58082070051676, -0.37604700292551607, 1],
      [17, 21.09652839959574, 5.949110779243114, 1],
      [20, 21.174245423065326, -3.0852851367153264, 1],
      [40, 21.517906139383797, -3.1964194758524975, 1],
    ],
  },
]

describe('seasonal-trend decomposition', () => {
  test('equals statsmodels: plain, robust, degrees, jumps, a trend wider than the series', () => {
    for (const { length, options, points } of recorded) {
      const values = waves(length, options.period)
      const { trend, seasonal, residual, weights } = decomposeStl(values, options)
      for (const [at, level, season, weight] of points) {
        expect(Math.abs(trend[at]! - level)).toBeLessThan(1e-11)
        expect(Math.abs(seasonal[at]! - season)).toBeLessThan(1e-11)
        expect(Math.abs(weights[at]! - weight)).toBeLessThan(1e-10)
        expect(residual[at]).toBeCloseTo(values[at]! - level - season, 10)
      }
    }
  })

  test('a line plus a fixed season leaves no residual, robust or not', () => {
    const season = [5, -1, -4, 0]
    const values = Float64Array.from({ length: 41 }, (_, t) => 2 + 0.3 * t + season[t % 4]!)
    for (const isRobust of [false, true]) {
      const { residual, weights } = decomposeStl(values, { period: 4, isRobust, innerRounds: 20 })
      for (const value of residual) expect(Math.abs(value)).toBeLessThan(1e-6)
      expect(weights.every((weight) => weight >= 0 && weight <= 1)).toBe(true)
    }
  })

  test('scaling and shifting the series scales and shifts its components', () => {
    const options = fc.record({
      seed: fc.nat(500),
      scale: fc.double({ min: 0.01, max: 100, noNaN: true }),
    })
    fc.assert(
      fc.property(options, ({ seed, scale }) => {
        const random = createRandom(seed)
        const values = Float64Array.from({ length: 80 }, () => nextNormal(random))
        const base = decomposeStl(values, { period: 6, isRobust: true })
        const moved = decomposeStl(
          values.map((value) => scale * value + 7),
          { period: 6, isRobust: true },
        )
        for (let i = 0; i < 80; i++) {
          expect(moved.trend[i]).toBeCloseTo(scale * base.trend[i]! + 7, 5)
          expect(moved.seasonal[i]).toBeCloseTo(scale * base.seasonal[i]!, 5)
        }
      }),
      { numRuns: 20 },
    )
  })

  test('a plan used again gives the same bytes', () => {
    const plan = stlPlan(100, { period: 12, isRobust: true })
    const first = decomposeStl(waves(100, 12), plan)
    decomposeStl(waves(100, 5), plan)
    expect(decomposeStl(waves(100, 12), plan)).toEqual(first)
    expect(decomposeStl(waves(100, 12), { period: 12, isRobust: true })).toEqual(first)
  })

  test('missing points have no weight, and their fit comes from their neighbours', () => {
    const whole = Float64Array.from({ length: 120 }, (_, t) => 50 + 6 * Math.sin((Math.PI * t) / 6))
    const holed = whole.slice()
    for (const gap of [30, 31, 60, 61, 62, 63, 64, 65, 66, 67, 119]) holed[gap] = Number.NaN
    for (const isRobust of [false, true]) {
      const { trend, seasonal, residual, weights } = decomposeStl(holed, { period: 12, isRobust })
      for (const gap of [30, 63, 119]) {
        expect(trend[gap]! + seasonal[gap]!).toBeCloseTo(whole[gap]!, 1)
        expect(residual[gap]).toBeNaN()
        expect(weights[gap]).toBe(0)
      }
    }
  })

  test('a constant series is all trend', () => {
    const { trend, seasonal } = decomposeStl(new Float64Array(48).fill(0.1), {
      period: 12,
      isRobust: true,
    })
    for (const value of trend) expect(value).toBeCloseTo(0.1, 13)
    for (const value of seasonal) expect(value).toBeCloseTo(0, 13)
  })

  test('bad input is refused', () => {
    const code = (expected: string) => expect.objectContaining({ code: expected })
    const values = new Float64Array(48)
    expect(() => decomposeStl(values, { period: 1 })).toThrow(code('INVALID_OPTION'))
    expect(() => decomposeStl(values, { period: 4, trendSpan: 6 })).toThrow(code('INVALID_OPTION'))
    expect(() => decomposeStl(values, { period: 12, lowPassSpan: 11 })).toThrow(
      code('INVALID_OPTION'),
    )
    expect(() => decomposeStl(values, { period: 4, seasonalSpan: 8 })).toThrow(
      code('INVALID_OPTION'),
    )
    expect(() => decomposeStl(values, { period: 4, outerRounds: -1 })).toThrow(
      code('INVALID_OPTION'),
    )
    expect(() => decomposeStl(values, { period: 25 })).toThrow(code('TOO_FEW_ROWS'))
    expect(() => decomposeStl(values.fill(Number.NaN), { period: 4 })).toThrow(code('TOO_FEW_ROWS'))
    expect(() => decomposeStl(values.fill(1).fill(Infinity, 3, 4), { period: 4 })).toThrow(
      code('NOT_FINITE'),
    )
    expect(() => decomposeStl(values, stlPlan(49, { period: 4 }))).toThrow(code('SHAPE_MISMATCH'))
  })
})
