import fc from 'fast-check'
import type { Comparison, Predicate, PredicateValue } from './predicate.ts'

/** A row of the tables that the random conditions speak of. */
export interface ModelRow {
  readonly id: number
  readonly name: string | null
  readonly price: number | null
  readonly day: string | null
}

/** Rows with few different values, so that conditions meet some of them. */
export const randomRow: fc.Arbitrary<ModelRow> = fc.record({
  id: fc.integer({ min: 0, max: 12 }),
  name: fc.constantFrom(null, 'a', 'b', 'Ä', "it's", '\u{1f600}', `${'long'.repeat(12)}x`),
  price: fc.constantFrom(null, -1.5, 0, 0.1, 7, Number.NaN, Number.POSITIVE_INFINITY),
  day: fc.constantFrom(null, '2026-01-01', '2026-01-02', '2026-01-03'),
})

const comparisons: readonly Comparison[] = ['=', '!=', '<', '<=', '>', '>=']
const valuesOf: Readonly<Record<string, fc.Arbitrary<PredicateValue>>> = {
  id: fc.integer({ min: 0, max: 12 }),
  name: fc.constantFrom('a', 'b', 'Ä', 'zz', "it's"),
  price: fc.constantFrom(-1.5, 0, 0.1, 5, Number.NaN),
  day: fc.constantFrom('2026-01-01', '2026-01-02', '2026-02-01'),
}

const leaf: fc.Arbitrary<Predicate> = fc
  .constantFrom('id', 'name', 'price', 'day')
  .chain((column) => {
    const value = valuesOf[column] ?? fc.constant(0)
    return fc.oneof<fc.Arbitrary<Predicate>[]>(
      fc.record({ column: fc.constant(column), is: fc.constantFrom(...comparisons), value }),
      fc.record({ column: fc.constant(column), in: fc.array(value, { maxLength: 3 }) }),
      fc.record({ column: fc.constant(column), isNull: fc.boolean() }),
    )
  })

/** Conditions up to three levels deep on the columns of `ModelRow`. */
export const randomPredicate: fc.Arbitrary<Predicate> = fc.letrec<{ condition: Predicate }>(
  (tie) => ({
    condition: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      leaf,
      fc.record({ and: fc.array(tie('condition'), { maxLength: 3 }) }),
      fc.record({ or: fc.array(tie('condition'), { maxLength: 3 }) }),
      fc.record({ not: tie('condition') }),
    ),
  }),
).condition

/** The condition on one row by SQL's three-valued logic, written down naively; null is unknown. */
export function naiveTruth(predicate: Predicate, row: ModelRow): boolean | null {
  if ('sql' in predicate) throw new Error('the model knows no SQL')
  if ('not' in predicate) {
    const inner = naiveTruth(predicate.not, row)
    return inner === null ? null : !inner
  }
  if ('and' in predicate) {
    const parts = predicate.and.map((part) => naiveTruth(part, row))
    return parts.includes(false) ? false : parts.includes(null) ? null : true
  }
  if ('or' in predicate) {
    const parts = predicate.or.map((part) => naiveTruth(part, row))
    return parts.includes(true) ? true : parts.includes(null) ? null : false
  }
  const value = Object.entries(row).find(([name]) => name === predicate.column)?.[1] ?? null
  if ('isNull' in predicate) return (value === null) === predicate.isNull
  if ('in' in predicate) {
    if (predicate.in.length === 0) return false
    return value === null ? null : predicate.in.some((wanted) => order(value, wanted) === 0)
  }
  if (value === null) return null
  const sign = order(value, predicate.value)
  switch (predicate.is) {
    case '=':
      return sign === 0
    case '!=':
      return sign !== 0
    case '<':
      return sign < 0
    case '<=':
      return sign <= 0
    case '>':
      return sign > 0
    case '>=':
      return sign >= 0
  }
}

/** NaN is equal to itself and above all other numbers, as in SQL engines; text by UTF-8 bytes. */
function order(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') {
    const left = Number.isNaN(a) ? 2 : 0
    const right = Number.isNaN(b) ? 2 : 0
    if (left + right > 0) return left - right
    return a < b ? -1 : a > b ? 1 : 0
  }
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)))
}
