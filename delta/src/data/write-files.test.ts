import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidPartitionValue, NullNotAllowed, SchemaMismatch, StoreNotLocal } from '../errors.ts'
import type { AddFile } from '../log/actions.ts'
import type { Snapshot } from '../log/replay.ts'
import { createTable, openTable } from '../open-table.ts'
import { toDuckDbType } from '../schema/duckdb-types.ts'
import { rowsOf, schemaOf, scratchConnection, scratchFolder } from '../scratch.testing.ts'
import { folderStore } from '../store/folder-store.ts'
import { memoryStore } from '../store/memory-store.ts'
import { decodeLogPath } from './file-path.ts'
import { randomRows } from './random-rows.testing.ts'
import { relationSql } from './relation.ts'
import { sqlName, sqlText } from './sql-text.ts'
import { parseStatistics } from './statistics.ts'
import { writeFiles } from './write-files.ts'

/** Rows in one query and not in the other, counted both ways. */
async function difference(connection: DuckDBConnection, a: string, b: string): Promise<unknown> {
  const missing = await rowsOf(connection, `SELECT count(*) FROM ((${a}) EXCEPT ALL (${b}))`)
  const extra = await rowsOf(connection, `SELECT count(*) FROM ((${b}) EXCEPT ALL (${a}))`)
  return { missing: missing[0]?.[0], extra: extra[0]?.[0] }
}

test('random rows of random types come back as they were, also after a second opening', async () => {
  const connection = await scratchConnection()
  const folder = await scratchFolder()
  let run = 0
  await fc.assert(
    fc.asyncProperty(randomRows, async ({ schema, partitionColumns, query }) => {
      const store = folderStore(join(folder, String(run++)))
      const table = await createTable(store, { name: 'random', schema, partitionColumns })
      const adds = await writeFiles(connection, table, query)
      await table.commit({ adds, operation: 'WRITE' })
      const again = await openTable(store)
      const snapshot = await again.snapshot()
      const read = `SELECT * FROM ${relationSql(again, snapshot)}`
      expect(await difference(connection, query, read)).toEqual({ missing: '0', extra: '0' })
      for (const add of snapshot.files)
        await expectStatisticsHold(connection, store.location, snapshot, add)
    }),
    { numRuns: 60, endOnFailure: true },
  )
})

/** Every row of the file is within the file's statistics, by the engine's own comparison. */
async function expectStatisticsHold(
  connection: DuckDBConnection,
  root: string,
  snapshot: Snapshot,
  add: AddFile,
): Promise<void> {
  const statistics = parseStatistics(add)
  const file = sqlText(join(root, decodeLogPath(add.path, root)))
  const source = `read_parquet(${file}, hive_partitioning=false)`
  expect(await rowsOf(connection, `SELECT count(*) FROM ${source}`)).toEqual([
    [String(statistics?.numRecords)],
  ])
  for (const { name, type } of snapshot.schema.fields) {
    const column = sqlName(name)
    const nulls = statistics?.nullCount.get(name)
    if (nulls !== undefined) {
      const counted = await rowsOf(connection, `SELECT count(*) - count(${column}) FROM ${source}`)
      expect(counted, name).toEqual([[String(nulls)]])
    }
    const min = statistics?.minValues.get(name)
    const max = statistics?.maxValues.get(name)
    if (min === undefined || max === undefined) continue
    const sqlType = toDuckDbType(type)
    const slack = type === 'timestamp' ? ' + INTERVAL 1 MILLISECOND' : ''
    const outside = `${column} < CAST(${sqlText(String(min))} AS ${sqlType})
      OR ${column} > CAST(${sqlText(String(max))} AS ${sqlType})${slack}`
    const isApproximate = typeof type !== 'string' && type.type === 'decimal'
    if (isApproximate) continue
    expect(
      await rowsOf(connection, `SELECT count(*) FROM ${source} WHERE ${outside}`),
      name,
    ).toEqual([['0']])
  }
}

