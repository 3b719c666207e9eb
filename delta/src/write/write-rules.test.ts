import type { DuckDBConnection } from '@duckdb/node-api'
import { describe, expect, test } from 'vitest'
import { relationSql } from '../data/relation.ts'
import {
  InvalidMergeKey,
  InvalidSchema,
  RowsOutsidePredicate,
  SchemaMismatch,
  TableNotWritable,
} from '../errors.ts'
import { createTable, openTable } from '../open-table.ts'
import { rowsOf, schemaOf, scratchConnection, scratchFolder } from '../scratch.testing.ts'
import { folderStore } from '../store/folder-store.ts'
import type { DeltaTable } from '../table.ts'
import { append } from './append.ts'
import { deleteWhere } from './delete-where.ts'
import { overwrite, replaceWhere } from './overwrite.ts'
import { upsert } from './upsert.ts'

const schema = schemaOf({ id: 'long', name: 'string', score: 'double', day: 'string' })

async function tableWith(rows: readonly Readonly<Record<string, unknown>>[], configuration = {}) {
  const store = folderStore(await scratchFolder())
  const partitionColumns = ['day']
  const table = await createTable(store, { name: 't', schema, partitionColumns, configuration })
  if (rows.length > 0) await append(table, { rows })
  return { table, connection: await scratchConnection() }
}

async function contentOf(connection: DuckDBConnection, table: DeltaTable) {
  const relation = relationSql(table, await table.snapshot())
  return await rowsOf(connection, `SELECT id, name, score, day FROM ${relation} ORDER BY ALL`)
}

describe('upsert', () => {
  test('leaves columns that are not given as they are, and null in new rows', async () => {
    const { table, connection } = await tableWith([{ id: 1, name: 'a', score: 0.5, day: 'mon' }])
    const rows = [
      { id: 1, name: 'A' },
      { id: 2, name: 'b' },
    ]
    expect(await upsert(table, { rows }, { keys: ['id'] })).toMatchObject({
      metrics: { numTargetRowsUpdated: 1, numTargetRowsInserted: 1, numTargetRowsCopied: 0 },
    })
    expect(await contentOf(connection, table)).toEqual([
      ['1', 'A', 0.5, 'mon'],
      ['2', 'b', null, null],
    ])
  })

  test('refuses keys that are unknown, not given, null, doubled or nested, and changes nothing', async () => {
    const { table } = await tableWith([{ id: 1, day: 'mon' }])
    const cases = [
      [[{ id: 1 }], []],
      [[{ id: 1 }], ['id', 'id']],
      [[{ id: 1 }], ['colour']],
      [[{ id: 1 }], ['name']],
      [[{ id: null, name: 'x' }], ['id']],
      [[{ id: 1 }, { id: 1 }], ['id']],
    ] as const
    for (const [rows, keys] of cases) {
      await expect(upsert(table, { rows }, { keys })).rejects.toThrow(InvalidMergeKey)
    }
    expect((await table.snapshot()).version).toBe(1)
  })

  test('takes null as a key like any other if told so, and repeats to the same table', async () => {
    const { table, connection } = await tableWith([{ id: 1, name: null, score: 1, day: 'mon' }])
    const rows = [{ id: 1, name: null, score: 2 }]
    for (let time = 0; time < 2; time++) {
      await upsert(table, { rows }, { keys: ['id', 'name'], nullKeys: 'equal' })
    }
    expect(await contentOf(connection, table)).toEqual([['1', null, 2, 'mon']])
  })

  test('may keep what is there, or leave out what is new', async () => {
    const { table, connection } = await tableWith([{ id: 1, name: 'a', day: 'mon' }])
    const rows = [
      { id: 1, name: 'A' },
      { id: 2, name: 'B' },
    ]
    await upsert(table, { rows }, { keys: ['id'], whenMatched: 'keep' })
    await upsert(
      table,
      { rows: [{ id: 3 }, { id: 2, name: 'b' }] },
      {
        keys: ['id'],
        whenNotMatched: 'leave-out',
      },
    )
    expect(await contentOf(connection, table)).toEqual([
      ['1', 'a', null, 'mon'],
      ['2', 'b', null, null],
    ])
  })

  test('rewrites only files that hold a key, also if a text begins with a byte order mark', async () => {
    const { table, connection } = await tableWith([{ id: 1, name: '\ufeffx', day: 'mon' }])
    await append(table, { rows: [{ id: 2, name: 'y', day: 'mon' }] })
    const before = (await table.snapshot()).files
    const rows = [{ name: '\ufeffx', id: 10 }]
    expect(await upsert(table, { rows }, { keys: ['name'] })).toMatchObject({
      metrics: { numTargetFilesRemoved: 1, numTargetRowsInserted: 0 },
    })
    const after = (await table.snapshot()).files.map(({ path }) => path)
    expect(after).toContain(before[1]?.path)
    const ids = (await contentOf(connection, table)).map(([id]) => id)
    expect(ids).toEqual(['2', '10'])
  })
})

