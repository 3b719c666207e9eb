import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ContainerChoice } from './bitmap-writer.testing.ts'
import { vectorPayload } from './bitmap-writer.testing.ts'
import { valuesOfBitmap } from './roaring-bitmap.ts'

const choices = fc.constantFrom<ContainerChoice>('array-or-bits', 'runs', 'smallest')

/** Clusters of row numbers, so that every kind of container and several buckets come up. */
const rowNumbers = fc
  .array(
    fc.record({
      start: fc.oneof(fc.nat(200_000), fc.nat(2 ** 34)),
      length: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 9000 })),
      step: fc.integer({ min: 1, max: 3 }),
    }),
    { maxLength: 8 },
  )
  .map((clusters) => {
    const rows = clusters.flatMap(({ start, length, step }) =>
      Array.from({ length }, (_, i) => start + i * step),
    )
    return [...new Set(rows)].sort((a, b) => a - b)
  })

describe('a serialised bitmap', () => {
  test('gives back the values it was made of, in every form of container', () => {
    fc.assert(
      fc.property(rowNumbers, choices, (rows, choice) => {
        const outcome = valuesOfBitmap(vectorPayload(rows, choice), rows.length)
        expect(outcome).toEqual({ kind: 'values', values: Float64Array.from(rows) })
      }),
      { numRuns: 60 },
    )
  })

  test('cut anywhere or with another count is damaged, never wrong', () => {
    fc.assert(
      fc.property(rowNumbers, choices, fc.nat(), (rows, choice, cut) => {
        fc.pre(rows.length > 0)
        const bytes = vectorPayload(rows, choice)
        const torn = bytes.subarray(0, cut % bytes.length)
        expect(valuesOfBitmap(torn, rows.length).kind).toBe('damaged')
        expect(valuesOfBitmap(bytes, rows.length - 1).kind).toBe('damaged')
        expect(valuesOfBitmap(bytes, rows.length + 1).kind).toBe('damaged')
      }),
      { numRuns: 40 },
    )
  })

  test('with any byte changed ends in rising values or is damaged', () => {
    fc.assert(
      fc.property(rowNumbers, choices, fc.nat(), fc.nat(255), (rows, choice, at, byte) => {
        const bytes = vectorPayload(rows, choice)
        bytes[at % bytes.length] = byte
        const outcome = valuesOfBitmap(bytes, rows.length)
        if (outcome.kind === 'damaged') return
        expect(outcome.values).toHaveLength(rows.length)
        expect(outcome.values.every((value, i, all) => i === 0 || value > all[i - 1]!)).toBe(true)
      }),
      { numRuns: 100 },
    )
  })

  test('with an oversized count is refused before memory is taken', () => {
    const bytes = vectorPayload([1, 2, 3], 'runs')
    expect(valuesOfBitmap(bytes, 2 ** 40)).toMatchObject({ kind: 'damaged' })
    expect(valuesOfBitmap(bytes, Number.NaN)).toMatchObject({ kind: 'damaged' })
    bytes.writeUInt32LE(0xffff_ffff, 4)
    expect(valuesOfBitmap(bytes, 3)).toMatchObject({ kind: 'damaged' })
  })
})
