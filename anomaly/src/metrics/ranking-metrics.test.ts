import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { precisionAtK } from './classification-metrics.ts'
import { auroc, averagePrecision } from './ranking-metrics.ts'

const labels = [0, 1, 0, 1, 1, 0, 0, 1, 0, 0]
const scores = Float64Array.of(0.1, 0.4, 0.4, 0.8, 0.4, 0.2, 0.8, 0.9, 0.1, 0.3)

const tiedRanking = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 6 })), {
    minLength: 2,
    maxLength: 40,
  })
  .filter((rows) => new Set(rows.map(([label]) => label)).size === 2)

describe('ranking metrics', () => {
  test('AUROC and average precision with ties equal scikit-learn 1.9.1', () => {
    expect(auroc(labels, scores)).toBeCloseTo(0.8541666666666666, 15)
    expect(averagePrecision(labels, scores)).toBeCloseTo(0.75, 15)
  })

  test('AUROC is the share of pairs in the right order, ties half', () => {
    fc.assert(
      fc.property(tiedRanking, (rows) => {
        const positives = rows.filter(([label]) => label === 1)
        const negatives = rows.filter(([label]) => label === 0)
        let pairs = 0
        for (const [, high] of positives) {
          for (const [, low] of negatives) pairs += high > low ? 1 : high === low ? 0.5 : 0
        }
        const found = auroc(
          rows.map(([label]) => label),
          Float64Array.from(rows, ([, score]) => score),
        )
        expect(found).toBeCloseTo(pairs / (positives.length * negatives.length), 12)
      }),
    )
  })

  test('no metric depends on the order of rows', () => {
    fc.assert(
      fc.property(tiedRanking, fc.integer({ min: 1, max: 40 }), (rows, k) => {
        const count = Math.min(k, rows.length)
        const all = (ordered: typeof rows) => {
          const y = ordered.map(([label]) => label)
          const s = Float64Array.from(ordered, ([, score]) => score)
          return [auroc(y, s), averagePrecision(y, s), precisionAtK(y, s, count)]
        }
        const backwards = all([...rows].reverse())
        for (const [i, value] of all(rows).entries())
          expect(value).toBeCloseTo(backwards[i] ?? 0, 12)
      }),
    )
  })

  test('precision at K counts rows tied at the border by their expectation', () => {
    expect(precisionAtK(labels, scores, 1)).toBe(1)
    expect(precisionAtK(labels, scores, 3)).toBeCloseTo(2 / 3, 15)
    // Three rows tie for ranks 4 to 6, two of them positive: the fourth is one with chance 2/3.
    expect(precisionAtK(labels, scores, 4)).toBeCloseTo((2 + 2 / 3) / 4, 15)
    expect(precisionAtK(labels, scores, 10)).toBeCloseTo(0.4, 15)
  })

  test('one class, odd labels, NaN scores and a bad K are refused', () => {
    const two = Float64Array.of(1, 2)
    expect(() => auroc([1, 1], two)).toThrow(expect.objectContaining({ code: 'ONE_CLASS' }))
    expect(() => averagePrecision([0, 0], two)).toThrow('all 2 labels are 0')
    expect(() => auroc([0, 2], two)).toThrow('labels[1]')
    expect(() => auroc([0], two)).toThrow('labels.length')
    expect(() => auroc([0, 1], Float64Array.of(1, Number.NaN))).toThrow('score 1 is NaN')
    expect(() => precisionAtK([0, 1], two, 3)).toThrow('count')
  })
})
