import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PathOutsideTable } from '../errors.ts'
import { decodeLogPath, encodeLogPath, isPlainName } from './file-path.ts'

describe('a path of the log', () => {
  test.each([
    ['part-0.parquet', 'part-0.parquet'],
    ['date=2021-09-08%2011%253A11%253A11/a.parquet', 'date=2021-09-08 11%3A11%3A11/a.parquet'],
    ['a..b/..c/d...parquet', 'a..b/..c/d...parquet'],
    ['100%.parquet', '100%.parquet'],
    ['/somewhere/else/a%20b.parquet', '/somewhere/else/a b.parquet'],
    ['file:/somewhere/a.parquet', '/somewhere/a.parquet'],
    ['file:///somewhere/a.parquet', '/somewhere/a.parquet'],
    ['s3://bucket/a.parquet', 's3://bucket/a.parquet'],
  ])('%s means %s', (path, meant) => {
    expect(decodeLogPath(path, 't')).toBe(meant)
  })

  test.each(['..', '../x', 'a/../../x', '%2E%2E/x', 'a/%2e./b', '..%2fx', 'a\\..\\..\\x'])(
    '%s leaves the table and is refused',
    (path) => {
      expect(() => decodeLogPath(path, 't')).toThrow(PathOutsideTable)
    },
  )

  test('comes back from its encoded form, whatever the name', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter((part) => !/[\\/]/.test(part))
    const path = fc
      .array(name, { minLength: 1, maxLength: 3 })
      .filter(
        (parts) => !parts.includes('..') && !/^[A-Za-z][A-Za-z0-9+.-]*:$/.test(parts[0] ?? ''),
      )
      .map((parts) => parts.join('/'))
    fc.assert(
      fc.property(path, (wanted) => {
        expect(decodeLogPath(encodeLogPath(wanted), 't')).toBe(wanted)
      }),
    )
  })
})

test('a name is plain if neither Hive nor a URI escapes it, and if it is no way up', () => {
  expect(['a-b_c.1', '2026-11-20'].every(isPlainName)).toBe(true)
  expect(['', '.', '..', 'a b', 'a%', 'ü', 'a/b', 'a:b'].some(isPlainName)).toBe(false)
})
