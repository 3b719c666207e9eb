import { mkdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { InvalidSchema, SchemaMismatch } from '../errors.ts'
import type { AddFile } from '../log/actions.ts'
import { createTable } from '../open-table.ts'
import { rowsOf, schemaOf, scratchConnection, scratchFolder } from '../scratch.testing.ts'
import { folderStore } from '../store/folder-store.ts'
import { relationSql } from './relation.ts'
import { writeFiles } from './write-files.ts'

/** A table of `dayCount` days with 10 rows each. */
async function tableOfDays(dayCount: number, folder?: string) {
  const connection = await scratchConnection()
  const store = folderStore(folder ?? (await scratchFolder()))
  const schema = schemaOf({ id: 'long', value: 'double', day: 'date' })
  const table = await createTable(store, { name: 't', schema, partitionColumns: ['day'] })
  const query = `SELECT i::BIGINT AS id, (i / 7)::DOUBLE AS value,
    DATE '2026-01-01' + (i % ${dayCount})::INTEGER AS day FROM range(${dayCount * 10}) t(i)`
  await table.commit({ adds: await writeFiles(connection, table, query), operation: 'WRITE' })
  const check = `SELECT count(*), sum(id), min(day), max(day), count(DISTINCT day)`
  return { connection, table, query, check }
}

describe('partition columns', () => {
  // Up to 16 values there is a scan each, above that folder names, and without those a join.
  test.each([3, 40])('of %i values come back typed from the log', async (dayCount) => {
    const { connection, table, query, check } = await tableOfDays(dayCount)
    const snapshot = await table.snapshot()
    const expected = await rowsOf(connection, `${check} FROM (${query})`)
    expect(await rowsOf(connection, `${check} FROM ${relationSql(table, snapshot)}`)).toEqual(
      expected,
    )

    const elsewhere = await Promise.all(
      snapshot.files.map(async (file, index): Promise<AddFile> => {
        const path = `moved/${index}.parquet`
        const target = join(table.store.location, path)
        await mkdir(dirname(target), { recursive: true })
        await rename(join(table.store.location, file.path), target)
        return { ...file, path }
      }),
    )
    const moved = relationSql(table, snapshot, { files: elsewhere })
    expect(await rowsOf(connection, `${check} FROM ${moved}`)).toEqual(expected)
  })

  test('may be all that is asked for', async () => {
    for (const dayCount of [2, 20]) {
      const { connection, table } = await tableOfDays(dayCount)
      const relation = relationSql(table, await table.snapshot(), { columns: ['day'] })
      const sql = `SELECT count(*), count(DISTINCT day) FROM ${relation}`
      expect(await rowsOf(connection, sql)).toEqual([[String(dayCount * 10), String(dayCount)]])
    }
  })

  test('are found in a folder whose own name looks like a partition or a wildcard', async () => {
    for (const name of ['day=2020-01-01', 'a[b]*?', "it's"]) {
      const { connection, table, query, check } = await tableOfDays(
        20,
        join(await scratchFolder(), name),
      )
      const relation = relationSql(table, await table.snapshot())
      expect(await rowsOf(connection, `${check} FROM ${relation}`), name).toEqual(
        await rowsOf(connection, `${check} FROM (${query})`),
      )
    }
  })
})

test('the partition value "null" is a text, not a null', async () => {
  const connection = await scratchConnection()
  const store = folderStore(await scratchFolder())
  const schema = schemaOf({ id: 'long', p: 'string' })
  const table = await createTable(store, { name: 't', schema, partitionColumns: ['p'] })
  const query = `SELECT i::BIGINT AS id, CASE i WHEN 0 THEN 'null' WHEN 1 THEN 'NULL' WHEN 2 THEN NULL
    ELSE 'p' || i END AS p FROM range(30) t(i)`
  await table.commit({ adds: await writeFiles(connection, table, query), operation: 'WRITE' })
  const sql = `SELECT * FROM ${relationSql(table, await table.snapshot())} ORDER BY id`
  expect(await rowsOf(connection, sql)).toEqual(await rowsOf(connection, `${query} ORDER BY id`))
})

test('the planner is told the true number of rows where it opens no file itself', async () => {
  const folder = await scratchFolder()
  for (const [index, dayCount] of [3, 40].entries()) {
    const { connection, table } = await tableOfDays(dayCount, join(folder, String(index)))
    const snapshot = await table.snapshot()
    for (const options of [{ columns: ['id'] }, { fileColumn: 'f' }]) {
      const relation = relationSql(table, snapshot, options)
      const sql = `EXPLAIN (FORMAT json) SELECT * FROM ${relation}`
      const [[, plan] = []] = await rowsOf(connection, sql)
      const estimates = [
        ...String(plan).matchAll(/READ_PARQUET[^}]*"Estimated Cardinality": "(\d+)"/g),
      ]
      const total = estimates.reduce((sum, [, count]) => sum + Number(count), 0)
      expect(total, JSON.stringify({ dayCount, options })).toBe(dayCount * 10)
    }
  }
})