describe('rows that do not fit', () => {
  const open = async () => {
    const store = folderStore(await scratchFolder())
    const schema = schemaOf({ id: 'long', at: 'timestamp', day: 'string' })
    return await createTable(store, { name: 't', schema, partitionColumns: ['day'] })
  }

  test('an unknown column and another type are refused with what to do', async () => {
    const connection = await scratchConnection()
    const table = await open()
    const extra = writeFiles(connection, table, 'SELECT 1::BIGINT AS id, 2 AS colour')
    await expect(extra).rejects.toThrow(SchemaMismatch)
    const naive = writeFiles(connection, table, "SELECT TIMESTAMP '2026-01-01' AS at")
    await expect(naive).rejects.toThrow('CAST("at" AS TIMESTAMP WITH TIME ZONE)')
  })

  test('missing columns are null and narrower numbers are widened', async () => {
    const connection = await scratchConnection()
    const table = await open()
    const adds = await writeFiles(connection, table, 'SELECT 7::TINYINT AS id')
    await table.commit({ adds, operation: 'WRITE' })
    const relation = relationSql(table, await table.snapshot())
    expect(await rowsOf(connection, `SELECT id, "at", day FROM ${relation}`)).toEqual([
      ['7', null, null],
    ])
  })

  test('an empty partition text is refused and leaves no file', async () => {
    const connection = await scratchConnection()
    const table = await open()
    const write = writeFiles(connection, table, "SELECT 1::BIGINT AS id, '' AS day")
    await expect(write).rejects.toThrow(InvalidPartitionValue)
    const paths = await table.store.list('')
    expect(paths.filter(({ path }) => path.endsWith('.parquet'))).toEqual([])
  })

  test('no rows make no file', async () => {
    const connection = await scratchConnection()
    const table = await open()
    expect(await writeFiles(connection, table, 'SELECT 1::BIGINT AS id WHERE false')).toEqual([])
    expect((await readdir(table.store.location)).sort()).toEqual(['_delta_log'])
  })

  test('a store without a folder cannot take data files', async () => {
    const connection = await scratchConnection()
    const schema = schemaOf({ id: 'long' })
    const table = await createTable(memoryStore(), { name: 't', schema })
    await expect(writeFiles(connection, table, 'SELECT 1::BIGINT AS id')).rejects.toThrow(
      StoreNotLocal,
    )
  })
})

describe('what the table declares', () => {
  test('a null in a required column stops the write by its name, also inside a struct', async () => {
    const connection = await scratchConnection()
    const store = folderStore(await scratchFolder())
    const table = await createTable(store, {
      name: 't',
      schema: schemaOf({ id: 'long', point: schemaOf({ x: 'long', y: 'long' }) }),
    })
    const snapshot = await table.snapshot()
    const required = snapshot.schema.fields.map((field) => ({
      ...field,
      nullable: false,
      type:
        typeof field.type !== 'string' && field.type.type === 'struct'
          ? {
              ...field.type,
              fields: field.type.fields.map((inner) => ({
                ...inner,
                nullable: inner.name === 'y',
              })),
            }
          : field.type,
    }))
    const strict = { ...snapshot, schema: { type: 'struct' as const, fields: required } }
    const write = (query: string) => writeFiles(connection, table, query, { snapshot: strict })
    const point = 'STRUCT(x BIGINT, y BIGINT)'
    expect(await write(`SELECT 1 AS id, {x: 1, y: NULL}::${point} AS point`)).toHaveLength(1)
    await expect(write(`SELECT NULL::BIGINT AS id, {x: 1}::${point} AS point`)).rejects.toThrow(
      /column id/,
    )
    await expect(write('SELECT 1 AS id')).rejects.toThrow(NullNotAllowed)
    await expect(write(`SELECT 1 AS id, {x: NULL}::${point} AS point`)).rejects.toThrow(
      /column point.x/,
    )
  })

  test('a byte order mark at the beginning of a text hides no row and is kept in partitions', async () => {
    const connection = await scratchConnection()
    const store = folderStore(await scratchFolder())
    const schema = schemaOf({ s: 'string', p: 'string' })
    const table = await createTable(store, { name: 't', schema, partitionColumns: ['p'] })
    const query = `SELECT chr(65279) || 'a' AS s, chr(65279) || 'p' AS p UNION ALL SELECT 'b', 'p'`
    await table.commit({ adds: await writeFiles(connection, table, query), operation: 'WRITE' })
    const { files } = await table.snapshot()
    expect(files.map(({ partitionValues }) => partitionValues.p).toSorted()).toEqual([
      'p',
      '\ufeffp',
    ])
    const marked = files.find(({ partitionValues }) => partitionValues.p !== 'p')
    const plain = files.find(({ partitionValues }) => partitionValues.p === 'p')
    expect(marked && parseStatistics(marked)?.maxValues.get('s')).toBeUndefined()
    expect(marked && parseStatistics(marked)?.nullCount.get('s')).toBe(0)
    expect(plain && parseStatistics(plain)?.maxValues.get('s')).toBe('b')
  })

  test('an instant as partition value is ISO text in UTC with microseconds', async () => {
    const connection = await scratchConnection()
    const store = folderStore(await scratchFolder())
    const schema = schemaOf({ id: 'long', at: 'timestamp' })
    const table = await createTable(store, { name: 't', schema, partitionColumns: ['at'] })
    const query = "SELECT 1 AS id, TIMESTAMPTZ '2026-01-01 12:00:00.5+02' AS at"
    const [add] = await writeFiles(connection, table, query)
    expect(add?.partitionValues).toEqual({ at: '2026-01-01T10:00:00.500000Z' })
  })
})

