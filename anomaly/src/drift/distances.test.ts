import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normalMatrix } from '../../testing/generated-tables.ts'
import { featureMatrix } from '../feature-matrix.ts'
import { emptyCategoryCounts, updateCategoryCounts } from '../sketches/category-counts.ts'
import { weightedValuesOfSorted } from '../sketches/weighted-values.ts'
import { chiSquare } from './chi-square.ts'
import { jensenShannon, kullbackLeibler } from './divergence.ts'
import { chiSquareTail } from './gamma-tail.ts'
import {
  kolmogorovSmirnov,
  kolmogorovSmirnovColumns,
  kolmogorovSmirnovSorted,
  kolmogorovSmirnovToSketch,
  kolmogorovSmirnovWeighted,
} from './kolmogorov-smirnov.ts'
import { adjustPValues } from './multiple-testing.ts'
import { psi, psiColumns, psiReferenceOfWeighted, psiReferences } from './psi.ts'
import { binFractions, sortedBinFractions } from './psi-bins.ts'
import {
  wassersteinDistance,
  wassersteinSorted,
  wassersteinToSketch,
  wassersteinWeighted,
} from './wasserstein.ts'

const a = Float64Array.from({ length: 300 }, (_, i) => 3 * Math.sin(12.9898 * i) + 0.01 * i)
const b = Float64Array.from({ length: 411 }, (_, i) => 3 * Math.sin(78.233 * i + 1) + 0.2)
/** As numpy rounds: halves do not occur. */
const rounded = (values: Float64Array) => values.map(Math.round)

const tied = fc
  .array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 400 })
  .map((values) => Float64Array.from(values))

/** sup |F_a − F_b| and ∫ |F_a − F_b| at every value, by counting. */
function naive(left: Float64Array, right: Float64Array): readonly [number, number] {
  const share = (sample: Float64Array, x: number) =>
    sample.filter((value) => value <= x).length / sample.length
  const all = [...new Set([...left, ...right])].sort((x, y) => x - y)
  const gaps = all.map((x) => Math.abs(share(left, x) - share(right, x)))
  const area = gaps.slice(0, -1).map((gap, i) => gap * ((all[i + 1] ?? 0) - (all[i] ?? 0)))
  return [Math.max(...gaps), area.reduce((sum, part) => sum + part, 0)]
}

describe('KS and Wasserstein', () => {
  test('equal scipy 1.17.1, also with ties', () => {
    expect(kolmogorovSmirnov(a, b).statistic).toBeCloseTo(0.29333333333333333, 14)
    expect(wassersteinDistance(a, b)).toBeCloseTo(1.3033887289242585, 11)
    expect(kolmogorovSmirnov(rounded(a), rounded(b)).statistic).toBeCloseTo(0.24, 14)
    expect(wassersteinDistance(rounded(a), rounded(b))).toBeCloseTo(1.3099513381995136, 11)
  })

  test('skipping stretches and weights change nothing', () => {
    fc.assert(
      fc.property(tied, tied, (left, right) => {
        const [x, y] = [left.slice().sort(), right.slice().sort()]
        const [gap, area] = naive(left, right)
        expect(kolmogorovSmirnovSorted(x, y).statistic).toBeCloseTo(gap, 13)
        expect(wassersteinSorted(x, y)).toBeCloseTo(area, 11)
        const [u, v] = [weightedValuesOfSorted(x), weightedValuesOfSorted(y)]
        const weighted = kolmogorovSmirnovWeighted(u, x.length, v, y.length)
        expect(weighted).toEqual(kolmogorovSmirnovSorted(x, y))
        expect(wassersteinWeighted(u, v)).toBeCloseTo(area, 11)
        expect(kolmogorovSmirnovToSketch(u, x.length, y)).toEqual(weighted)
        expect(wassersteinToSketch(u, y)).toBeCloseTo(area, 11)
        const { bins, fractions } = psiReferenceOfWeighted(u, x.length)
        for (const [bin, share] of binFractions(bins, x).entries()) {
          expect(fractions[bin]).toBeCloseTo(share, 12)
        }
        expect(sortedBinFractions(bins, y)).toEqual(binFractions(bins, right))
      }),
    )
  })

  test('many values: the statistic is that of a plain walk over both', () => {
    for (let seed = 0; seed < 5; seed++) {
      const left = normalMatrix(5000, 1, seed).values.slice().sort()
      const right = normalMatrix(7000, 1, seed + 50)
        .values.map((value) => 1.02 * value + 0.03)
        .sort()
      const plain = kolmogorovSmirnovWeighted(
        weightedValuesOfSorted(left),
        5000,
        weightedValuesOfSorted(right),
        7000,
      )
      expect(kolmogorovSmirnovSorted(left, right)).toEqual(plain)
    }
  })

  test('a table is compared column by column, missing cells left out', () => {
    const reference = normalMatrix(3000, 3, 1)
    const values = normalMatrix(2500, 3, 2).values.map((value, i) =>
      i % 7 === 0 ? Number.NaN : value,
    )
    const current = featureMatrix(values, reference.columnNames)
    const found = kolmogorovSmirnovColumns(reference, current)
    const references = psiReferences(reference)
    const psis = psiColumns(references, reference.columnNames, current)
    for (let c = 0; c < 3; c++) {
      const [x, y] = [reference, current].map((matrix) =>
        matrix.values.filter((_, i) => i % 3 === c),
      )
      if (x === undefined || y === undefined) continue
      expect(found[c]).toEqual(kolmogorovSmirnov(x, y))
      expect(psis[c]).toEqual(psi(references[c]!, y))
    }
    const shuffled = { ...current, columnNames: ['c1', 'c0', 'c2'] }
    expect(() => kolmogorovSmirnovColumns(reference, shuffled)).toThrow('column 0 is c1')
  })

  test('an empty sample is refused', () => {
    expect(() => wassersteinDistance(a, new Float64Array())).toThrow('sample b')
    expect(() => wassersteinDistance(Float64Array.of(Number.NaN), a)).toThrow('sample a')
  })
})

