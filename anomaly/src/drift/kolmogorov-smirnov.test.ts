import { describe, expect, test } from 'vitest'
import { labelledTables, normalMatrix } from '../../testing/generated-tables.ts'
import { kolmogorovPValue, kolmogorovSmirnov } from './kolmogorov-smirnov.ts'

/** sup |F_a − F_b| over all values by counting. */
function naiveStatistic(a: Float64Array, b: Float64Array): number {
  const share = (sample: Float64Array, x: number) =>
    sample.filter((value) => value <= x).length / sample.length
  return Math.max(...[...a, ...b].map((x) => Math.abs(share(a, x) - share(b, x))))
}

describe('Kolmogorov–Smirnov', () => {
  test('the statistic is the largest gap, also with ties', () => {
    expect(
      kolmogorovSmirnov(Float64Array.of(1, 2, 3), Float64Array.of(2, 3, 4)).statistic,
    ).toBeCloseTo(1 / 3, 15)
    expect(kolmogorovSmirnov(Float64Array.of(1, 1), Float64Array.of(5)).statistic).toBe(1)
    for (let seed = 0; seed < 20; seed++) {
      const a = normalMatrix(40, 1, seed).values.map((value) => Math.round(2 * value))
      const b = normalMatrix(31, 1, seed + 100).values.map((value) => Math.round(2 * value))
      expect(kolmogorovSmirnov(a, b).statistic).toBeCloseTo(naiveStatistic(a, b), 14)
    }
  })

  test('equals scipy 1.17.1 on generated columns', () => {
    const scipy = [0.038, 0.048, 0.037333333333333336]
    for (const [index, { matrix }] of labelledTables().entries()) {
      const width = matrix.columnNames.length
      const column = matrix.values.filter((_, i) => i % width === 0)
      const { statistic } = kolmogorovSmirnov(column.subarray(0, 500), column.subarray(500))
      expect(statistic).toBeCloseTo(scipy[index] ?? 0, 14)
    }
  })

  test('the p-value follows the stated series', () => {
    // Ne = 100 · 100 / 200 = 50, λ = (7.0711 + 0.12 + 0.11/7.0711) · 0.19.
    const lambda = (Math.sqrt(50) + 0.12 + 0.11 / Math.sqrt(50)) * 0.19
    const series =
      2 * (Math.exp(-2 * lambda ** 2) - Math.exp(-8 * lambda ** 2) + Math.exp(-18 * lambda ** 2))
    expect(kolmogorovPValue(0.19, 50)).toBeCloseTo(series, 9)
    expect(kolmogorovPValue(0, 50)).toBe(1)
    expect(kolmogorovPValue(1, 1e5)).toBe(0)
  })

  test('samples of one population alarm at most at the nominal rate', () => {
    let alarms = 0
    for (let seed = 0; seed < 200; seed++) {
      const a = normalMatrix(200, 1, seed).values
      const b = normalMatrix(200, 1, seed + 1000).values
      if (kolmogorovSmirnov(a, b).pValue < 0.05) alarms++
    }
    // Binomial(200, 0.05): mean 10, three standard deviations 9.2.
    expect(alarms).toBeLessThanOrEqual(19)
  })

  test('nulls are left out, and an empty sample is refused', () => {
    const a = Float64Array.of(1, Number.NaN, 2)
    expect(kolmogorovSmirnov(a, Float64Array.of(1, 2))).toMatchObject({ statistic: 0, countA: 2 })
    expect(() => kolmogorovSmirnov(a, Float64Array.of(Number.NaN))).toThrow('sample b')
  })
})
