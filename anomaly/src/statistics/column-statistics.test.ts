import { describe, expect, test } from 'vitest'
import { labelledTables } from '../../testing/generated-tables.ts'
import { featureMatrixOfRows } from '../feature-matrix.ts'
import { columnStatistics, moments } from './column-statistics.ts'

describe('column statistics', () => {
  test('of 0, 1, … 1000 are known', () => {
    const rows = Array.from({ length: 1001 }, (_, i) => [i])
    const [column] = columnStatistics(featureMatrixOfRows(rows, ['x']))
    expect(column).toMatchObject({
      name: 'x',
      rowCount: 1001,
      nullFraction: 0,
      mean: 500,
      min: 0,
      max: 1000,
      p001: 1,
      p05: 50,
      p25: 250,
      p50: 500,
      p75: 750,
      p95: 950,
      p999: 999,
      mad: 250,
    })
    // Discrete uniform: variance (n² − 1)/12, no skew, excess kurtosis −6(n² + 1)/5(n² − 1).
    expect(column?.std).toBeCloseTo(Math.sqrt((1001 ** 2 - 1) / 12), 9)
    expect(column?.skewness).toBeCloseTo(0, 12)
    expect(column?.kurtosis).toBeCloseTo((-6 * (1001 ** 2 + 1)) / (5 * (1001 ** 2 - 1)), 12)
    expect(column?.quantiles).toHaveLength(201)
    expect(column?.quantiles[10]).toBe(50)
    expect(column?.psi?.bins).toEqual({
      kind: 'edges',
      edges: Float64Array.of(100, 200, 300, 400, 500, 600, 700, 800, 900),
    })
  })

  test('skewness and kurtosis equal scipy 1.17.1', () => {
    const scipy = [
      [0.04723046617937804, -1.2341928947267258],
      [-0.23361117787651042, 1.599006149968952],
      [-0.7296228672288391, 23.387577190650482],
    ]
    for (const [index, { matrix }] of labelledTables().entries()) {
      const [column] = columnStatistics(matrix)
      expect(column?.skewness).toBeCloseTo(scipy[index]?.[0] ?? 0, 10)
      expect(column?.kurtosis).toBeCloseTo(scipy[index]?.[1] ?? 0, 10)
    }
  })

  test('missing cells count as null and enter nothing else', () => {
    const rows = [
      [1, Number.NaN],
      [Number.NaN, Number.NaN],
      [3, Number.NaN],
      [2, Number.NaN],
    ]
    const [some, none] = columnStatistics(featureMatrixOfRows(rows, ['some', 'none']))
    expect(some).toMatchObject({ nullFraction: 0.25, mean: 2, min: 1, p50: 2, mad: 1 })
    expect(none).toMatchObject({ nullFraction: 1, mean: Number.NaN, p50: Number.NaN })
    expect(none).not.toHaveProperty('psi')
  })

  test('a constant column has no spread and no shape', () => {
    expect(moments(new Float64Array(7).fill(0.1))).toEqual({
      mean: expect.closeTo(0.1, 15),
      std: 0,
      skewness: 0,
      kurtosis: 0,
    })
  })

  test('a matrix without rows is refused', () => {
    expect(() => columnStatistics(featureMatrixOfRows([], ['x']))).toThrow('at least 1 row')
  })
})
