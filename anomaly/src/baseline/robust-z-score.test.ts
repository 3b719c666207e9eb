import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normalMatrix } from '../../testing/generated-tables.ts'
import { rowsOf } from '../../testing/naive-twins.ts'
import { featureMatrixOfRows } from '../feature-matrix.ts'
import { fitRobustBaseline } from './robust-baseline.ts'
import { scoreRobustBaseline } from './robust-baseline-score.ts'
import { explainRobustZScore, fitRobustZScore, scoreRobustZScore } from './robust-z-score.ts'

describe('robust z-score', () => {
  test('is the mean of the largest |z| of a row', () => {
    const columns = fc.integer({ min: 1, max: 6 })
    fc.assert(
      fc.property(columns, fc.integer({ min: 1, max: 5 }), fc.nat(1000), (width, count, seed) => {
        const matrix = normalMatrix(30, width, seed)
        const model = fitRobustZScore(matrix, { largestCount: count })
        const scores = scoreRobustZScore(model, matrix)
        for (const [row, cells] of rowsOf(matrix).entries()) {
          const z = cells.map((value, d) =>
            Math.abs((value - model.centres[d]!) / model.scales[d]!),
          )
          const largest = z.sort((a, b) => b - a).slice(0, count)
          const mean = largest.reduce((sum, value) => sum + value, 0) / largest.length
          expect(scores[row]).toBeCloseTo(mean, 12)
        }
      }),
    )
  })

  test('equals the robust baseline of a fleet without groups', () => {
    const matrix = normalMatrix(200, 5, 2)
    const groups = { deviceOfRow: new Uint32Array(200), deviceCount: 1 }
    const baseline = fitRobustBaseline(matrix, groups, { minDeviceRows: 1000 })
    const expected = scoreRobustBaseline(baseline, matrix, groups).scores
    expect(scoreRobustZScore(fitRobustZScore(matrix), matrix)).toEqual(expected)
  })

  test('missing cells are left out, and explained by nothing', () => {
    const matrix = featureMatrixOfRows(
      [
        [0, 10],
        [1, 20],
        [2, 30],
      ],
      ['a', 'b'],
    )
    const model = fitRobustZScore(matrix)
    const probe = featureMatrixOfRows(
      [
        [Number.NaN, 20 + 2 * 14.826],
        [Number.NaN, Number.NaN],
      ],
      ['a', 'b'],
    )
    const scores = scoreRobustZScore(model, probe)
    expect(scores[0]).toBeCloseTo(2, 12)
    expect(scores[1]).toBeNaN()
    expect(explainRobustZScore(model, probe, [0])[0]).toBe(0)
    expect(explainRobustZScore(model, probe, [0])[1]).toBeCloseTo(2, 12)
  })

  test('half the rows may be wrong without moving the yardstick far', () => {
    const rows = rowsOf(normalMatrix(1000, 1, 3)).map(([x = 0], i) => [i < 400 ? 1e6 : x])
    const model = fitRobustZScore(featureMatrixOfRows(rows, ['x']))
    expect(Math.abs(model.centres[0]!)).toBeLessThan(2)
    expect(scoreRobustZScore(model, featureMatrixOfRows([[1e6]], ['x']))[0]).toBeGreaterThan(1e4)
    expect(() => fitRobustZScore(normalMatrix(3, 1, 1), { largestCount: 0 })).toThrow(
      'largestCount',
    )
  })
})
