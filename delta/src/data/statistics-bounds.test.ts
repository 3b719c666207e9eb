import fc from 'fast-check'
import { expect, test } from 'vitest'
import { boundTokens } from './statistics-bounds.ts'

const bytes = (text: string) => Buffer.from(text, 'utf8')

/** Many characters around the places where cutting is delicate. */
const character = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('a', '~', '\u007f', 'é', '\u{1f600}', '\u{10ffff}') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
)

test('the bounds of a text hold in UTF-8 byte order, and are short', () => {
  fc.assert(
    fc.property(fc.array(character, { maxLength: 90 }), (characters) => {
      const text = characters.join('').toWellFormed()
      const bounds = boundTokens('string', { min: text, max: text })
      if (bounds === undefined) return
      const low: string = JSON.parse(bounds.min)
      const high: string = JSON.parse(bounds.max)
      expect(Buffer.compare(bytes(low), bytes(text))).toBeLessThanOrEqual(0)
      expect(Buffer.compare(bytes(high), bytes(text))).toBeGreaterThanOrEqual(0)
      expect(low.length).toBeLessThanOrEqual(33)
      expect(high.length).toBeLessThanOrEqual(68)
      expect(low.isWellFormed() && high.isWellFormed()).toBe(true)
    }),
    { numRuns: 3000 },
  )
})

test.each([
  ['timestamp', '2026-11-20 00:00:04.123999+00', '"2026-11-20T00:00:04.123Z"'],
  ['timestamp', '2026-11-20 02:00:04+02', '"2026-11-20T00:00:04.000Z"'],
  ['timestamp', '1969-12-31 23:59:59.9999+05:30', '"1969-12-31T18:29:59.999Z"'],
  ['timestamp_ntz', '2026-11-20 00:00:04.5', '"2026-11-20T00:00:04.500"'],
  ['date', '2026-11-20', '"2026-11-20"'],
  ['long', '9007199254740993', '9007199254740993'],
  ['string', 'say "hi"\n', '"say \\"hi\\"\\n"'],
] as const)('a %s bound %s is written as %s', (type, text, token) => {
  expect(boundTokens(type, { min: text, max: text })).toEqual({ min: token, max: token })
})

test('a float is written as the double it is, so that no reader finds it out of bounds', () => {
  const bounds = boundTokens('float', { min: '1.3333334', max: '1.3333334', hasNan: false })
  expect(Number(bounds?.min)).toBe(Math.fround(4 / 3))
})

test.each([
  ['double', { min: '0.0', max: '4.0', hasNan: true }],
  ['double', { min: '0.0', max: '4.0' }],
  ['double', { min: '0.0', max: 'inf', hasNan: false }],
  ['boolean', { min: '0', max: '1' }],
  ['binary', { min: '61', max: '62' }],
  ['date', { min: '0044-03-15 (BC)', max: '2026-01-01' }],
  ['timestamp', { min: '2026-01-01 00:00:00+00', max: '294247-01-10 04:00:54.775806+00' }],
  ['long', {}],
] as const)('a %s column with %j has no bounds', (type, report) => {
  expect(boundTokens(type, report)).toBeUndefined()
})
