import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  emptyCategoryCounts,
  mergeCategoryCounts,
  updateCategoryCounts,
} from './category-counts.ts'
import {
  emptyValueHistogram,
  equalEdges,
  mergeValueHistograms,
  updateValueHistogram,
} from './value-histogram.ts'

describe('value histogram', () => {
  const empty = emptyValueHistogram(equalEdges(0, 1, 4))

  test('bins are closed below and open above, the outer ones without end', () => {
    const values = Float64Array.of(-3, 0, 0.25, 0.4999, 0.5, 0.75, 1, 9, Number.NaN)
    const { counts, nullCount } = updateValueHistogram(empty, values)
    expect(Array.from(counts)).toEqual([2, 2, 1, 3])
    expect(nullCount).toBe(1)
  })

  test('parts merge to what the whole gives, in any order', () => {
    fc.assert(
      fc.property(fc.float64Array(), fc.float64Array(), (left, right) => {
        const [a, b] = [updateValueHistogram(empty, left), updateValueHistogram(empty, right)]
        const whole = updateValueHistogram(a, right)
        expect(mergeValueHistograms(a, b)).toEqual(whole)
        expect(mergeValueHistograms(b, a)).toEqual(whole)
      }),
    )
  })

  test('other edges and edges without order are refused', () => {
    const other = emptyValueHistogram(equalEdges(0, 2, 4))
    expect(() => mergeValueHistograms(empty, other)).toThrow('edges[0]')
    expect(() => mergeValueHistograms(empty, emptyValueHistogram([1]))).toThrow('edges.length')
    expect(() => emptyValueHistogram([1, 1])).toThrow('edges[1]')
    expect(() => equalEdges(1, 1, 3)).toThrow('high')
    expect(() => equalEdges(0, 1, 0)).toThrow('binCount')
  })
})

describe('category counts', () => {
  test('parts merge to what the whole gives, in any order', () => {
    const entries = fc.array(fc.option(fc.constantFrom('a', 'b', 'ü', '__proto__')))
    fc.assert(
      fc.property(entries, entries, (left, right) => {
        const [a, b] = [left, right].map((part) =>
          updateCategoryCounts(emptyCategoryCounts(), part),
        )
        if (a === undefined || b === undefined) return
        const whole = updateCategoryCounts(emptyCategoryCounts(), [...left, ...right])
        expect(mergeCategoryCounts(a, b)).toEqual(whole)
        expect(mergeCategoryCounts(b, a)).toEqual(whole)
      }),
    )
  })

  test('a column of identifiers is refused', () => {
    const identifiers = Array.from({ length: 10_001 }, (_, i) => `device-${i}`)
    expect(() => updateCategoryCounts(emptyCategoryCounts(), identifiers)).toThrow('identifier')
  })
})
