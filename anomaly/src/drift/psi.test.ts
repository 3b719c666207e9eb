import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normalMatrix } from '../../testing/generated-tables.ts'
import { psi, psiReference, psiReferenceOfSorted } from './psi.ts'

const hundred = Float64Array.from({ length: 100 }, (_, i) => i)

describe('PSI', () => {
  test('identical samples give 0', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1 }), (values) => {
        const sample = Float64Array.from(values)
        expect(psi(psiReference(sample), sample).psi).toBe(0)
      }),
    )
  })

  test('an empty bin gives the hand-computed, finite value', () => {
    // Ten bins of ten; the sample fills nine of them with ten and leaves the last empty.
    const reference = psiReference(hundred)
    expect(Array.from(reference.fractions)).toEqual(Array.from({ length: 10 }, () => 0.1))
    const result = psi(reference, hundred.subarray(0, 90))
    const full = 10.5 / 95
    const empty = 0.5 / 95
    const expected = 9 * (full - 0.1) * Math.log(full / 0.1) + (empty - 0.1) * Math.log(empty / 0.1)
    expect(result.psi).toBeCloseTo(expected, 12)
    expect(result.noiseFloor).toBeCloseTo(9 * (1 / 100 + 1 / 90), 12)
  })

  test('values outside the reference fall into the open end bins', () => {
    const shifted = hundred.map((value) => value + 1000)
    expect(psi(psiReference(hundred), shifted).fractions[9]).toBe(1)
  })

  test('merged deciles with fewer than three bins become modal value and other', () => {
    const reference = psiReference(Float64Array.of(0, 0, 0, 0, 0, 0, 0, 1, 1, 1))
    expect(reference.bins).toEqual({ kind: 'modal', value: 0 })
    expect(Array.from(reference.fractions)).toEqual([0.7, 0.3])
    expect(psiReference(Float64Array.of(4, 4)).bins).toEqual({ kind: 'modal', value: 4 })
  })

  test('nulls are in no bin', () => {
    const withNulls = Float64Array.from([...hundred, Number.NaN, Number.NaN])
    expect(psi(psiReference(hundred), withNulls).psi).toBe(0)
    expect(psiReference(withNulls)).toEqual(psiReference(hundred))
    expect(() => psi(psiReference(hundred), Float64Array.of(Number.NaN))).toThrow('at least 1 row')
    expect(() => psiReference(new Float64Array())).toThrow('at least 1 row')
  })

  test('no drift stays near the noise floor, a shifted mean is seen', () => {
    const reference = psiReference(normalMatrix(5000, 1, 1).values)
    const same = psi(reference, normalMatrix(5000, 1, 2).values)
    expect(same.psi).toBeLessThan(3 * same.noiseFloor)
    const shifted = normalMatrix(5000, 1, 3).values.map((value) => value + 0.8)
    expect(psi(reference, shifted).psi).toBeGreaterThan(0.25)
  })
})

describe('the reference without sorting', () => {
  const shapes: Readonly<Record<string, (z: number) => number>> = {
    normal: (z) => z,
    'log-normal': (z) => Math.exp(3 * z),
    'few values': (z) => Math.round(2 * z),
    'mostly zero': (z) => Math.max(0, z - 1),
    'bounded below': (z) => Math.max(-1, z),
  }
  for (const [name, shape] of Object.entries(shapes)) {
    test(`is that of sorted values: ${name}`, () => {
      for (const count of [1, 10, 3000, 20_000]) {
        const values = normalMatrix(count, 1, count).values.map((z) => shape(z) + 0)
        const found = psiReference(values)
        const sorted = psiReferenceOfSorted(values.slice().sort())
        expect(found).toEqual(sorted)
        // Also a value exactly on an edge is counted above it.
        expect(psi(found, values).fractions).toEqual(found.fractions)
      }
    })
  }
})
