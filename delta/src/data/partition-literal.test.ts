import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidPartitionValue } from '../errors.ts'
import { toDuckDbType } from '../schema/duckdb-types.ts'
import type { DeltaType } from '../schema/schema.ts'
import { schemaOf, scratchConnection } from '../scratch.testing.ts'
import { partitionCast, partitionListCast, partitionText } from './partition-literal.ts'

const origin = { table: 't', where: 'file f, column c' }

async function valuesOf(zone: string, cases: readonly (readonly [DeltaType, string | null])[]) {
  const connection = await scratchConnection()
  await connection.run(`SET TimeZone='${zone}'`)
  const found: unknown[] = []
  for (const [type, text] of cases) {
    const sql = partitionText(text, type, origin)
    const one = partitionCast(sql, type)
    const list = `(${partitionListCast(['NULL', sql], type)})[2]`
    const bare = type === 'timestamp' ? 'epoch_us' : type === 'binary' ? 'hex' : ''
    const result = await connection.runAndReadAll(
      `SELECT ${bare}(${one})::VARCHAR, ${bare}(${list})::VARCHAR, typeof(${one})`,
    )
    const [first, second, foundType] = result.getRowsJson()[0] ?? []
    expect(second).toEqual(first)
    expect(foundType).toBe(toDuckDbType(type))
    found.push(first)
  }
  return found
}

const decimal = { type: 'decimal', precision: 20, scale: 5 } as const

test('a partition value of every type means the same in every session zone', async () => {
  const cases: readonly (readonly [DeltaType, string | null, unknown])[] = [
    ['string', "it's \\x41 ü", "it's \\x41 ü"],
    ['string', null, null],
    ['string', 'a\0b', 'a\0b'],
    ['long', '-9223372036854775808', '-9223372036854775808'],
    ['integer', '+7', '7'],
    ['short', '-32768', '-32768'],
    ['byte', '127', '127'],
    ['double', '1.0E10', '10000000000.0'],
    ['double', 'NaN', 'nan'],
    ['float', '-Infinity', '-inf'],
    [decimal, '-2342342.23423', '-2342342.23423'],
    [decimal, '4E-5', '0.00004'],
    ['boolean', 'TRUE', 'true'],
    ['date', '1582-10-15', '1582-10-15'],
    ['timestamp', '2021-09-08 11:11:11', '1631099471000000'],
    ['timestamp', '2021-09-08 11:11:11.123456', '1631099471123456'],
    ['timestamp', '2021-09-08T11:11:11.5Z', '1631099471500000'],
    ['timestamp', '2021-09-08T13:11:11+02:00', '1631099471000000'],
    ['timestamp', '2021-09-08', '1631059200000000'],
    ['timestamp', '1969-12-31 23:59:59.999999', '-1'],
    ['timestamp', null, null],
    ['timestamp_ntz', '2021-11-18 02:30:00.123456', '2021-11-18 02:30:00.123456'],
    ['timestamp_ntz', '2021-11-18T02:30:00', '2021-11-18 02:30:00'],
    ['binary', 'aü\\x', '61C3BC5C78'],
  ]
  for (const zone of ['UTC', 'America/Los_Angeles']) {
    const found = await valuesOf(
      zone,
      cases.map(([type, text]) => [type, text] as const),
    )
    cases.forEach(([type, text, expected], i) => {
      expect(found[i], `${JSON.stringify(type)} ${text}`).toEqual(expected)
    })
  }
})

test('any text comes back', async () => {
  const connection = await scratchConnection()
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), async (raw) => {
      const text = raw.toWellFormed()
      const sql = `SELECT encode(${partitionCast(partitionText(text, 'string', origin), 'string')})`
      const [[bytes] = []] = (await connection.runAndReadAll(sql)).getRows()
      const found = bytes !== null && typeof bytes === 'object' && 'bytes' in bytes && bytes.bytes
      expect(Buffer.from(found as Uint8Array).toString('utf8')).toBe(text)
    }),
  )
})

describe('a partition value that is none of its type is refused, with file and column', () => {
  test.each<readonly [DeltaType, string]>([
    ['integer', '1.5'],
    ['long', 'abc'],
    ['long', '9223372036854775808'],
    ['byte', '-129'],
    ['double', '1,5'],
    ['boolean', 'yes'],
    ['date', '20.11.2026'],
    ['date', "2026-11-20'); DROP TABLE x; --"],
    ['timestamp', 'noon'],
    ['timestamp_ntz', '2026-11-20 25'],
    [decimal, '1/2'],
    [schemaOf({ a: 'long' }), '1'],
  ])('%j %s', (type, text) => {
    expect(() => partitionText(text, type, origin)).toThrow(InvalidPartitionValue)
    expect(() => partitionText(text, type, origin)).toThrow(/file f, column c/)
  })
})