describe('divergences', () => {
  test('equal scipy 1.17.1', () => {
    const [p, q] = [
      [120, 40, 30, 10],
      [90, 70, 25, 20],
    ]
    expect(jensenShannon(p, q)).toBeCloseTo(0.029191730023024023, 14)
    const { forward, backward, larger } = kullbackLeibler(p, q, 0)
    expect(forward).toBeCloseTo(0.07806957296545142, 14)
    expect(backward).toBeCloseTo(0.08548603778118632, 14)
    expect(larger).toBe(backward)
  })

  test('never negative, zero for equal shares, symmetric where it should be', () => {
    const counts = fc
      .array(fc.nat(50), { minLength: 5, maxLength: 5 })
      .filter((c) => c.some((n) => n > 0))
    fc.assert(
      fc.property(counts, counts, (p, q) => {
        expect(kullbackLeibler(p, q).larger).toBeGreaterThanOrEqual(-1e-15)
        expect(jensenShannon(p, q)).toBeCloseTo(jensenShannon(q, p), 14)
        expect(jensenShannon(p, p)).toBe(0)
      }),
    )
    expect(jensenShannon([1, 0], [0, 7])).toBe(1)
    expect(kullbackLeibler([1, 0], [0, 7], 0).forward).toBe(Number.POSITIVE_INFINITY)
  })

  test('histograms of other lengths, empty and negative ones are refused', () => {
    expect(() => kullbackLeibler([1], [1, 2])).toThrow('bins')
    expect(() => jensenShannon([0, 0], [1, 2])).toThrow('at least 1 row')
    expect(() => jensenShannon([-1, 3], [1, 2])).toThrow('counts[0]')
    expect(() => kullbackLeibler([1], [1], -1)).toThrow('smoothing')
  })
})

describe('chi-square', () => {
  const composition = (sizes: readonly number[]) =>
    updateCategoryCounts(
      emptyCategoryCounts(),
      sizes.flatMap((size, i) => Array.from({ length: size }, () => `model ${i}`)),
    )

  test('equals scipy 1.17.1', () => {
    const two = chiSquare(composition([120, 40, 30, 10]), composition([90, 70, 25, 20]))
    expect(two.statistic).toBeCloseTo(16.19615140956604, 12)
    expect(two.pValue).toBeCloseTo(0.0010336642931381248, 14)
    expect(two.effect).toBeCloseTo(Math.sqrt(16.19615140956604 / 405), 12)
    expect(two).toMatchObject({ degreesOfFreedom: 3, mergedCategories: [] })
    const fit = chiSquare(composition([120, 40, 30, 10]), composition([90, 70, 25, 20]), {
      test: 'goodness_of_fit',
    })
    expect(fit.statistic).toBeCloseTo(39.71544715447155, 11)
    expect(fit.pValue / 1.2242474973042777e-8).toBeCloseTo(1, 10)
  })

  test('rare categories are merged, a new one counts', () => {
    const before = composition([500, 490, 4, 3])
    const now = composition([480, 510, 2, 2, 3])
    const { mergedCategories, degreesOfFreedom } = chiSquare(before, now)
    expect(mergedCategories).toEqual(['model 2', 'model 3', 'model 4'])
    expect(degreesOfFreedom).toBe(2)
    const isNew = chiSquare(composition([500]), composition([0, 500]))
    expect(isNew.pValue).toBeLessThan(1e-100)
    expect(isNew.effect).toBeCloseTo(1, 12)
    expect(chiSquare(composition([50]), composition([60]))).toMatchObject({ pValue: 1, effect: 0 })
    expect(() => chiSquare(composition([]), now)).toThrow('reference')
    expect(() => chiSquare(now, composition([]))).toThrow('current')
  })

  test('the tail of the distribution equals scipy 1.17.1', () => {
    const scipy = [
      [0.5, 1, 0.47950012218695337],
      [3.84, 1, 0.05004352124870519],
      [50, 10, 2.669083424904495e-7],
      [1000, 900, 0.010994608942135844],
      [1e-3, 7, 0.9999999999997597],
      [300, 3, 9.948758346327588e-65],
    ] as const
    for (const [statistic, degrees, tail] of scipy) {
      expect(chiSquareTail(statistic, degrees) / tail).toBeCloseTo(1, 10)
    }
  })
})

describe('several tests', () => {
  test('adjusted p-values equal statsmodels 0.15.0', () => {
    const pValues = [0.01, 0.04, 0.03, 0.005, 0.5, 0.04, 1]
    const holm = [0.06, 0.16, 0.15, 0.035, 1, 0.16, 1]
    const benjaminiHochberg = [0.035, 0.056, 0.056, 0.035, 0.5833333333333334, 0.056, 1]
    for (const [i, value] of adjustPValues(pValues, 'holm').entries()) {
      expect(value).toBeCloseTo(holm[i] ?? 0, 14)
    }
    for (const [i, value] of adjustPValues(pValues, 'benjamini_hochberg').entries()) {
      expect(value).toBeCloseTo(benjaminiHochberg[i] ?? 0, 14)
    }
  })

  test('a test that was not made takes no part', () => {
    const all = adjustPValues([0.01, Number.NaN, 0.02], 'holm')
    expect(Array.from(all)).toEqual([0.02, Number.NaN, 0.02])
    expect(() => adjustPValues([1.1], 'holm')).toThrow('pValues[0]')
  })
})
