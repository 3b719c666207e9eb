import { readFileSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { randomRows } from '../data/random-rows.testing.ts'
import { relationSql } from '../data/relation.ts'
import { sqlName } from '../data/sql-text.ts'
import { writeFiles } from '../data/write-files.ts'
import {
  DataFileMissing,
  DataFileUnreadable,
  InvalidPredicate,
  SchemaMismatch,
  StoreNotLocal,
  StreamInterrupted,
} from '../errors.ts'
import { foreignTable, mappedField, structOf } from '../foreign-table.testing.ts'
import { createTable } from '../open-table.ts'
import { rowsOf, schemaOf, scratchConnection, scratchFolder } from '../scratch.testing.ts'
import { folderStore } from '../store/folder-store.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { DeltaTable } from '../table.ts'
import { append } from '../write/append.ts'
import type { RowBatch } from './row-batch.ts'
import type { RowsOptions } from './rows.ts'
import { rows } from './rows.ts'

async function batchesOf(table: DeltaTable, options: RowsOptions = {}) {
  const batches: RowBatch[] = []
  for await (const batch of rows(table, options)) batches.push(batch)
  return batches
}

/** Values of a column over all batches, null where there is none. */
async function column(table: DeltaTable, name: string, options: RowsOptions = {}) {
  const values: unknown[] = []
  for (const { columns, rowCount } of await batchesOf(table, options)) {
    const data = columns[name]
    for (let i = 0; i < rowCount; i++) values.push(data?.valid[i] === 1 ? data.values[i] : null)
  }
  return values
}

/** Three files of 4,000 numbers each, partitioned by their thousands' parity. */
async function tableOfNumbers() {
  const connection = await scratchConnection()
  const store = folderStore(await scratchFolder())
  const schema = schemaOf({ id: 'long', half: 'double', name: 'string', kind: 'string' })
  const table = await createTable(store, { name: 't', schema, partitionColumns: ['kind'] })
  for (let file = 0; file < 3; file++) {
    const query = `SELECT (${file} * 4000 + i)::BIGINT AS id, i / 2 AS half,
      CASE WHEN i % 10 > 0 THEN 'n' || i END AS name, 'k${file % 2}' AS kind FROM range(4000) t(i)`
    await table.commit({ adds: await writeFiles(connection, table, query), operation: 'WRITE' })
  }
  return { connection, table }
}

describe('rows', () => {
  test('of random types, appended batch by batch to another table, are the same rows', async () => {
    const connection = await scratchConnection()
    const folder = await scratchFolder()
    let run = 0
    await fc.assert(
      fc.asyncProperty(randomRows, async ({ schema, partitionColumns, query }) => {
        const copies = [0, 1].map(() => folderStore(join(folder, String(run++))))
        const [from, to] = await Promise.all(
          copies.map((store) => createTable(store, { name: 'r', schema, partitionColumns })),
        )
        if (from === undefined || to === undefined) return
        await from.commit({ adds: await writeFiles(connection, from, query), operation: 'WRITE' })
        for await (const { columns } of rows(from, { connection })) await append(to, { columns })
        const names = schema.fields.map(({ name }) => sqlName(name)).join(', ')
        const read = `SELECT ${names} FROM ${relationSql(to, await to.snapshot())}`
        const sides = [`(${query}) EXCEPT ALL (${read})`, `(${read}) EXCEPT ALL (${query})`]
        for (const sql of sides) expect(await rowsOf(connection, sql)).toEqual([])
      }),
      { numRuns: 25, endOnFailure: true },
    )
  })

  test('come as typed arrays, in batches of about the size asked for', async () => {
    const { table } = await tableOfNumbers()
    const batches = await batchesOf(table, { columns: ['id', 'kind'], batchRows: 5000 })
    expect(batches.map(({ rowCount }) => rowCount).reduce((sum, count) => sum + count)).toBe(12_000)
    expect(batches.length).toBeGreaterThan(1)
    expect(batches.slice(0, -1).every(({ rowCount }) => rowCount >= 5000)).toBe(true)
    expect(batches.every(({ columns }) => columns.id?.values instanceof BigInt64Array)).toBe(true)
    expect(Object.keys(batches[0]?.columns ?? {})).toEqual(['id', 'kind'])
    const ids = await column(table, 'id', { columns: ['id'] })
    expect(new Set(ids).size).toBe(12_000)
  })

  test('of an older version, of some files, of an empty table', async () => {
    const { table } = await tableOfNumbers()
    const old = await table.snapshot({ version: 1 })
    expect(await column(table, 'id', { snapshot: old })).toHaveLength(4000)
    const { files } = await table.snapshot()
    expect(await column(table, 'id', { files: files.slice(0, 2) })).toHaveLength(8000)
    const empty = await table.snapshot({ version: 0 })
    expect(await batchesOf(table, { snapshot: empty })).toEqual([])
  })

  test('that meet a condition are those that SQL finds, from the files that may hold them', async () => {
    const { connection, table } = await tableOfNumbers()
    const where = {
      and: [
        { column: 'id', is: '>=', value: 4100 },
        { or: [{ column: 'kind', is: '=', value: 'k1' }, { sql: "name = 'n7'" }] },
      ],
    } as const
    const relation = relationSql(table, await table.snapshot())
    const sql = `SELECT id FROM ${relation} WHERE id >= 4100 AND (kind = 'k1' OR name = 'n7')`
    const expected = (await rowsOf(connection, sql)).map(([id]) => BigInt(String(id)))
    const found = async () => (await column(table, 'id', { where, columns: ['id'] })).toSorted()
    expect(await found()).toEqual(expected.toSorted())
    // The first file cannot match, so its absence is not noticed.
    const { files } = await table.snapshot()
    const first = files.find(({ stats }) => stats?.includes('"maxValues":{"id":3999'))
    unlinkSync(join(table.store.location, first?.path ?? ''))
    expect(await found()).toEqual(expected.toSorted())
  })

  test('that meet a condition are found where physical names have traded places', async () => {
    const connection = await scratchConnection()
    const schema = structOf(mappedField('a', 'long', 1, 'b'), mappedField('b', 'long', 2, 'a'))
    const foreign = await foreignTable(connection, {
      schema,
      configuration: { 'delta.columnMapping.mode': 'name' },
      readerFeatures: ['columnMapping'],
    })
    const file = await foreign.write('x.parquet', 'SELECT 1::BIGINT AS b, 900::BIGINT AS a')
    const bounds = '{"a":900,"b":1}'
    const stats = `{"numRecords":1,"minValues":${bounds},"maxValues":${bounds},"nullCount":{"a":0,"b":0}}`
    foreign.commit([{ add: { ...file, stats } }])
    const table = await foreign.open()
    const one = { column: 'a', is: '=', value: 1 } as const
    expect(await column(table, 'a', { where: one })).toEqual([1n])
    const none = { column: 'b', is: '<', value: 900 } as const
    expect(await column(table, 'a', { where: none })).toEqual([])
  })

  test('that statistics deny are found where those are not trusted', async () => {
    const connection = await scratchConnection()
    const foreign = await foreignTable(connection, { schema: schemaOf({ id: 'long' }) })
    const file = await foreign.write('x.parquet', 'SELECT 7::BIGINT AS id')
    const stats = '{"numRecords":1,"minValues":{"id":1},"maxValues":{"id":2},"nullCount":{"id":0}}'
    foreign.commit([{ add: { ...file, stats } }])
    const table = await foreign.open()
    const where = { column: 'id', is: '=', value: 7 } as const
    expect(await column(table, 'id', { where })).toEqual([])
    expect(await column(table, 'id', { where, trustsStatistics: false })).toEqual([7n])
  })

  test('keep a leading byte order mark and text of every length', async () => {
    const connection = await scratchConnection()
    const store = folderStore(await scratchFolder())
    const table = await createTable(store, { name: 't', schema: schemaOf({ s: 'string' }) })
    const texts = ['\ufeffa', '\ufeff', '', 'é'.repeat(40), null]
    await append(table, { columns: { s: texts } })
    expect(await column(table, 's', { connection })).toEqual(texts)
  })

  test('may be left early, and the connection lives on', async () => {
    const { connection, table } = await tableOfNumbers()
    for await (const { rowCount } of rows(table, { connection, batchRows: 1 })) {
      expect(rowCount).toBeGreaterThan(0)
      break
    }
    expect(await rowsOf(connection, 'SELECT 1')).toEqual([[1]])
  })

  test('end with an error, not short, where their connection is used meanwhile', async () => {
    const { connection, table } = await tableOfNumbers()
    let rowCount = 0
    const reading = async () => {
      for await (const batch of rows(table, { connection, batchRows: 1 })) {
        rowCount += batch.rowCount
        await connection.run('SELECT 1')
      }
    }
    await expect(reading()).rejects.toThrow(StreamInterrupted)
    expect(rowCount).toBeLessThan(12_000)
  })

  test('are refused for an unknown column, a bad condition, or a store without files', async () => {
    const { table } = await tableOfNumbers()
    await expect(batchesOf(table, { columns: ['colour'] })).rejects.toThrow(SchemaMismatch)
    const unknown = { column: 'colour', isNull: true }
    await expect(batchesOf(table, { where: unknown })).rejects.toThrow(InvalidPredicate)
    const twoStatements = { sql: 'true) FROM x; SELECT (1' }
    await expect(batchesOf(table, { where: twoStatements })).rejects.toThrow(InvalidPredicate)
    const schema = schemaOf({ id: 'long' })
    const memory = await createTable(memoryStore(), { name: 't', schema })
    await expect(batchesOf(memory)).rejects.toThrow(StoreNotLocal)
  })
})

describe('a data file', () => {
  const fileOf = async (table: DeltaTable) => {
    const { files } = await table.snapshot()
    const path = files[1]?.path ?? ''
    return { path, file: join(table.store.location, path) }
  }

  test('that is gone is named', async () => {
    const { table } = await tableOfNumbers()
    const { path, file } = await fileOf(table)
    unlinkSync(file)
    await expect(batchesOf(table)).rejects.toThrow(DataFileMissing)
    await expect(batchesOf(table)).rejects.toThrow(`version 3, file ${path}: data file is missing`)
  })

  test.each([
    ['cut short', (file: string) => truncateSync(file, 500), /truncated/],
    ['empty', (file: string) => truncateSync(file, 0), /truncated/],
    ['no Parquet', (file: string) => writeFileSync(file, 'x'.repeat(3000)), /file/],
  ])('that is %s is named', async (_name, damage, message) => {
    const { table } = await tableOfNumbers()
    const { path, file } = await fileOf(table)
    damage(file)
    await expect(batchesOf(table)).rejects.toThrow(DataFileUnreadable)
    await expect(batchesOf(table)).rejects.toThrow(path)
    await expect(batchesOf(table)).rejects.toThrow(message)
  })

  test('with values of another type is named', async () => {
    const connection = await scratchConnection()
    const foreign = await foreignTable(connection, { schema: schemaOf({ id: 'integer' }) })
    foreign.commit([{ add: await foreign.write('bad.parquet', "SELECT 'no number' AS id") }])
    const table = await foreign.open()
    await expect(batchesOf(table)).rejects.toThrow(DataFileUnreadable)
    await expect(batchesOf(table)).rejects.toThrow('bad.parquet')
  })

  test('with a damaged footer that the engine does not name is found', async () => {
    const { table } = await tableOfNumbers()
    const { path, file } = await fileOf(table)
    const bytes = readFileSync(file)
    const footerBytes = bytes.readUInt32LE(bytes.length - 8)
    for (let i = bytes.length - 8 - footerBytes; i < bytes.length - 8; i += 3) {
      bytes.writeUInt8(bytes.readUInt8(i) ^ 0xff, i)
    }
    writeFileSync(file, bytes)
    await expect(batchesOf(table)).rejects.toThrow(DataFileUnreadable)
    await expect(batchesOf(table)).rejects.toThrow(path)
  })
})
