import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { expect, test } from 'vitest'
import { relationSql } from '../data/relation.ts'
import { DataFileMissing, TableNotWritable, VersionNotAvailable } from '../errors.ts'
import { createTable, openTable } from '../open-table.ts'
import { rowsOf, schemaOf, scratchConnection, scratchFolder } from '../scratch.testing.ts'
import { folderStore } from '../store/folder-store.ts'
import type { DeltaTable } from '../table.ts'
import { append } from '../write/append.ts'
import { deleteWhere } from '../write/delete-where.ts'
import { overwrite } from '../write/overwrite.ts'
import { describeTable } from './describe.ts'
import { restore } from './restore.ts'

const startMs = Date.UTC(2026, 10, 1)

/** A table of five versions: created, two appends, a deletion, a new column, an overwrite. */
async function livelyTable() {
  const connection = await scratchConnection()
  const store = folderStore(await scratchFolder())
  const table = await createTable(store, {
    name: 'lively',
    schema: schemaOf({ id: 'long', day: 'string' }),
    partitionColumns: ['day'],
    timestampMs: startMs,
  })
  const at = (hour: number) => ({ timestampMs: startMs + hour * 3_600_000 })
  await append(table, { columns: { id: [1, 2], day: ['mon', 'tue'] } }, at(1))
  await append(table, { columns: { id: [3, 4], day: ['mon', 'tue'] } }, at(2))
  await deleteWhere(table, { column: 'day', is: '=', value: 'mon' }, at(3))
  await table.addColumns(schemaOf({ note: 'string' }).fields, at(4))
  await overwrite(table, { columns: { id: [9], day: ['sun'], note: ['new'] } }, at(5))
  return { connection, table }
}

async function idsIn(connection: DuckDBConnection, table: DeltaTable) {
  const relation = relationSql(table, await table.snapshot())
  return (await rowsOf(connection, `SELECT id FROM ${relation} ORDER BY id`)).map(([id]) =>
    Number(id),
  )
}

test('every version comes back as it was, with its columns, and can be left again', async () => {
  const { connection, table } = await livelyTable()
  const wanted = [[], [1, 2], [1, 2, 3, 4], [2, 4], [2, 4], [9]]
  for (const version of [2, 0, 5, 3, 1, 4]) {
    const outcome = await restore(table, { version })
    expect(outcome).toMatchObject({ kind: 'committed' })
    expect(await idsIn(connection, table)).toEqual(wanted[version])
    const names = (await table.snapshot()).schema.fields.map(({ name }) => name)
    expect(names.includes('note')).toBe(version >= 4)
  }
  expect(await idsIn(connection, await openTable(table.store))).toEqual([2, 4])
  expect((await table.history(1))[0]).toMatchObject({
    operation: 'RESTORE',
    operationParameters: { version: '4' },
  })
})

test('a time names the version, and restoring what is there changes nothing', async () => {
  const { connection, table } = await livelyTable()
  await restore(table, { timestampMs: startMs + 2.5 * 3_600_000 })
  expect(await idsIn(connection, table)).toEqual([1, 2, 3, 4])
  const { version } = await table.snapshot()
  expect(await restore(table, { version })).toEqual({ kind: 'unchanged', version })
})

test('a version that is gone, in the log or on disk, is refused and nothing is changed', async () => {
  const { connection, table } = await livelyTable()
  await expect(restore(table, { version: 99 })).rejects.toThrow(VersionNotAvailable)
  const { files } = await table.snapshot({ version: 1 })
  await unlink(join(table.store.location, files[0]?.path ?? ''))
  await expect(restore(table, { version: 1 })).rejects.toThrow(DataFileMissing)
  expect(await idsIn(connection, table)).toEqual([9])
})

test('files of an older version outlive a restore that loses to a rival', async () => {
  const { connection, table } = await livelyTable()
  const rival = await openTable(table.store)
  let rivals = 2
  const slow: DeltaTable = {
    ...table,
    commit: async (request) => {
      if (rivals-- > 0) await rival.setProperties({ 'app.turn': String(rivals) })
      return await table.commit(request)
    },
  }
  expect(await restore(slow, { version: 2 })).toMatchObject({ kind: 'committed', version: 8 })
  expect(await idsIn(connection, table)).toEqual([1, 2, 3, 4])
})

test('an append-only table is not taken back', async () => {
  const { table } = await livelyTable()
  await table.setProperties({ 'delta.appendOnly': 'true' })
  await expect(restore(table, { version: 1 })).rejects.toThrow(TableNotWritable)
})

test('a description has the figures of the version asked for', async () => {
  const { table } = await livelyTable()
  await table.checkpoint()
  expect(await describeTable(table, { version: 2 })).toMatchObject({
    name: 'lively',
    version: 2,
    fileCount: 4,
    rowCount: 4,
    partitionCount: 2,
    features: [],
    protocol: { minReaderVersion: 1, minWriterVersion: 2 },
    commits: { oldest: 0, newest: 5 },
    checkpoints: [5],
  })
  const newest = await describeTable(table)
  expect(newest).toMatchObject({ version: 5, fileCount: 1, rowCount: 1, partitionCount: 1 })
  expect(newest.tombstoneCount).toBe(4)
  expect(newest.sizeBytes).toBeGreaterThan(0)
})
