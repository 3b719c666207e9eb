import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  InvalidCommit,
  InvalidProperty,
  InvalidSchema,
  LogCorrupt,
  TableAlreadyExists,
  TableNotFound,
  TableNotWritable,
  VersionNotAvailable,
} from './errors.ts'
import { commitPath } from './log/log-names.ts'
import { addOf, randomCommitSchema } from './log/random-commits.testing.ts'
import { createTable, openTable, tableExists } from './open-table.ts'
import { schemaOf, scratchFolder } from './scratch.testing.ts'
import { folderStore } from './store/folder-store.ts'
import { memoryStore } from './store/memory-store.ts'
import type { ObjectStore } from './store/object-store.ts'

const startMs = Date.UTC(2026, 10, 20)
const newTable = (store: ObjectStore = memoryStore(), configuration = {}) =>
  createTable(store, {
    name: 't',
    schema: randomCommitSchema,
    partitionColumns: ['day'],
    configuration,
    timestampMs: startMs,
  })

const linesOf = async (store: ObjectStore, version: number) =>
  new TextDecoder()
    .decode(await store.read(commitPath(version)))
    .trim()
    .split('\n')
    .map((line): Record<string, unknown> => JSON.parse(line))

describe('creating and opening', () => {
  test('a new table demands reader 1 and writer 2 and holds no more than it was given', async () => {
    const store = memoryStore()
    expect(await tableExists(store)).toBe(false)
    const table = await newTable(store)
    expect(await tableExists(store)).toBe(true)
    const [info, protocol, metaData] = await linesOf(store, 0)
    expect(info).toHaveProperty('commitInfo.timestamp', startMs)
    expect(protocol).toEqual({ protocol: { minReaderVersion: 1, minWriterVersion: 2 } })
    expect(metaData).toMatchObject({
      metaData: {
        name: 't',
        format: { provider: 'parquet', options: {} },
        partitionColumns: ['day'],
        configuration: {},
        createdTime: startMs,
      },
    })
    expect(await table.snapshot()).toMatchObject({ version: 0, timestampMs: startMs, files: [] })
  })

  test('a second table in the same place is refused, an absent one too', async () => {
    const store = memoryStore()
    await expect(openTable(store)).rejects.toThrow(TableNotFound)
    await newTable(store)
    await expect(newTable(store)).rejects.toThrow(TableAlreadyExists)
  })

  test.each([
    ['a name with a space', schemaOf({ 'a b': 'long' }), []],
    ['names that differ by case only', schemaOf({ a: 'long', A: 'long' }), []],
    ['a zone-less timestamp', schemaOf({ a: 'timestamp_ntz' }), []],
    ['a partition column that is not there', schemaOf({ a: 'long' }), ['b']],
    ['a partition column of doubles', schemaOf({ a: 'long', b: 'double' }), ['b']],
    ['only partition columns', schemaOf({ a: 'long' }), ['a']],
    ['no columns', schemaOf({}), []],
  ])('%s is refused', async (_what, schema, partitionColumns) => {
    const creation = createTable(memoryStore(), { name: 't', schema, partitionColumns })
    await expect(creation).rejects.toThrow(InvalidSchema)
  })
})

describe('committing', () => {
  test('the commit file has the time of the commit, raised to after the previous one', async () => {
    const store = folderStore(await scratchFolder())
    const table = await newTable(store)
    const times = [startMs + 5000, startMs + 5000, startMs]
    for (const timestampMs of times) {
      await table.commit({ adds: [addOf(`f${timestampMs}`)], operation: 'WRITE', timestampMs })
    }
    const mtimes = []
    for (const version of [0, 1, 2, 3]) {
      mtimes.push(Math.floor((await stat(join(store.location, commitPath(version)))).mtimeMs))
    }
    expect(mtimes).toEqual([startMs, startMs + 5000, startMs + 5001, startMs + 5002])
    const opened = await openTable(store)
    expect((await opened.snapshot()).timestampMs).toBe(startMs + 5002)
  })

  test('a table object sees what others committed', async () => {
    const store = memoryStore()
    const table = await newTable(store)
    const other = await openTable(store)
    await other.commit({ adds: [addOf('f1')], operation: 'WRITE' })
    expect((await table.snapshot()).version).toBe(1)
    await table.commit({ adds: [addOf('f2')], operation: 'WRITE' })
    expect((await other.snapshot()).files.map(({ path }) => path)).toEqual(['f1', 'f2'])
  })

  test('many commits at once take a version each', async () => {
    const store = memoryStore()
    const tables = [await newTable(store), await openTable(store), await openTable(store)]
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        tables[i % 3]?.commit({ adds: [addOf(`f${i}`)], operation: 'WRITE' }),
      ),
    )
    const versions = outcomes.map((outcome) => outcome?.version).sort((a = 0, b = 0) => a - b)
    expect(versions).toEqual(Array.from({ length: 60 }, (_, i) => i + 1))
    expect((await (await openTable(store)).snapshot()).files).toHaveLength(60)
  })

  test('a transaction that is already in the table is not committed again', async () => {
    const table = await newTable()
    const commit = (version: number) =>
      table.commit({
        adds: [addOf(`f${version}`)],
        transactions: [{ appId: 'log-0', version }],
        operation: 'WRITE',
      })
    expect(await commit(10)).toMatchObject({ kind: 'committed' })
    expect(await commit(10)).toMatchObject({ kind: 'conflict', reason: 'ConcurrentTransaction' })
    expect(await commit(11)).toMatchObject({ kind: 'committed', version: 2 })
    expect((await table.snapshot()).transactions.get('log-0')).toBe(11)
  })

  test('requests that contradict themselves or the table are refused', async () => {
    const table = await newTable()
    const operation = 'WRITE'
    const requests = [
      { adds: [addOf('a'), addOf('a')], operation },
      { adds: [{ ...addOf('a'), partitionValues: {} }], operation },
      { removes: [addOf('never there')], operation },
      { readVersion: 7, operation },
      {
        transactions: [
          { appId: 'x', version: 1 },
          { appId: 'x', version: 2 },
        ],
        operation,
      },
    ]
    for (const request of requests) {
      await expect(table.commit(request)).rejects.toThrow(InvalidCommit)
    }
    expect((await table.snapshot()).version).toBe(0)
  })

  test('an append-only table takes appends and compaction, but no deletion', async () => {
    const table = await newTable(memoryStore(), { 'delta.appendOnly': 'true' })
    await table.commit({ adds: [addOf('a')], operation: 'WRITE' })
    const { files } = await table.snapshot()
    const deletion = table.commit({ removes: files, operation: 'DELETE' })
    await expect(deletion).rejects.toThrow(TableNotWritable)
    const rewrite = { adds: [addOf('b')], removes: files, dataChange: false, operation: 'OPTIMIZE' }
    expect(await table.commit(rewrite)).toMatchObject({ kind: 'committed' })
  })

  test('a put whose answer was lost is recognised as our own commit', async () => {
    const store = memoryStore()
    const forgetful: ObjectStore = {
      ...store,
      putIfAbsent: async (path, bytes, options) => {
        await store.putIfAbsent(path, bytes, options)
        return !path.endsWith('1.json')
      },
    }
    const table = await newTable(forgetful)
    const outcome = await table.commit({ adds: [addOf('a')], operation: 'WRITE' })
    expect(outcome).toMatchObject({ kind: 'committed', version: 1 })
    expect((await table.snapshot()).files).toHaveLength(1)
  })
})

