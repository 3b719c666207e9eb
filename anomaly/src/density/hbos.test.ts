import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { healthyRows, labelledTables, normalMatrix } from '../../testing/generated-tables.ts'
import { featureMatrix, featureMatrixOfRows } from '../feature-matrix.ts'
import { fitHbos } from './hbos.ts'
import { explainHbos, scoreHbos } from './hbos-score.ts'
import { histogramOfSorted, likeliestBinCount } from './histogram.ts'

/** PyOD's definition. */
const asPyod = { scaling: 'none', beyondRange: 'rarest bin' } as const

const summary = (scores: Float64Array) => [
  scores.reduce((sum, score) => sum + score, 0),
  scores[7]!,
  scores[100]!,
]

describe('histogram', () => {
  test('counts every value once, in the bin that its borders enclose', () => {
    const cells = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(cells, fc.integer({ min: 1, max: 12 }), (values, binCount) => {
        const sorted = Float64Array.from(values).sort()
        const { edges, counts } = histogramOfSorted(sorted, binCount)
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(values.length)
        for (let bin = 0; bin < binCount; bin++) {
          const isLast = bin === binCount - 1
          const inside = values.filter(
            (value) =>
              value >= edges[bin]! &&
              (value < edges[bin + 1]! || (isLast && value === edges[bin + 1])),
          )
          expect(counts[bin]).toBe(inside.length)
        }
      }),
    )
  })

  test('two clouds ask for more bins than an even spread, and one value for one', () => {
    const cloud = normalMatrix(2000, 1, 1).values
    const clouds = cloud.map((value, i) => value + (i % 2) * 30).sort()
    const even = Float64Array.from({ length: 2000 }, (_, i) => i)
    expect(likeliestBinCount(clouds)).toBeGreaterThan(4)
    expect(likeliestBinCount(even)).toBe(1)
    expect(likeliestBinCount(Float64Array.of(3))).toBe(1)
  })
})

describe('hbos', () => {
  test('equals PyOD 3.6.7 on generated tables, static and automatic bins', () => {
    // HBOS().fit(ordinary rows).decision_function(all rows): sum and rows 7 and 100; the same
    // for HBOS(n_bins='auto'), with the bins of the first three columns.
    const pyod = [
      {
        fixed: [19330.317980018648, 21.69356682208212, 18.44199619749915],
        auto: [19427.535106012067, 20.918254736585496, 18.57046258416228],
        bins: [7, 6, 1],
      },
      {
        fixed: [27505.75254101756, 22.330935971465, 17.73289724624012],
        auto: [28301.19908734446, 23.596411232882893, 19.206517889492368],
        bins: [5, 5, 5],
      },
      {
        fixed: [98158.96466375618, 48.01764048931244, 48.37988205005325],
        auto: [89617.59850089134, 48.18273586870805, 44.45925622442951],
        bins: [9, 10, 12],
      },
    ]
    for (const [index, table] of labelledTables().entries()) {
      const expected = pyod[index]!
      const fixed = scoreHbos(fitHbos(healthyRows(table), asPyod), table.matrix)
      const model = fitHbos(healthyRows(table), { ...asPyod, binCount: 'auto' })
      expect([...model.binCounts.subarray(0, 3)]).toEqual(expected.bins)
      const close = (found: number[], wanted: number[]) => {
        for (const [i, value] of found.entries()) {
          expect(Math.abs(value / wanted[i]! - 1)).toBeLessThan(1e-12)
        }
      }
      close(summary(fixed), expected.fixed)
      close(summary(scoreHbos(model, table.matrix)), expected.auto)
    }
  })

  test('values on the borders of bins count as in PyOD 3.6.7', () => {
    // HBOS(n_bins=7) fitted on and scoring the first table, its cells rounded half to even.
    const { matrix } = labelledTables()[0]!
    const values = matrix.values.map((value) => {
      const isHalf = Math.abs(value % 1) === 0.5
      return isHalf ? 2 * Math.round(value / 2) : Math.round(value)
    })
    const coarse = featureMatrix(values, matrix.columnNames)
    const found = summary(scoreHbos(fitHbos(coarse, { ...asPyod, binCount: 7 }), coarse))
    const expected = [19913.015605889155, 19.93535020746811, 19.85912645286544]
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(expected[i]!, 8)
  })

  test('a value out of range is an empty bin, or the rarest, beyond half a bin width', () => {
    // Bins [0, 5] and (5, 10] with five and one values; width 5, so 12.5 is still tolerated.
    const matrix = featureMatrixOfRows([[0], [1], [2], [3], [4], [10]], ['x'])
    const probe = featureMatrixOfRows([[12.4], [12.6], [-2.4], [-99]], ['x'])
    const options = { binCount: 2, scaling: 'none' } as const
    const term = (density: number) => -Math.log2(density + 0.1)
    const [common, rare, empty] = [term(5 / 5 / 6), term(1 / 5 / 6), term(0)]
    const plain = scoreHbos(fitHbos(matrix, options), probe)
    expect([...plain]).toEqual([rare, empty, common, empty])
    const rarest = scoreHbos(fitHbos(matrix, { ...options, beyondRange: 'rarest bin' }), probe)
    expect([...rarest]).toEqual([rare, rare, common, rare])
  })

  test('parts sum to the score; a missing cell counts like the mean of the others', () => {
    const model = fitHbos(normalMatrix(200, 3, 2))
    const probe = featureMatrixOfRows(
      [
        [0, 1, 9],
        [0, Number.NaN, 9],
        [Number.NaN, Number.NaN, Number.NaN],
      ],
      model.columnNames,
    )
    const scores = scoreHbos(model, probe)
    const parts = explainHbos(model, probe, [0, 1, 2])
    expect(parts[0]! + parts[1]! + parts[2]!).toBeCloseTo(scores[0]!, 12)
    expect(scores[1]).toBeCloseTo((parts[0]! + parts[2]!) * 1.5, 12)
    expect(parts[4]).toBe(0)
    expect(scores[2]).toBeNaN()
    expect([...parts.subarray(6)]).toEqual([0, 0, 0])
  })

  test('columns without values, without spread and of huge level are survived', () => {
    const rows = Array.from({ length: 20 }, (_, i) => [Number.NaN, 5, 2 ** 60 + (i % 2) * 256, i])
    const matrix = featureMatrixOfRows(rows, ['none', 'flat', 'huge', 'ramp'])
    const model = fitHbos(matrix)
    expect([...model.binCounts]).toEqual([0, 10, 10, 10])
    expect(scoreHbos(model, matrix).every(Number.isFinite)).toBe(true)
  })

  test('unusual options and ranges beyond doubles are refused', () => {
    const matrix = normalMatrix(20, 2, 4)
    const fit = (options: object) => () => fitHbos(matrix, options)
    expect(fit({ binCount: 0 })).toThrow('binCount')
    expect(fit({ regularisation: 0 })).toThrow('regularisation')
    expect(fit({ tolerance: -1 })).toThrow('tolerance')
    const wide = featureMatrixOfRows([[-1.7e308], [1.7e308]], ['x'])
    expect(() => fitHbos(wide)).toThrow(expect.objectContaining({ code: 'NOT_FINITE' }))
  })
})
