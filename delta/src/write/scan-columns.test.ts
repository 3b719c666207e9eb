import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SchemaMismatch } from '../errors.ts'
import type { DeltaSchema, DeltaType } from '../schema/schema.ts'
import { schemaOf } from '../scratch.testing.ts'
import type { ColumnData } from './column-data.ts'
import type { RowSource } from './row-source.ts'
import { withRowQueries, withRowQuery } from './row-source.ts'
import { textDictionary } from './text-dictionary.ts'

async function rowsOf(source: RowSource, schema: DeltaSchema) {
  return await withRowQuery(source, schema, 't', async (connection, query) =>
    (await connection.runAndReadAll(query)).getRowObjectsJson(),
  )
}

const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom(null, '', 'device-1', 'a\u0000b', 'x'.repeat(40)),
)

test('texts come through as they are, coded or one by one, with their nulls', async () => {
  const schema = schemaOf({ s: 'string', n: 'long' })
  await fc.assert(
    fc.asyncProperty(
      fc.array(texts, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 400 }),
      async (few, times) => {
        const s = Array.from({ length: few.length * times }, (_, i) => few[i % few.length])
        const columns = { s, n: Float64Array.from(s, (_, i) => i) }
        const query = (
          connection: Parameters<Parameters<typeof withRowQuery>[3]>[0],
          sql: string,
        ) => connection.runAndReadAll(`SELECT hex(encode(s)), n FROM (${sql}) ORDER BY n`)
        const found = await withRowQuery({ columns }, schema, 't', async (connection, sql) =>
          (await query(connection, sql)).getRowsJson(),
        )
        const hex = (text: string | null | undefined) =>
          text === null || text === undefined
            ? null
            : Buffer.from(text).toString('hex').toUpperCase()
        expect(found).toEqual(s.map((text, i) => [hex(text), String(i)]))
      },
    ),
    { numRuns: 25, endOnFailure: true },
  )
})

test('a dictionary is left alone where texts differ too much or are no texts', () => {
  const many = Array.from({ length: 10_000 }, (_, i) => `id-${i}`)
  expect(textDictionary(many, 0, many.length)).toBeUndefined()
  expect(textDictionary(many, 5, 8)).toMatchObject({ texts: ['id-5', 'id-6', 'id-7'] })
  expect(textDictionary(['a', 7], 0, 2)).toBeUndefined()
  expect(textDictionary(['a\u0000'], 0, 1)).toBeUndefined()
  expect(textDictionary(['\ud800'], 0, 1)).toBeUndefined()
  expect(textDictionary([null, null], 0, 2)).toBeUndefined()
})

test('many rows are split among engines in order, and none is lost', async () => {
  const rowCount = 600_000
  const columns = { n: Int32Array.from({ length: rowCount }, (_, i) => i) }
  const parts = await withRowQueries(
    { columns },
    schemaOf({ n: 'integer' }),
    't',
    async (c, sql) => {
      const result = await c.runAndReadAll(`SELECT min(n), max(n), count(*) FROM (${sql})`)
      return (result.getRowsJson()[0] ?? []).map(Number)
    },
  )
  let next = 0
  for (const [min = -1, max = -1, count] of parts) {
    expect([min, count]).toEqual([next, max - min + 1])
    next = max + 1
  }
  expect(next).toBe(rowCount)
})

