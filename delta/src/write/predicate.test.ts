import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { relationSql } from '../data/relation.ts'
import { writeFiles } from '../data/write-files.ts'
import { InvalidPredicate } from '../errors.ts'
import type { AddFile } from '../log/actions.ts'
import { createTable } from '../open-table.ts'
import type { DeltaType } from '../schema/schema.ts'
import { rowsOf, schemaOf, scratchConnection, scratchFolder } from '../scratch.testing.ts'
import { folderStore } from '../store/folder-store.ts'
import { naiveTruth, randomPredicate, randomRow } from './predicate.testing.ts'
import type { Predicate, PredicateValue } from './predicate.ts'
import { matchesWhole, mayMatch } from './predicate-files.ts'
import { checkSqlParts, predicateSql } from './predicate-sql.ts'

const schema = schemaOf({ id: 'long', name: 'string', price: 'double', day: 'date' })
const shape = { schema, partitionColumns: ['day'] }

/** A file with exact statistics of the rows, as a careful writer would describe it. */
function fileOf(
  rows: readonly { id: number; name: string | null; price: number | null }[],
): AddFile {
  const names = rows.map(({ name }) => name).filter((name) => name !== null)
  const prices = rows.map(({ price }) => price).filter((price) => price !== null)
  const bytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
  const sorted = names.toSorted(bytes)
  const ids = rows.map(({ id }) => id)
  // As writers do that leave NaN out of the bounds.
  const finite = prices.filter(Number.isFinite)
  const hasInfinite = prices.includes(Number.POSITIVE_INFINITY)
  const price = finite.length === 0 || hasInfinite ? [] : [Math.min(...finite), Math.max(...finite)]
  const bounds = (side: 0 | 1) => ({
    id: side === 0 ? Math.min(...ids) : Math.max(...ids),
    ...(sorted.length === 0 ? {} : { name: sorted.at(side === 0 ? 0 : -1) }),
    ...(price.length === 0 ? {} : { price: price[side] }),
  })
  const stats = {
    numRecords: rows.length,
    minValues: bounds(0),
    maxValues: bounds(1),
    nullCount: {
      id: 0,
      name: rows.length - names.length,
      price: rows.length - prices.length,
    },
  }
  return {
    path: 'f',
    partitionValues: { day: null },
    size: 1,
    modificationTime: 0,
    dataChange: true,
    stats: JSON.stringify(stats),
  }
}

test('no file is skipped that holds a row for which the condition is true', () => {
  const day = fc.constantFrom(null, '2026-01-01', '2026-01-02')
  fc.assert(
    fc.property(
      fc.array(randomRow, { minLength: 1, maxLength: 4 }),
      day,
      randomPredicate,
      (given, value, predicate) => {
        const rows = given.map((row) => ({ ...row, day: value }))
        const file = { ...fileOf(rows), partitionValues: { day: value } }
        const truths = rows.map((row) => naiveTruth(predicate, row))
        if (truths.includes(true)) expect(mayMatch(file, predicate, shape)).toBe(true)
        if (matchesWhole(file, predicate, shape)) {
          expect(truths.every((truth) => truth === true)).toBe(true)
        }
      },
    ),
    { numRuns: 2000 },
  )
})

test('files are skipped by ranges, by partitions, and by columns that are all null', () => {
  const file = {
    ...fileOf([
      { id: 3, name: null, price: 1 },
      { id: 5, name: null, price: 2 },
    ]),
    partitionValues: { day: '2026-01-02' },
  }
  const skipped: readonly Predicate[] = [
    { column: 'id', is: '>', value: 5 },
    { column: 'id', in: [1, 2, 9] },
    { column: 'price', is: '<', value: 1 },
    { column: 'name', is: '=', value: 'a' },
    { column: 'name', isNull: false },
    { column: 'id', isNull: true },
    { column: 'day', is: '=', value: '2026-01-01' },
    { not: { column: 'day', is: '>=', value: '2026-01-01' } },
    { and: [{ sql: 'id % 2 = 1' }, { column: 'id', is: '<', value: 3 }] },
  ]
  for (const predicate of skipped) expect(mayMatch(file, predicate, shape)).toBe(false)
  expect(mayMatch(file, { sql: 'false' }, shape)).toBe(true)
  expect(matchesWhole(file, { column: 'day', in: ['2026-01-02'] }, shape)).toBe(true)
  expect(matchesWhole(file, { column: 'id', is: '<', value: 100 }, shape)).toBe(false)
})

