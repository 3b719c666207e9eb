import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { relationSql } from '../data/relation.ts'
import { sqlText } from '../data/sql-text.ts'
import { parseStatistics } from '../data/statistics.ts'
import { writeFiles } from '../data/write-files.ts'
import { NullNotAllowed, SchemaMismatch } from '../errors.ts'
import type { AddFile } from '../log/actions.ts'
import type { TableFeature } from '../log/table-features.ts'
import { createTable } from '../open-table.ts'
import type { DeltaSchema } from '../schema/schema.ts'
import { schemaOf, scratchConnection, scratchFolder } from '../scratch.testing.ts'
import { folderStore } from '../store/folder-store.ts'
import { append } from '../write/append.ts'
import type { ColumnData, PlainColumn } from '../write/column-data.ts'
import { withRowQuery } from '../write/row-source.ts'
import { writeColumnFile } from './column-file.ts'

type Columns = Readonly<Record<string, ColumnData>>

async function newTable(schema: DeltaSchema) {
  const features: readonly TableFeature[] = ['timestampNtz']
  return await createTable(folderStore(await scratchFolder()), { name: 't', schema, features })
}

/** Rows of a relation in order of column `n`, each value as text that tells every value apart. */
async function rowsOf(connection: DuckDBConnection, schema: DeltaSchema, relation: string) {
  const exact = schema.fields.map(({ name, type }) =>
    type === 'string' ? `hex(encode("${name}"))` : `"${name}"::VARCHAR`,
  )
  const sql = `SELECT ${exact.join(', ')} FROM ${relation} ORDER BY n`
  return (await connection.runAndReadAll(sql)).getRowsJson()
}

async function fileSchema(connection: DuckDBConnection, path: string) {
  const sql = `SELECT name, type, type_length, repetition_type, scale, precision,
      CASE WHEN logical_type LIKE 'Time%' OR logical_type LIKE 'Dec%' THEN logical_type END
    FROM parquet_schema(${sqlText(path)}) WHERE num_children IS NULL`
  return (await connection.runAndReadAll(sql)).getRowsJson()
}

/** The same rows through our own writer and through the SQL engine's. */
async function writtenTwice(connection: DuckDBConnection, schema: DeltaSchema, columns: Columns) {
  const ours = await newTable(schema)
  const outcome = await append(ours, { columns }, { rowGroupRows: 64, timestampMs: 5 })
  if (outcome.kind !== 'committed') throw new Error(`append ended as ${outcome.kind}`)
  const theirs = await newTable(schema)
  const adds = await withRowQuery({ columns }, schema, 't', (engine, query) =>
    writeFiles(engine, theirs, query, { timestampMs: 5 }),
  )
  await theirs.commit({ adds, operation: 'WRITE' })
  const describeTable = async (table: typeof ours) => {
    const snapshot = await table.snapshot()
    const file = snapshot.files[0]
    if (file === undefined) throw new Error('the table has no file')
    return {
      rows: await rowsOf(connection, schema, relationSql(table, snapshot)),
      statistics: statisticsOf(file),
      schema: await fileSchema(connection, join(table.store.localFolder ?? '', file.path)),
    }
  }
  return { ours: await describeTable(ours), theirs: await describeTable(theirs) }
}

function statisticsOf(file: AddFile) {
  const statistics = parseStatistics(file)
  return {
    numRecords: statistics?.numRecords,
    min: Object.fromEntries(statistics?.minValues ?? []),
    max: Object.fromEntries(statistics?.maxValues ?? []),
    nulls: Object.fromEntries(statistics?.nullCount ?? []),
  }
}

const schema = schemaOf({
  n: 'long',
  text: 'string',
  long: 'long',
  int: 'integer',
  short: 'short',
  byte: 'byte',
  double: 'double',
  float: 'float',
  flag: 'boolean',
  bytes: 'binary',
  day: 'date',
  at: 'timestamp',
  clock: 'timestamp_ntz',
  small: { type: 'decimal', precision: 7, scale: 2 },
  medium: { type: 'decimal', precision: 16, scale: 0 },
  large: { type: 'decimal', precision: 38, scale: 10 },
  nothing: 'string',
})

const nullable = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 5 })
const scaled = (digits: number, scale: number) =>
  fc
    .bigInt({ min: -(10n ** BigInt(digits)) + 1n, max: 10n ** BigInt(digits) - 1n })
    .map((value) => {
      const text = String(value < 0n ? -value : value).padStart(scale + 1, '0')
      const sign = value < 0n ? '-' : ''
      return scale === 0 ? sign + text : `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`
    })