describe('columns', () => {
  test.each([3, 40])('added later are null in older files (%i partitions)', async (dayCount) => {
    const { connection, table } = await tableOfDays(dayCount)
    await table.addColumns(schemaOf({ note: 'string', size: schemaOf({ x: 'long' }) }).fields)
    const query = `SELECT -1::BIGINT AS id, 'new' AS note, DATE '2026-01-01' AS day`
    await table.commit({ adds: await writeFiles(connection, table, query), operation: 'WRITE' })
    const relation = relationSql(table, await table.snapshot())
    const sql = `SELECT note, count(*), sum(value) IS NULL, count(size) FROM ${relation}
      GROUP BY ALL ORDER BY ALL NULLS LAST`
    expect(await rowsOf(connection, sql)).toEqual([
      ['new', '1', true, '0'],
      [null, String(dayCount * 10), false, '0'],
    ])
  })

  test('come in the order asked for; an unknown one is refused', async () => {
    const { connection, table } = await tableOfDays(2)
    const snapshot = await table.snapshot()
    const relation = relationSql(table, snapshot, { columns: ['day', 'id'] })
    const described = await rowsOf(connection, `DESCRIBE SELECT * FROM ${relation}`)
    expect(described.map(([name, type]) => [name, type])).toEqual([
      ['day', 'DATE'],
      ['id', 'BIGINT'],
    ])
    expect(() => relationSql(table, snapshot, { columns: ['colour'] })).toThrow(SchemaMismatch)
  })

  test('of a snapshot without files keep their types', async () => {
    const { connection, table } = await tableOfDays(2)
    const relation = relationSql(table, await table.snapshot({ version: 0 }))
    const described = await rowsOf(connection, `DESCRIBE SELECT * FROM ${relation}`)
    expect(described.map(([, type]) => type)).toEqual(['BIGINT', 'DOUBLE', 'DATE'])
    expect(await rowsOf(connection, `SELECT count(*) FROM ${relation}`)).toEqual([['0']])
  })

  test('are missing when the log has no schema, and then nothing is scanned', async () => {
    const { table } = await tableOfDays(2)
    const snapshot = { ...(await table.snapshot()), schema: schemaOf({}) }
    expect(() => relationSql(table, snapshot)).toThrow(InvalidSchema)
  })
})

test('decimal partitions beside many others are read by their folders', async () => {
  const connection = await scratchConnection()
  const store = folderStore(await scratchFolder())
  const price = { type: 'decimal', precision: 10, scale: 2 } as const
  const schema = schemaOf({ id: 'long', price })
  const table = await createTable(store, { name: 't', schema, partitionColumns: ['price'] })
  // Above a hundred values the relation no longer scans each partition apart.
  const query = 'SELECT i AS id, ((i - 60) / 4)::DECIMAL(10,2) AS price FROM range(120) AS r(i)'
  await table.commit({ adds: await writeFiles(connection, table, query), operation: 'WRITE' })
  const relation = relationSql(table, await table.snapshot())
  const sql = `SELECT count(*), sum(price), min(price), typeof(any_value(price)) FROM ${relation}`
  expect(await rowsOf(connection, sql)).toEqual([['120', '-15.00', '-15.00', 'DECIMAL(10,2)']])
})