describe('values of every type', () => {
  const cases: readonly (readonly [DeltaType, string, PredicateValue, PredicateValue])[] = [
    ['byte', '7', 7, 8],
    ['short', '-300', -300, 0],
    ['integer', '70000', '70000', 1],
    ['long', '9007199254740993', 9007199254740993n, 9007199254740992n],
    ['float', '0.1', 0.1, 0.2],
    ['double', '0.1', 0.1, 0.2],
    ['boolean', 'true', true, false],
    ['string', `'a' || chr(0)`, 'a\u0000', 'a'],
    ['binary', `unhex('00ff')`, Uint8Array.of(0, 255), Uint8Array.of(0)],
    ['date', `DATE '2026-03-01'`, new Date('2026-03-01T00:00:00Z'), '2026-03-02'],
    [
      'timestamp',
      `TIMESTAMPTZ '2026-03-01 10:00:00.000123Z'`,
      '2026-03-01T12:00:00.000123+02:00',
      1_772_359_200_000,
    ],
    [
      { type: 'decimal', precision: 38, scale: 20 },
      '1.00000000000000000001',
      '1.00000000000000000001',
      '1.00000000000000000002',
    ],
  ]

  test.each(cases)(
    '%j is found by its value and not by another',
    async (type, sql, same, other) => {
      const connection = await scratchConnection()
      const store = folderStore(await scratchFolder())
      const typed = schemaOf({ v: type, unrelated: 'long' })
      const table = await createTable(store, { name: 't', schema: typed })
      const query = `SELECT (${sql})::${typed.fields[0] === undefined ? '' : sqlType(type)} AS v`
      await table.commit({ adds: await writeFiles(connection, table, query), operation: 'WRITE' })
      const snapshot = await table.snapshot()
      const count = async (predicate: Predicate) => {
        const files = snapshot.files.filter((file) => mayMatch(file, predicate, snapshot))
        const condition = predicateSql(predicate, typed, 't')
        const relation = relationSql(table, snapshot, { files })
        return (
          await rowsOf(connection, `SELECT count(*) FROM ${relation} WHERE ${condition}`)
        )[0]?.[0]
      }
      expect(await count({ column: 'v', is: '=', value: same })).toBe('1')
      expect(await count({ column: 'v', in: [other, same] })).toBe('1')
      expect(await count({ column: 'v', is: '=', value: other })).toBe('0')
      expect(await count({ not: { column: 'v', is: '!=', value: same } })).toBe('1')
    },
  )

  test.each<readonly [DeltaType, PredicateValue]>([
    ['byte', 128],
    ['long', 0.5],
    ['integer', 'x'],
    ['date', '2026-02-30'],
    ['date', new Date('2026-01-01T01:00:00Z')],
    ['timestamp', 'yesterday'],
    ['boolean', 1],
    ['string', 1],
    [{ type: 'decimal', precision: 5, scale: 2 }, '1.234'],
    [{ type: 'array', elementType: 'long', containsNull: true }, 1],
  ])('a column of %j does not compare with %s', (type, value) => {
    const typed = schemaOf({ v: type })
    const predicate = { column: 'v', is: '=', value } as const
    expect(() => predicateSql(predicate, typed, 't')).toThrow(InvalidPredicate)
  })
})

function sqlType(type: DeltaType): string {
  if (typeof type !== 'string') return 'DECIMAL(38,20)'
  const names: Readonly<Record<string, string>> = {
    byte: 'TINYINT',
    short: 'SMALLINT',
    integer: 'INTEGER',
    long: 'BIGINT',
    string: 'VARCHAR',
    binary: 'BLOB',
    timestamp: 'TIMESTAMPTZ',
  }
  return names[type] ?? type.toUpperCase()
}

describe('SQL conditions', () => {
  test.each([
    'id > 1; DROP TABLE x',
    'true) OR (SELECT count(*) > 0 FROM t',
    'true) FROM secrets WHERE (true',
    'true), (false',
    'id IN (SELECT 1)',
    'id >',
    '',
  ])('%s is refused', async (sql) => {
    const connection = await scratchConnection()
    await expect(checkSqlParts(connection, { sql }, 't')).rejects.toThrow(InvalidPredicate)
    await expect(checkSqlParts(connection, { not: { and: [{ sql }] } }, 't')).rejects.toThrow(
      InvalidPredicate,
    )
  })

  test.each(["name LIKE 'a%' -- why", 'id % 2 = 1 AND price BETWEEN 1 AND 2'])(
    '%s is taken',
    async (sql) => {
      await checkSqlParts(await scratchConnection(), { sql }, 't')
    },
  )

  test('an unknown column is refused by its name', () => {
    const predicate = { column: 'colour', isNull: true } as const
    expect(() => predicateSql(predicate, schema, 't')).toThrow(/colour/)
  })
})