/** Zeros keep their sign in ours only: the engine's dictionary takes 0 and -0 for one value. */
const number = fc.oneof(
  fc.double({ noDefaultInfinity: true, noNaN: true }).map((value) => (value === 0 ? 0 : value)),
  fc.integer({ min: -3, max: 3 }).map((value) => value + 0),
)
const special = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)
const floating = fc.oneof({ weight: 9, arbitrary: number }, { weight: 1, arbitrary: special })
const micros = fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n })
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('', 'device-1', 'a\u0000b', '\ud800', 'x\udc00', 'é'.repeat(40), '\u{10ffff}'),
  fc.string({ unit: fc.constantFrom('a', '\u007f', '\u{1f600}'), minLength: 28, maxLength: 300 }),
)

const row = fc.record({
  text: nullable(text),
  long: nullable(fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n })),
  int: nullable(fc.integer()),
  short: nullable(fc.integer({ min: -32768, max: 32767 })),
  byte: nullable(fc.integer({ min: -128, max: 127 })),
  double: nullable(floating),
  float: nullable(floating.map(Math.fround).filter((value) => !Object.is(value, -0))),
  flag: nullable(fc.boolean()),
  bytes: nullable(fc.uint8Array({ maxLength: 9 })),
  day: nullable(fc.integer({ min: -700_000, max: 2_900_000 })),
  at: nullable(micros),
  clock: nullable(micros),
  small: nullable(scaled(7, 2)),
  medium: nullable(scaled(16, 0)),
  large: nullable(scaled(38, 10)),
})

function columnsOf(rows: readonly Readonly<Record<string, unknown>>[], repeats: number): Columns {
  const all = Array.from({ length: repeats }, () => rows).flat()
  const names = Object.keys(rows[0] ?? {})
  return {
    n: BigInt64Array.from(all, (_, i) => BigInt(i)),
    ...Object.fromEntries(names.map((name) => [name, all.map((one) => one[name])])),
  }
}