describe('layout', () => {
  test('names on disk need no escaping, whatever the partition values are', async () => {
    const connection = await scratchConnection()
    const store = folderStore(await scratchFolder())
    const schema = schemaOf({ id: 'long', p: 'string' })
    const table = await createTable(store, { name: 't', schema, partitionColumns: ['p'] })
    const values = ['plain', 'a b/c:%25', '..', 'é', '__HIVE_DEFAULT_PARTITION__', "it's"]
    const rows = values.map((value, id) => `SELECT ${id}::BIGINT AS id, ${sqlText(value)} AS p`)
    const query = `${rows.join(' UNION ALL ')} UNION ALL SELECT 99, NULL`
    await table.commit({ adds: await writeFiles(connection, table, query), operation: 'WRITE' })
    const snapshot = await table.snapshot()
    for (const { path } of snapshot.files) expect(path).toMatch(/^[A-Za-z0-9=._/-]+$/)
    const read = `SELECT * FROM ${relationSql(table, snapshot)}`
    expect(await difference(connection, query, read)).toEqual({ missing: '0', extra: '0' })
  })

  test('a size in rows splits the files and keeps the order', async () => {
    const connection = await scratchConnection()
    const store = folderStore(await scratchFolder())
    const table = await createTable(store, { name: 't', schema: schemaOf({ id: 'long' }) })
    const query = 'SELECT ((i * 7919) % 100003)::BIGINT AS id FROM range(100000) t(i)'
    const adds = await writeFiles(connection, table, query, {
      orderBy: ['id'],
      rowGroupRows: 10_240,
      targetFileRows: 40_960,
    })
    const bounds = adds.map((add) => {
      const statistics = parseStatistics(add)
      return [Number(statistics?.minValues.get('id')), Number(statistics?.maxValues.get('id'))]
    })
    expect(bounds.length).toBeGreaterThanOrEqual(2)
    const flat = bounds.sort(([a = 0], [b = 0]) => a - b).flat()
    expect(flat).toEqual(flat.toSorted((a, b) => a - b))
  })

  test('timestamps are marked as UTC instants in the files', async () => {
    const connection = await scratchConnection()
    const store = folderStore(await scratchFolder())
    const table = await createTable(store, { name: 't', schema: schemaOf({ at: 'timestamp' }) })
    const [add] = await writeFiles(
      connection,
      table,
      "SELECT TIMESTAMPTZ '2026-01-01 00:00:00Z' AS at",
    )
    const file = sqlText(join(store.location, add?.path ?? ''))
    const schema = `SELECT type, logical_type FROM parquet_schema(${file}) WHERE name = 'at'`
    const [row] = await rowsOf(connection, schema)
    expect(row?.[0]).toBe('INT64')
    expect(row?.[1]).toContain('isAdjustedToUTC=1')
    expect(row?.[1]).toContain('MICROS=MicroSeconds')
  })

  test('the statistics cover the first 32 leaf columns, or those the table names', async () => {
    const connection = await scratchConnection()
    const columns = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`c${i}`, 'long'] as const),
    )
    const select = `SELECT ${Object.keys(columns)
      .map((name) => `1::BIGINT AS ${name}`)
      .join(', ')}`
    const namesWith = async (configuration: Record<string, string>) => {
      const store = folderStore(await scratchFolder())
      const table = await createTable(store, {
        name: 't',
        schema: schemaOf(columns),
        configuration,
      })
      const [add] = await writeFiles(connection, table, select)
      return [...(add === undefined ? [] : (parseStatistics(add)?.minValues.keys() ?? []))]
    }
    expect(await namesWith({})).toHaveLength(32)
    expect(await namesWith({ 'delta.dataSkippingNumIndexedCols': '-1' })).toHaveLength(40)
    expect(await namesWith({ 'delta.dataSkippingStatsColumns': 'c39,c1' })).toEqual(['c1', 'c39'])
  })
})