describe('values by type', () => {
  const decimal: DeltaType = { type: 'decimal', precision: 20, scale: 3 }
  const cases: readonly (readonly [string, DeltaType, ColumnData, readonly unknown[]])[] = [
    ['bytes', 'byte', Int8Array.of(-128, 127), [-128, 127]],
    ['shorts from bytes', 'short', Int8Array.of(-1, 2), [-1, 2]],
    ['integers', 'integer', [1, null, -5], [1, null, -5]],
    ['longs', 'long', BigInt64Array.of(-(2n ** 63n), 5n), ['-9223372036854775808', '5']],
    ['longs from doubles', 'long', Float64Array.of(1, 2 ** 53 - 1), ['1', '9007199254740991']],
    ['floats', 'float', Float32Array.of(0.5, -2), [0.5, -2]],
    ['doubles with marks', 'double', { values: [1.5, 2], valid: Uint8Array.of(1, 0) }, [1.5, null]],
    ['flags', 'boolean', Uint8Array.of(1, 0, 1), [true, false, true]],
    ['booleans', 'boolean', [true, null, false], [true, null, false]],
    ['dates', 'date', ['2026-01-02', new Date(0), 1], ['2026-01-02', '1970-01-01', '1970-01-02']],
    ['days', 'date', Int32Array.of(0, 20_000), ['1970-01-01', '2024-10-04']],
    [
      'instants',
      'timestamp',
      [1000, 1n, '2026-01-01T00:00:00+01:00'],
      ['1970-01-01 00:00:01+00', '1970-01-01 00:00:00.000001+00', '2025-12-31 23:00:00+00'],
    ],
    ['milliseconds', 'timestamp', Float64Array.of(1.5), ['1970-01-01 00:00:00.0015+00']],
    ['decimals', decimal, ['1.5', 2n, 0.1], ['1.500', '2.000', '0.100']],
    ['binary', 'binary', [Uint8Array.of(65, 0)], ['A\\x00']],
    [
      'lists',
      { type: 'array', elementType: 'long', containsNull: true },
      [[1, null], Float64Array.of(3), null],
      [['1', null], ['3'], null],
    ],
    [
      'maps and structs',
      {
        type: 'map',
        keyType: 'string',
        valueType: schemaOf({ x: 'double' }),
        valueContainsNull: true,
      },
      [{ a: { x: 1 } }, new Map([['b', null]])],
      [[{ key: 'a', value: { x: 1 } }], [{ key: 'b', value: null }]],
    ],
  ]
  test.each(cases)('%s', async (_name, type, data, expected) => {
    const found = await rowsOf({ columns: { v: data } }, schemaOf({ v: type }))
    expect(found.map(({ v }) => v)).toEqual(expected)
  })

  const wrong: readonly (readonly [DeltaType, ColumnData, RegExp])[] = [
    ['byte', [1, 128], /column v, row 1/],
    ['long', Float64Array.of(0.5), /row 0/],
    ['boolean', Uint8Array.of(0, 2), /row 1/],
    ['string', [1], /expected string/],
    ['timestamp', ['soon'], /soon/],
    [decimal, ['1.2345'], /1.2345/],
    [schemaOf({ x: 'long' }), [{ y: 1 }], /row 0/],
  ]
  test.each(wrong)('a column of %j refuses what it cannot hold', async (type, data, message) => {
    const reading = rowsOf({ columns: { v: data } }, schemaOf({ v: type }))
    await expect(reading).rejects.toThrow(SchemaMismatch)
    await expect(rowsOf({ columns: { v: data } }, schemaOf({ v: type }))).rejects.toThrow(message)
  })

  test('columns of different lengths and unknown names are refused', async () => {
    const schema = schemaOf({ a: 'long', b: 'long' })
    await expect(rowsOf({ columns: { a: [1], b: [1, 2] } }, schema)).rejects.toThrow(/column b/)
    await expect(rowsOf({ rows: [{ a: 1 }, { c: 2 }] }, schema)).rejects.toThrow(/column c/)
  })
})

describe('JSON rows', () => {
  const schema = schemaOf({
    id: 'long',
    at: 'timestamp',
    b: 'binary',
    d: { type: 'decimal', precision: 30, scale: 4 },
  })

  test('come as text, with binary, times, and decimals of any length as text', async () => {
    const ndjson = `{"id":1,"at":"2026-01-01T00:00:00Z","b":"QQ==","d":"12345678901234567890.1234"}
{"id":9007199254740993,"d":1.5,"unknown":true}
`
    expect(await rowsOf({ ndjson }, schema)).toEqual([
      { id: '1', at: '2026-01-01 00:00:00+00', b: 'A', d: '12345678901234567890.1234' },
      { id: '9007199254740993', at: null, b: null, d: '1.5000' },
    ])
    expect(await rowsOf({ ndjson: '' }, schema)).toEqual([])
  })

  test.each([
    ['{"id":"x"}', /do not fit/],
    ['{"id":1', /do not fit/],
    ['{"d":1234567890123456789.5}', /more than 15 digits/],
  ])('%s is refused', async (ndjson, message) => {
    const reading = rowsOf({ ndjson: `${ndjson}\n` }, schema)
    await expect(reading).rejects.toThrow(message)
  })
})

test('a line of JSON longer than the usual limit is read, one beyond the last is refused', async () => {
  const schema = schemaOf({ s: 'string' })
  const line = (length: number) => JSON.stringify({ s: 'x'.repeat(length) })
  const read = (ndjson: string) =>
    withRowQuery({ ndjson }, schema, 't', async (connection, query) =>
      (await connection.runAndReadAll(`SELECT length(s) FROM (${query})`)).getRowsJson(),
    )
  expect(await read(`${line(3)}\n${line(20_000_000)}\n`)).toEqual([['3'], ['20000000']])
  await expect(read(line(140_000_000))).rejects.toThrow(SchemaMismatch)
})