describe('our own Parquet writer', () => {
  test('gives the rows, statistics and file schema that the SQL engine gives', async () => {
    const connection = await scratchConnection()
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 40 }),
        fc.constantFrom(1, 1, 5),
        async (rows, repeats) => {
          const { ours, theirs } = await writtenTwice(connection, schema, columnsOf(rows, repeats))
          expect(ours).toEqual(theirs)
        },
      ),
      { numRuns: 40, endOnFailure: true },
    )
  })

  test('takes typed arrays, with and without marks of nulls, as the SQL engine does', async () => {
    const connection = await scratchConnection()
    const narrow = schemaOf({
      n: 'long',
      long: 'long',
      int: 'integer',
      byte: 'byte',
      double: 'double',
      float: 'float',
      flag: 'boolean',
      day: 'date',
      at: 'timestamp',
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: -99, max: 99 }), fc.integer({ min: 0, max: 1 })), {
          minLength: 1,
          maxLength: 200,
        }),
        fc.boolean(),
        async (pairs, isMarked) => {
          const numbers = pairs.map(([value]) => value)
          const valid = Uint8Array.from(pairs, ([, mark]) => mark * 7)
          const data = (values: ColumnData): ColumnData =>
            isMarked && !('valid' in values) ? { values, valid } : values
          const { ours, theirs } = await writtenTwice(connection, narrow, {
            n: Float64Array.from(numbers, (_, i) => i),
            long: data(BigInt64Array.from(numbers, (value) => BigInt(value) << 40n)),
            int: data(Int16Array.from(numbers)),
            byte: data(Int8Array.from(numbers)),
            double: data(Float32Array.from(numbers, (value) => value / 3 + 0.1)),
            float: data(Float64Array.from(numbers, (value) => value / 3 + 0.1)),
            flag: data(Uint8Array.from(numbers, (value) => value & 1)),
            day: data(Int32Array.from(numbers)),
            at: data(Float64Array.from(numbers, (value) => value * 86_400_000 + 0.5)),
          })
          expect(ours).toEqual(theirs)
        },
      ),
      { numRuns: 25, endOnFailure: true },
    )
  })

  test('keeps the sign of zero, a leading byte order mark and its bounds', async () => {
    const connection = await scratchConnection()
    const table = await newTable(schemaOf({ n: 'long', x: 'double', s: 'string' }))
    const columns = { n: [0, 1], x: Float64Array.of(0, -0), s: ['\ufeffb', 'a'] }
    await append(table, { columns })
    const snapshot = await table.snapshot()
    const found = await rowsOf(connection, snapshot.schema, relationSql(table, snapshot))
    expect(found).toEqual([
      ['0', '0.0', 'EFBBBF62'],
      ['1', '-0.0', '61'],
    ])
    expect(statisticsOf(snapshot.files[0]!)).toMatchObject({
      min: { x: 0, s: 'a' },
      max: { x: 0, s: '\ufeffb' },
    })
    const bounds = await connection.runAndReadAll(
      `SELECT count(*) FROM ${relationSql(table, snapshot)} WHERE x = 0 AND s >= 'a'`,
    )
    expect(bounds.getRowsJson()).toEqual([['2']])
  })

  test('writes texts of many pages and megabytes, repeated or not, and cuts row groups', async () => {
    const connection = await scratchConnection()
    const rowCount = 150_000
    const table = await newTable(
      schemaOf({ n: 'long', id: 'string', unique: 'string', x: 'double' }),
    )
    const big = 'é'.repeat(600_000)
    const columns = {
      n: Float64Array.from({ length: rowCount }, (_, i) => i),
      id: Array.from({ length: rowCount }, (_, i) => `device-${i % 999}`),
      unique: Array.from({ length: rowCount }, (_, i) => (i % 50_000 === 7 ? big : `${i}-é`)),
      x: {
        values: Float64Array.from({ length: rowCount }, (_, i) => i / 7),
        valid: Uint8Array.from({ length: rowCount }, (_, i) => i % 3),
      },
    }
    await append(table, { columns }, { rowGroupRows: 1_000_000 })
    const relation = relationSql(table, await table.snapshot())
    const found = await connection.runAndReadAll(
      `SELECT count(*), count(x), count_if(x = n / 7), count_if(id = 'device-' || n % 999),
         count_if("unique" = n || '-é'), count_if(length("unique") = 600000) FROM ${relation}`,
    )
    const present = String((rowCount / 3) * 2)
    expect(found.getRowsJson()).toEqual([
      [String(rowCount), present, present, String(rowCount), String(rowCount - 3), '3'],
    ])
  })

  test('starts a new file after the rows asked for', async () => {
    const table = await newTable(schemaOf({ n: 'long' }))
    const columns = { n: Float64Array.from({ length: 1000 }, (_, i) => i) }
    await append(table, { columns }, { rowGroupRows: 100, targetFileRows: 400 })
    const { files } = await table.snapshot()
    const counts = files.map((file) => parseStatistics(file)?.numRecords)
    expect(counts.toSorted()).toEqual([200, 400, 400])
  })

  test('leaves no file where a value does not fit, in whichever row group', async () => {
    const table = await newTable(schemaOf({ n: 'long', d: 'double' }))
    const good = Array.from({ length: 9 }, (_, n) => ({ n, d: 1 }))
    const rows = [...good, { n: 9, d: 'text' }]
    const layout = { rowGroupRows: 2, targetFileRows: 4 }
    await expect(append(table, { rows }, layout)).rejects.toThrow(SchemaMismatch)
    const left = await readdir(table.store.localFolder ?? '')
    expect(left.filter((name) => name.endsWith('.parquet'))).toEqual([])
    expect(await append(table, { columns: { n: [] } })).toMatchObject({ kind: 'unchanged' })
  })

  test('refuses nulls and missing columns where the schema does', async () => {
    const [n, d] = schemaOf({ n: 'long', d: 'double' }).fields
    if (n === undefined || d === undefined) throw new Error('the schema has two columns')
    const strict: DeltaSchema = { type: 'struct', fields: [n, { ...d, nullable: false }] }
    const folder = await scratchFolder()
    const write = (name: string, columns: readonly PlainColumn[]) =>
      writeColumnFile(strict, {
        file: join(folder, name),
        columns,
        start: 0,
        end: 2,
        rowGroupRows: 1,
        table: 't',
      })
    await expect(write('a', [{ field: n, values: [1, 2] }])).rejects.toThrow(NullNotAllowed)
    await expect(write('b', [{ field: d, values: [1, null] }])).rejects.toThrow(NullNotAllowed)
    const report = await write('c', [{ field: d, values: [1, 2] }])
    expect(report).toMatchObject({ rowCount: 2 })
    expect((await stat(join(folder, 'c'))).size).toBe(report.sizeBytes)
    expect(await readdir(folder)).toEqual(['c'])
  })
})
