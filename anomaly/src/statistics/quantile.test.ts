import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { naiveQuantile } from '../../testing/naive-twins.ts'
import { quantile, quantileOfSorted, quantiles, selectInPlace } from './quantile.ts'

const someValues = fc.array(
  fc.oneof(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.integer({ min: 0, max: 3 })),
  { minLength: 1, maxLength: 200 },
)

describe('quantile', () => {
  test('interpolates linearly between order statistics', () => {
    const values = Float64Array.of(40, 10, 30, 20)
    expect(quantile(values, 0)).toBe(10)
    expect(quantile(values, 0.25)).toBe(17.5)
    expect(quantile(values, 0.5)).toBe(25)
    expect(quantile(values, 1)).toBe(40)
    expect(Array.from(values)).toEqual([40, 10, 30, 20])
  })

  test('selection gives what a full sort gives', () => {
    fc.assert(
      fc.property(someValues, fc.double({ min: 0, max: 1, noNaN: true }), (values, p) => {
        const expected = naiveQuantile(values, p)
        const found = quantile(Float64Array.from(values), p)
        // Both interpolate the same two numbers; only rounding of the sum may differ.
        expect(Math.abs(found - expected)).toBeLessThanOrEqual(1e-9 * (1 + Math.abs(expected)))
        expect(quantiles(Float64Array.from(values), [p])[0]).toBe(found)
      }),
    )
  })

  test('selection orders around its target', () => {
    fc.assert(
      fc.property(someValues, fc.nat(), (values, seed) => {
        const scratch = Float64Array.from(values)
        const target = seed % values.length
        const selected = selectInPlace(scratch, 0, scratch.length, target)
        expect(scratch.subarray(0, target).every((value) => value <= selected)).toBe(true)
        expect(scratch.subarray(target).every((value) => value >= selected)).toBe(true)
      }),
    )
  })

  test('sorted, reversed, constant and organ-pipe inputs stay correct', () => {
    const n = 20_001
    const shapes = [
      (i: number) => i,
      (i: number) => n - i,
      () => 7,
      (i: number) => Math.min(i, n - i),
      (i: number) => i % 3,
    ]
    for (const shape of shapes) {
      const values = Float64Array.from({ length: n }, (_, i) => shape(i))
      expect(quantile(values, 0.5)).toBe(quantileOfSorted(values.slice().sort(), 0.5))
    }
  })

  test('matches numpy 2.4.6 on a generated column', async () => {
    const { labelledTables } = await import('../../testing/generated-tables.ts')
    const matrix = labelledTables()[0]?.matrix
    const column = matrix?.values.filter((_, i) => i % 8 === 1) ?? new Float64Array()
    expect(quantile(column, 0.001)).toBeCloseTo(-3.2128578632729248, 12)
    expect(quantile(column, 0.05)).toBeCloseTo(-1.19553241778939, 12)
    expect(quantile(column, 0.333)).toBeCloseTo(1.8576857648966671, 12)
  })

  test('no values, NaN and a probability outside [0, 1] are refused', () => {
    expect(() => quantile(new Float64Array(), 0.5)).toThrow('at least 1 row')
    expect(() => quantile(Float64Array.of(1, Number.NaN), 0.5)).toThrow('value 1 is NaN')
    expect(() => quantile(Float64Array.of(1), 1.5)).toThrow('option probability is 1.5')
  })
})