describe('replaceWhere', () => {
  test('refuses rows outside the condition, null included, and changes nothing', async () => {
    const { table } = await tableWith([{ id: 1, day: 'mon' }])
    const monday = { column: 'day', is: '=', value: 'mon' } as const
    for (const day of ['tue', null]) {
      const replacing = replaceWhere(table, monday, { rows: [{ id: 2, day }] })
      await expect(replacing).rejects.toThrow(RowsOutsidePredicate)
    }
    expect((await table.snapshot()).version).toBe(1)
  })

  test('of a partition reads no file of it, and leaves the others where they are', async () => {
    const { table, connection } = await tableWith([
      { id: 1, day: 'mon' },
      { id: 2, day: 'tue' },
    ])
    const monday = { column: 'day', in: ['mon'] } as const
    const outcome = await replaceWhere(table, monday, { rows: [{ id: 3, day: 'mon' }] })
    expect(outcome).toMatchObject({ metrics: { numCopiedRows: 0, numRemovedFiles: 1 } })
    expect((await contentOf(connection, table)).map(([id]) => id)).toEqual(['2', '3'])
  })
})

describe('tables that say no', () => {
  test('an append-only table takes appends and nothing that deletes', async () => {
    const { table } = await tableWith([{ id: 1, day: 'mon' }], { 'delta.appendOnly': 'true' })
    const rows = [{ id: 1, day: 'mon' }]
    expect(await append(table, { rows })).toMatchObject({ kind: 'committed' })
    const all = { sql: 'true' } as const
    const fileCount = (await table.store.list('')).length
    await expect(deleteWhere(table, all)).rejects.toThrow(TableNotWritable)
    await expect(overwrite(table, { rows })).rejects.toThrow(TableNotWritable)
    await expect(upsert(table, { rows }, { keys: ['id'] })).rejects.toThrow(TableNotWritable)
    expect((await table.store.list('')).length).toBe(fileCount)
  })

  test('a table with column mapping is refused by the name of the property', async () => {
    const { table } = await tableWith([])
    const { metadata } = await table.snapshot()
    const configuration = { 'delta.columnMapping.mode': 'name' }
    await table.commit({
      protocol: { minReaderVersion: 2, minWriterVersion: 5 },
      metadata: { ...metadata, configuration },
      operation: 'TEST',
    })
    const opened = await openTable(table.store)
    await expect(append(opened, { rows: [{ id: 1, day: 'mon' }] })).rejects.toThrow(
      /delta.columnMapping.mode/,
    )
  })
})

test('an overwrite may bring a new schema and new partitions; older versions stay as they were', async () => {
  const { table, connection } = await tableWith([{ id: 1, day: 'mon' }])
  const next = schemaOf({ id: 'string', hour: 'integer' })
  const options = { schema: next, partitionColumns: ['hour'] }
  await overwrite(table, { rows: [{ id: 'x', hour: 3 }] }, options)
  const snapshot = await table.snapshot()
  expect(snapshot.partitionColumns).toEqual(['hour'])
  const read = (of: typeof snapshot) =>
    rowsOf(connection, `SELECT * FROM ${relationSql(table, of)}`)
  expect(await read(snapshot)).toEqual([['x', 3]])
  expect(await read(await table.snapshot({ version: 1 }))).toEqual([['1', null, null, 'mon']])
  const bad = overwrite(table, { rows: [] }, { schema: schemaOf({ 'a b': 'long' }) })
  await expect(bad).rejects.toThrow(InvalidSchema)
  await expect(append(table, { rows: [{ day: 'mon' }] })).rejects.toThrow(SchemaMismatch)
})

test('writes at the same time on many table objects all land, each once', async () => {
  const { table, connection } = await tableWith([{ id: 0, score: 0, day: 'mon' }])
  const tables = await Promise.all(Array.from({ length: 4 }, () => openTable(table.store)))
  const outcomes = await Promise.all([
    ...tables.map((each, i) => append(each, { rows: [{ id: 100 + i, score: 0, day: 'tue' }] })),
    ...tables.map((each, i) =>
      upsert(each, { rows: [{ id: i, score: i }] }, { keys: ['id'], maxAttempts: 100 }),
    ),
    deleteWhere(tables[0] ?? table, { column: 'day', is: '=', value: 'wed' }),
  ])
  expect(outcomes.filter(({ kind }) => kind === 'conflict')).toEqual([])
  const ids = (await contentOf(connection, table)).map(([id]) => Number(id))
  expect(ids).toEqual([0, 1, 2, 3, 100, 101, 102, 103])
})