describe('looking back', () => {
  test('a version is found by number and by time', async () => {
    const table = await newTable()
    for (const minute of [1, 2, 3]) {
      const timestampMs = startMs + minute * 60_000
      await table.commit({ adds: [addOf(`f${minute}`)], operation: 'WRITE', timestampMs })
    }
    expect((await table.snapshot({ version: 2 })).files).toHaveLength(2)
    const at = async (ms: number) => (await table.snapshot({ timestampMs: startMs + ms })).version
    expect([await at(0), await at(60_000), await at(119_999), await at(180_000)]).toEqual([
      0, 1, 1, 3,
    ])
    await expect(at(-1)).rejects.toThrow(VersionNotAvailable)
    await expect(at(180_001)).rejects.toThrow(VersionNotAvailable)
    await expect(table.snapshot({ version: 9 })).rejects.toThrow(VersionNotAvailable)
  })

  test('changes come version by version with what each added and removed', async () => {
    const table = await newTable()
    await table.commit({ adds: [addOf('a'), addOf('b')], operation: 'WRITE' })
    const { files } = await table.snapshot()
    await table.commit({
      adds: [addOf('ab')],
      removes: files,
      dataChange: false,
      operation: 'OPTIMIZE',
    })
    await table.commit({ adds: [addOf('c')], operation: 'WRITE' })
    const seen = []
    for await (const change of table.changes(0, 3)) {
      const isNew = change.adds.filter(({ dataChange }) => dataChange).map(({ path }) => path)
      seen.push([change.version, isNew, change.removes.length])
    }
    expect(seen).toEqual([
      [1, ['a', 'b'], 0],
      [2, [], 2],
      [3, ['c'], 0],
    ])
    const history = await table.history(2)
    expect(history.map(({ version, operation }) => [version, operation])).toEqual([
      [3, 'WRITE'],
      [2, 'OPTIMIZE'],
    ])
  })

  test('a missing commit is a gap, a torn one is named with its line', async () => {
    const store = memoryStore()
    const table = await newTable(store)
    for (const name of ['a', 'b', 'c']) {
      await table.commit({ adds: [addOf(name)], operation: 'WRITE' })
    }
    await store.remove(commitPath(2))
    await expect(openTable(store)).rejects.toThrow(LogCorrupt)
    await store.putIfAbsent(commitPath(2), new TextEncoder().encode('{"add":{"path":"b"'))
    await expect(openTable(store)).rejects.toThrow(`${commitPath(2)}, line 1: torn or damaged line`)
  })
})

describe('changing the table', () => {
  test('added columns go before the partition columns; repeating it changes nothing', async () => {
    const table = await newTable()
    const { fields } = schemaOf({ temperature_c: 'double' })
    expect(await table.addColumns(fields)).toMatchObject({ kind: 'committed', version: 1 })
    expect(await table.addColumns(fields)).toMatchObject({ kind: 'committed', version: 1 })
    const { schema } = await table.snapshot()
    expect(schema.fields.map(({ name }) => name)).toEqual(['id', 'temperature_c', 'day'])
    await expect(table.addColumns(schemaOf({ id: 'string' }).fields)).rejects.toThrow(InvalidSchema)
  })

  test('properties are set and taken away, and checked', async () => {
    const table = await newTable()
    await table.setProperties({ owner: 'plant 7', 'delta.checkpointInterval': '20' })
    await table.setProperties({ owner: null })
    const { configuration } = (await table.snapshot()).metadata
    expect(configuration).toEqual({ 'delta.checkpointInterval': '20' })
    for (const properties of [
      { 'delta.columnMapping.mode': 'name' },
      { 'delta.checkpointInterval': 'often' },
      { 'delta.logRetentionDuration': 'a while' },
    ]) {
      await expect(table.setProperties(properties)).rejects.toThrow(InvalidProperty)
    }
  })
})
