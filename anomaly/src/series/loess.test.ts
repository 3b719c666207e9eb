import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom, nextNormal, nextOpenUnit } from '../statistics/random.ts'
import { fittedAt, loessSmoother, smoothInto } from './loess.ts'
import { loessKernel, windowStart } from './loess-kernel.ts'

/** Local regression at one point by its definition: weighted least squares over the window. */
function naiveFit(
  values: readonly number[],
  weights: readonly number[],
  at: number,
  start: number,
  span: number,
  degree: 0 | 1,
): number {
  const count = values.length
  const end = Math.min(start + span, count)
  const widened = span > count ? Math.floor((span - count) / 2) : 0
  const bandwidth = Math.max(at - start, end - 1 - at) + widened
  const points = values
    .map((value, i) => ({ x: i - at, value, weight: weights[i] ?? 1 }))
    .slice(start, end)
    .map(({ x, value, weight }) => {
      const ratio = Math.abs(x) / bandwidth
      const tricube = ratio > 0.999 ? 0 : ratio <= 0.001 ? 1 : (1 - ratio ** 3) ** 3
      return { x, value, weight: weight * tricube }
    })
  const sum = (of: (point: (typeof points)[number]) => number) =>
    points.reduce((total, point) => total + point.weight * of(point), 0)
  const total = sum(() => 1)
  if (total <= 0) return Number.NaN
  const meanX = sum(({ x }) => x) / total
  const mean = sum(({ value }) => value) / total
  const spread = sum(({ x }) => (x - meanX) ** 2) / total
  if (degree === 0 || Math.sqrt(spread) <= 0.001 * (count - 1)) return mean
  const slope = sum(({ x, value }) => (x - meanX) * (value - mean)) / total / spread
  return mean - slope * meanX
}

const shape = fc.record({
  count: fc.integer({ min: 2, max: 60 }),
  half: fc.integer({ min: 1, max: 40 }),
  degree: fc.constantFrom<0 | 1>(0, 1),
  seed: fc.nat(1000),
  isWeighted: fc.boolean(),
})

function smoothed(
  count: number,
  span: number,
  degree: 0 | 1,
  jump: number,
  values: Float64Array,
  weights: Float64Array | undefined,
) {
  const smoother = loessSmoother(loessKernel(count, span, degree), jump)
  const out = new Float64Array(count)
  smoothInto(smoother, values, weights, out, 0)
  return { smoother, out }
}

describe('local regression', () => {
  test('equals weighted least squares in every window, one point beyond both ends included', () => {
    fc.assert(
      fc.property(shape, ({ count, half, degree, seed, isWeighted }) => {
        const random = createRandom(seed)
        const values = Float64Array.from({ length: count }, () => nextNormal(random))
        const weights = Float64Array.from({ length: count }, () =>
          nextOpenUnit(random) < 0.3 ? 0 : nextOpenUnit(random),
        )
        const span = 2 * half + 1
        const used = isWeighted ? weights : undefined
        const { smoother, out } = smoothed(count, span, degree, 1, values, used)
        const naiveWeights = isWeighted ? [...weights] : []
        for (let i = -1; i <= count; i++) {
          const start = windowStart(smoother.kernel, Math.min(Math.max(i, 0), count - 1))
          const naive = naiveFit([...values], naiveWeights, i, start, span, degree)
          const found = i < 0 || i === count ? fittedAt(smoother, i, start, values, used) : out[i]!
          const expected = Number.isNaN(naive) && i >= 0 && i < count ? values[i]! : naive
          if (Number.isNaN(expected)) expect(found).toBeNaN()
          // A line through nearly equal positions magnifies rounding.
          else expect(Math.abs(found - expected)).toBeLessThan(1e-7 * (1 + Math.abs(expected)))
        }
      }),
    )
  })

  test('a straight line is its own smooth', () => {
    const line = Float64Array.from({ length: 50 }, (_, i) => 3 - 0.5 * i)
    for (const jump of [1, 4, 7]) {
      const { out } = smoothed(50, 11, 1, jump, line, undefined)
      for (const [i, value] of out.entries()) expect(value).toBeCloseTo(line[i]!, 11)
    }
  })

  test('a window too wide for the table gives the same smooth', () => {
    const values = Float64Array.from({ length: 1100 }, (_, i) => Math.sin(i * i))
    const weights = values.map((value) => Math.abs(value))
    for (const used of [undefined, weights]) {
      const { out } = smoothed(1100, 1301, 1, 100, values, used)
      for (const at of [0, 500, 1000]) {
        const naive = naiveFit([...values], used === undefined ? [] : [...used], at, 0, 1301, 1)
        expect(out[at]).toBeCloseTo(naive, 11)
      }
    }
  })

  test('a point whose window has no weight keeps its value', () => {
    const values = Float64Array.from([1, 2, 30, 4, 5, 6, 7, 8])
    const weights = Float64Array.from([0, 0, 0, 0, 0, 1, 1, 1])
    expect(smoothed(8, 3, 1, 1, values, weights).out[2]).toBe(30)
  })
})
