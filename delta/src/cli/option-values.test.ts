import { describe, expect, test } from 'vitest'
import { UsageError } from './command.ts'
import { byteCount, durationMs, nameList, requestedVersion, wholeNumber } from './option-values.ts'

describe('values of options', () => {
  test('sizes are decimal or binary', () => {
    const sizes = ['5000', '64kB', '1.5 MB', '128MiB', '2g'].map((text) => byteCount('size', text))
    expect(sizes).toEqual([5000, 64_000, 1_500_000, 128 * 2 ** 20, 2e9])
  })

  test('spans have a unit', () => {
    const spans = ['7d', '168 hours', '2w', '1.5h', '90s', '1 minute']
    expect(spans.map((text) => durationMs('retention', text) / 1000)).toEqual([
      604_800, 604_800, 1_209_600, 5400, 90, 60,
    ])
  })

  test('a time without a zone is UTC, a date is midnight, a number counts milliseconds', () => {
    const times = [
      '2026-11-20T10:00:00',
      '2026-11-20 10:00',
      '2026-11-20T12:00:00+02:00',
      '1795168800000',
    ]
    for (const time of times) {
      expect(requestedVersion(undefined, time)).toEqual({ timestampMs: 1_795_168_800_000 })
    }
    expect(requestedVersion(undefined, '2026-11-20')).toEqual({
      timestampMs: Date.UTC(2026, 10, 20),
    })
  })

  test('names are split at commas', () => {
    expect(nameList('a, b,,c')).toEqual(['a', 'b', 'c'])
    expect(nameList(undefined)).toBeUndefined()
  })

  test.each([
    ['a size without a number', () => byteCount('size', 'MB')],
    ['a span without a unit', () => durationMs('retention', '7')],
    ['a negative count', () => wholeNumber('limit', '-1')],
    ['a time that is none', () => requestedVersion(undefined, 'yesterday')],
    ['version and time together', () => requestedVersion('1', '2026-11-20')],
  ])('%s is wrong usage', (_name, parse) => {
    expect(parse).toThrow(UsageError)
  })
})
