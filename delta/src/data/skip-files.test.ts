import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mappedField, structOf } from '../foreign-table.testing.ts'
import type { AddFile } from '../log/actions.ts'
import { addOf } from '../log/random-commits.testing.ts'
import { schemaOf } from '../scratch.testing.ts'
import { skipFiles } from './skip-files.ts'

/** A file with the values of a column and the statistics a writer would give it. */
function fileOf(index: number, values: readonly (number | string | null)[], day: string): AddFile {
  const present = values.filter((value) => value !== null)
  const sorted = present.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const bounds =
    sorted.length === 0 ? {} : { minValues: { x: sorted[0] }, maxValues: { x: sorted.at(-1) } }
  const nullCount = { x: values.length - present.length }
  return {
    path: `f${index}`,
    partitionValues: { day },
    size: 1,
    modificationTime: 0,
    dataChange: true,
    stats: JSON.stringify({ numRecords: values.length, ...bounds, nullCount }),
  }
}

const values = fc.array(fc.option(fc.integer({ min: -20, max: 20 })), {
  minLength: 1,
  maxLength: 5,
})
const filesWithValues = fc.array(fc.tuple(values, fc.constantFrom('a', 'b', 'c')), { maxLength: 8 })
const bound = fc.option(fc.integer({ min: -25, max: 25 }), { nil: undefined })

test('no file with a wanted row is skipped, and a file whose range misses is', () => {
  fc.assert(
    fc.property(
      filesWithValues,
      bound,
      bound,
      fc.subarray(['a', 'b', 'c']),
      (content, min, max, days) => {
        const files = content.map(([rows, day], index) => fileOf(index, rows, day))
        const range = {
          ...(min === undefined ? {} : { min }),
          ...(max === undefined ? {} : { max }),
        }
        const kept = new Set(skipFiles(files, { partition: { day: days }, ranges: { x: range } }))
        for (const [index, [rows, day]] of content.entries()) {
          const file = files[index]
          const isWanted = (value: number | null) =>
            value !== null && value >= (min ?? -99) && value <= (max ?? 99)
          if (days.includes(day) && rows.some(isWanted)) expect(kept).toContain(file)
          const present = rows.filter((value) => value !== null)
          const misses = Math.max(...present) < (min ?? -99) || Math.min(...present) > (max ?? 99)
          if (misses || !days.includes(day)) expect(kept).not.toContain(file)
        }
      },
    ),
  )
})

test('a timestamp maximum was cut to milliseconds, so the next millisecond still belongs to it', () => {
  const at = '2026-11-20T10:00:00.123Z'
  const file = fileOf(0, [at], 'a')
  const from = (min: string | Date) => skipFiles([file], { ranges: { x: { min } } }).length
  expect(from('2026-11-20T10:00:00.1239Z')).toBe(1)
  expect(from('2026-11-20T12:00:00.124+02:00')).toBe(1)
  expect(from('2026-11-20T10:00:00.125Z')).toBe(0)
  expect(from(new Date(Date.parse(at) + 2))).toBe(0)
})

test('a date stands for its midnight in UTC', () => {
  const midnight = fileOf(0, ['2026-11-20T00:00:00.000Z'], 'a')
  const day = fileOf(1, ['2026-11-20'], 'a')
  const upTo = (max: string | Date) => skipFiles([midnight, day], { ranges: { x: { max } } }).length
  expect([upTo('2026-11-20'), upTo('2026-11-19'), upTo(new Date('2026-11-20'))]).toEqual([2, 0, 2])
  expect(upTo('2026-11-20T01:00:00+01:00')).toBe(2)
  expect(upTo('2026-11-20T00:30:00+01:00')).toBe(0)
})

test('with the schema, texts that look like times are compared as text', () => {
  const file = fileOf(0, ['2026-11-20T12:00:00Z'], 'a')
  const ranges = { x: { max: '2026-11-20T13:00:00+09:00' } }
  expect(skipFiles([file], { ranges })).toEqual([])
  expect(skipFiles([file], { ranges, schema: schemaOf({ x: 'string' }) })).toEqual([file])
})

test('texts compare by code point, as the engine does', () => {
  const file = fileOf(0, ['\u{1f600}'], 'a')
  expect(skipFiles([file], { ranges: { x: { max: '\uffee' } } })).toEqual([])
  expect(skipFiles([file], { ranges: { x: { min: '\uffee' } } })).toEqual([file])
})

test('whole numbers past 2^53 are told apart', () => {
  const stats =
    '{"numRecords":1,"minValues":{"x":9007199254740993},"maxValues":{"x":9007199254740993}}'
  const file = { ...fileOf(0, [1], 'a'), stats }
  expect(skipFiles([file], { ranges: { x: { min: 9007199254740994n } } })).toEqual([])
  expect(skipFiles([file], { ranges: { x: { min: 9007199254740993n } } })).toEqual([file])
})

test.each([
  ['none', undefined],
  ['not JSON', '{"numRecords":1,"minValues":{"x":NaN}}'],
  ['of another form', '{"stats_json":"x"}'],
  ['of another type', '{"numRecords":1,"minValues":{"x":"b"},"maxValues":{"x":"c"}}'],
])('a file whose statistics are %s is kept', (_name, stats) => {
  const { stats: _stats, ...bare } = fileOf(0, [1], 'a')
  const file = stats === undefined ? bare : { ...bare, stats }
  expect(skipFiles([file], { ranges: { x: { min: 100 } } })).toEqual([file])
})

test('statistics that contradict themselves skip nothing', () => {
  const stats = (text: string) => ({ ...addOf('f'), stats: text })
  const wanted = { ranges: { id: { min: 5, max: 5 } } }
  for (const text of [
    '{"numRecords":3,"minValues":{"id":9},"maxValues":{"id":7}}',
    '{"numRecords":3,"minValues":{"id":"a"},"maxValues":{"id":1}}',
    '{"numRecords":-1,"nullCount":{"id":-1}}',
    '{"numRecords":1,"nullCount":{"id":2}}',
    '{"numRecords":0.5,"nullCount":{"id":0.5}}',
  ]) {
    expect(skipFiles([stats(text)], wanted), text).toHaveLength(1)
  }
  const allNull = '{"numRecords":2,"nullCount":{"id":2}}'
  expect(skipFiles([stats(allNull)], wanted)).toHaveLength(0)
})

test('mapped columns are looked up by their physical names', () => {
  const schema = structOf(mappedField('a', 'long', 1, 'b'), mappedField('b', 'long', 2, 'a'))
  const file = { ...addOf('f'), stats: '{"minValues":{"a":900,"b":1},"maxValues":{"a":900,"b":1}}' }
  const of = (name: string) => ({ ranges: { [name]: { min: 1, max: 1 } }, schema })
  expect(skipFiles([file], of('a'))).toHaveLength(1)
  expect(skipFiles([file], of('b'))).toHaveLength(0)
})
