import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sqlText } from '../data/sql-text.ts'
import { CheckpointUnreadable } from '../errors.ts'
import { createTable, openTable } from '../open-table.ts'
import { rowsOf, scratchConnection, scratchFolder } from '../scratch.testing.ts'
import { folderStore } from '../store/folder-store.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { checkpointPath, commitPath, lastCheckpointPath, versionDigits } from './log-names.ts'
import {
  addOf,
  countingHost,
  randomCommitSchema,
  randomSteps,
  requestOf,
} from './random-commits.testing.ts'
import type { Snapshot } from './replay.ts'

const newTable = (store: ObjectStore, checkpointInterval: number) =>
  createTable(
    store,
    {
      name: 't',
      schema: randomCommitSchema,
      partitionColumns: ['day'],
      configuration: { 'delta.checkpointInterval': String(checkpointInterval) },
    },
    { host: countingHost() },
  )

/** What must be equal however the state was found; a checkpoint does not keep dataChange. */
function comparable(snapshot: Snapshot) {
  const { schema, transactions, files, tombstones, ...rest } = snapshot
  const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1)
  return {
    ...rest,
    transactions: Object.fromEntries(transactions),
    files: files.map((file) => ({ ...file, dataChange: false })).toSorted(byPath),
    tombstones: tombstones.map((file) => ({ ...file, dataChange: false })).toSorted(byPath),
  }
}

test('a table opened from a checkpoint equals the replay of its commits, at every version', async () => {
  await fc.assert(
    fc.asyncProperty(randomSteps, fc.integer({ min: 1, max: 5 }), async (steps, interval) => {
      const store = memoryStore()
      const table = await newTable(store, interval)
      const recorded = [comparable(await table.snapshot())]
      for (const [index, step] of steps.entries()) {
        const outcome = await table.commit(requestOf(step, index, await table.snapshot()))
        expect(outcome).toMatchObject({ kind: 'committed', version: index + 1 })
        expect(outcome).not.toHaveProperty('upkeepError')
        recorded.push(comparable(await table.snapshot()))
      }
      const opened = await openTable(store)
      expect(comparable(await opened.snapshot())).toEqual(recorded.at(-1))
      for (const [version, expected] of recorded.entries()) {
        expect(comparable(await opened.snapshot({ version }))).toEqual(expected)
      }
    }),
    { numRuns: 25, endOnFailure: true },
  )
})

test('a table without its old commits opens from the checkpoint alone', async () => {
  const store = memoryStore()
  const table = await newTable(store, 5)
  for (let i = 0; i < 7; i++) await table.commit({ adds: [addOf(`f${i}`)], operation: 'WRITE' })
  for (let version = 0; version < 5; version++) await store.remove(commitPath(version))
  const opened = await openTable(store)
  expect((await opened.snapshot()).files).toHaveLength(7)
  await expect(opened.snapshot({ version: 3 })).rejects.toThrow('oldest is 5')
})

test.each([
  ['missing', undefined],
  ['empty', ''],
  ['torn', '{"version":'],
  ['pointing at nothing', '{"version":999,"size":1}'],
])('a hint that is %s costs a listing and nothing else', async (_name, hint) => {
  const store = memoryStore()
  const table = await newTable(store, 2)
  for (let i = 0; i < 5; i++) await table.commit({ adds: [addOf(`f${i}`)], operation: 'WRITE' })
  await store.remove(lastCheckpointPath)
  if (hint !== undefined) {
    await store.putIfAbsent(lastCheckpointPath, new TextEncoder().encode(hint))
  }
  const snapshot = await (await openTable(store)).snapshot()
  expect(snapshot).toMatchObject({ version: 5 })
  expect(snapshot.files).toHaveLength(5)
})

test('a damaged checkpoint is passed over while the commits are there, and named when not', async () => {
  const store = memoryStore()
  const table = await newTable(store, 3)
  for (let i = 0; i < 4; i++) await table.commit({ adds: [addOf(`f${i}`)], operation: 'WRITE' })
  const bytes = await store.read(checkpointPath(3))
  await store.remove(checkpointPath(3))
  await store.putIfAbsent(checkpointPath(3), bytes.slice(0, bytes.length / 2))
  expect((await (await openTable(store)).snapshot()).files).toHaveLength(4)
  await store.remove(commitPath(0))
  await expect(openTable(store)).rejects.toThrow(CheckpointUnreadable)
  await expect(openTable(store)).rejects.toThrow(versionDigits(3))
})

test('a checkpoint has the columns of Spark in their order, null where a table has none', async () => {
  const store = folderStore(await scratchFolder())
  const table = await newTable(store, 2)
  await table.commit({ adds: [addOf('a')], operation: 'WRITE' })
  const { files } = await table.snapshot()
  await table.commit({ removes: files, adds: [addOf('b')], operation: 'WRITE' })
  const connection = await scratchConnection()
  const file = sqlText(join(store.location, checkpointPath(2)))
  const described = await rowsOf(connection, `DESCRIBE SELECT * FROM read_parquet(${file})`)
  const columns = described.map(([name]) => name)
  expect(columns).toEqual(['txn', 'add', 'remove', 'metaData', 'protocol', 'domainMetadata'])
  const count = (column: string) => `count(${column})`
  const sql = `SELECT ${['txn', 'add', 'remove', 'metaData', 'protocol'].map(count).join(', ')},
    count(protocol.readerFeatures), count(add.tags), count(add.deletionVector),
    count(add.partitionValues), bool_or(add.dataChange), bool_or(remove.dataChange), count(*)
    FROM read_parquet(${file})`
  expect(await rowsOf(connection, sql)).toEqual([
    ['0', '1', '1', '1', '1', '0', '0', '0', '1', false, false, '4'],
  ])
  const hint: unknown = JSON.parse(new TextDecoder().decode(await store.read(lastCheckpointPath)))
  const sizeInBytes = (await store.read(checkpointPath(2))).length
  expect(hint).toEqual({ version: 2, size: 4, sizeInBytes, numOfAddFiles: 1 })
})
