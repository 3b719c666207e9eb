import fc from 'fast-check'
import { expect, test } from 'vitest'
import { relationSql } from '../data/relation.ts'
import { writeFiles } from '../data/write-files.ts'
import { addOf } from '../log/random-commits.testing.ts'
import { createTable, openTable } from '../open-table.ts'
import { rowsOf, schemaOf, scratchConnection, scratchFolder } from '../scratch.testing.ts'
import { folderStore } from '../store/folder-store.ts'
import { deleteWhere } from '../write/delete-where.ts'
import { compact, packFiles } from './compact.ts'
import { vacuum } from './vacuum.ts'

/** A table of `fileCount` small files over two days. */
async function tableOfSmallFiles(fileCount: number) {
  const connection = await scratchConnection()
  const store = folderStore(await scratchFolder())
  const schema = schemaOf({ id: 'long', device: 'string', day: 'string' })
  const table = await createTable(store, { name: 't', schema, partitionColumns: ['day'] })
  for (let i = 0; i < fileCount; i++) {
    const query = `SELECT (${i} * 100 + j)::BIGINT AS id, 'device-' || (j * 37 % 100) AS device,
      'day ' || ${i % 2} AS day FROM range(100) t(j)`
    await table.commit({ adds: await writeFiles(connection, table, query), operation: 'WRITE' })
  }
  return { connection, table }
}

const sums = 'SELECT count(*), sum(id), count(DISTINCT device), count(DISTINCT day)'

test('small files become one per partition, with the same rows and no new ones to read', async () => {
  const { connection, table } = await tableOfSmallFiles(20)
  const before = await table.snapshot()
  const expected = await rowsOf(connection, `${sums} FROM ${relationSql(table, before)}`)
  const outcome = await compact(table, { connection, orderBy: ['device'] })
  expect(outcome).toMatchObject({ kind: 'compacted', removedFileCount: 20, addedFileCount: 2 })
  const after = await table.snapshot()
  expect(await rowsOf(connection, `${sums} FROM ${relationSql(table, after)}`)).toEqual(expected)
  for await (const { adds, removes } of table.changes(before.version, after.version)) {
    expect([...adds, ...removes].every(({ dataChange }) => dataChange === false)).toBe(true)
  }
  const file = relationSql(table, after, { files: after.files.slice(0, 1) })
  const devices = await rowsOf(connection, `SELECT device FROM ${file}`)
  expect(devices).toEqual(
    devices.toSorted(([a = ''], [b = '']) => (String(a) < String(b) ? -1 : 1)),
  )
  expect(await compact(table, { connection })).toEqual({ kind: 'nothing-to-do' })
})

test('an append during compaction is kept, a removal stops it and leaves no file behind', async () => {
  const { connection, table } = await tableOfSmallFiles(6)
  const rival = await openTable(table.store)
  const interfere = (act: () => Promise<unknown>) => ({
    ...table,
    commit: async (request: Parameters<typeof table.commit>[0]) => {
      await act()
      return await table.commit(request)
    },
  })
  const append = interfere(async () => {
    const adds = await writeFiles(connection, rival, "SELECT 1::BIGINT AS id, 'day 0' AS day")
    await rival.commit({ adds, operation: 'WRITE' })
  })
  expect(await compact(append, { connection })).toMatchObject({ kind: 'compacted' })
  const relation = relationSql(table, await table.snapshot())
  expect(await rowsOf(connection, `SELECT count(*) FROM ${relation}`)).toEqual([['601']])

  const removal = interfere(async () => {
    const { files } = await rival.snapshot()
    await rival.commit({ removes: files, operation: 'DELETE' })
  })
  const fileCount = (await table.store.list('')).length
  expect(await compact(removal, { connection })).toMatchObject({
    kind: 'conflict',
    reason: 'ConcurrentDeleteDelete',
  })
  // The commit of the rival and its checksum.
  expect((await table.store.list('')).length).toBe(fileCount + 2)
})

test('a removal costs the bins it touches, and the others are committed', async () => {
  const { connection, table } = await tableOfSmallFiles(8)
  const rival = await openTable(table.store)
  let turns = 1
  const contended = {
    ...table,
    commit: async (request: Parameters<typeof table.commit>[0]) => {
      if (turns-- > 0) {
        await deleteWhere(rival, { column: 'day', is: '=', value: 'day 0' })
      }
      return await table.commit(request)
    },
  }
  expect(await compact(contended)).toMatchObject({
    kind: 'compacted',
    removedFileCount: 4,
    addedFileCount: 1,
  })
  const relation = relationSql(table, await table.snapshot())
  expect(await rowsOf(connection, `SELECT day, count(*) FROM ${relation} GROUP BY ALL`)).toEqual([
    ['day 1', '400'],
  ])
  const live = await table.snapshot()
  const report = await vacuum(table, { retentionMs: 0, force: true, nowMs: 4e12, dryRun: true })
  expect(live.files).toHaveLength(1)
  // The eight old files; the file of the lost bin is gone already.
  expect(report.files).toHaveLength(8)
})

test('a file with deleted rows is written anew even if it is alone', () => {
  const vector = { storageType: 'i', pathOrInlineDv: '', sizeInBytes: 0, cardinality: 1 }
  const large = { ...addOf('large', 'a'), size: 1000, deletionVector: vector }
  const files = [addOf('small', 'b'), large]
  expect(packFiles(files, { targetFileBytes: 500 })).toEqual([[large]])
})

test('bins hold small files of one partition, each once, and are full but not overfull', () => {
  const file = fc.tuple(fc.integer({ min: 1, max: 200 }), fc.constantFrom('a', 'b'))
  fc.assert(
    fc.property(fc.array(file, { maxLength: 40 }), (sizes) => {
      const files = sizes.map(([size, day], i) => ({ ...addOf(`f${i}`, day), size }))
      const bins = packFiles(files, { targetFileBytes: 100 })
      const packed = bins.flat()
      expect(new Set(packed).size).toBe(packed.length)
      for (const bin of bins) {
        expect(bin.length).toBeGreaterThanOrEqual(2)
        expect(new Set(bin.map(({ partitionValues }) => partitionValues.day)).size).toBe(1)
        expect(bin.every(({ size }) => size < 75)).toBe(true)
        expect(bin.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(100)
      }
    }),
  )
})
