import { describe, expect, test } from 'vitest'
import { InvalidProperty, InvalidSchema } from '../errors.ts'
import { createTable, openTable } from '../open-table.ts'
import { schemaOf } from '../scratch.testing.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { Protocol } from './actions.ts'
import { commitPath } from './log-names.ts'
import { addOf, countingHost, randomCommitSchema } from './random-commits.testing.ts'
import type { TableFeature } from './table-features.ts'
import { withFeatures } from './table-features.ts'

const newTable = { name: 't', schema: randomCommitSchema, partitionColumns: ['day'] }

async function firstLine(store: ObjectStore, version: number): Promise<unknown> {
  const text = new TextDecoder().decode(await store.read(commitPath(version)))
  return JSON.parse(text.split('\n')[0] ?? '')
}

describe('raising a protocol', () => {
  const legacy = ['appendOnly', 'invariants']
  const cases: readonly (readonly [Protocol, readonly TableFeature[], Protocol])[] = [
    [
      { minReaderVersion: 1, minWriterVersion: 2 },
      ['inCommitTimestamp'],
      {
        minReaderVersion: 1,
        minWriterVersion: 7,
        writerFeatures: ['appendOnly', 'inCommitTimestamp', 'invariants'],
      },
    ],
    [
      { minReaderVersion: 1, minWriterVersion: 2 },
      ['timestampNtz'],
      {
        minReaderVersion: 3,
        minWriterVersion: 7,
        readerFeatures: ['timestampNtz'],
        writerFeatures: [...legacy, 'timestampNtz'],
      },
    ],
    [
      { minReaderVersion: 2, minWriterVersion: 5 },
      ['timestampNtz'],
      {
        minReaderVersion: 3,
        minWriterVersion: 7,
        readerFeatures: ['columnMapping', 'timestampNtz'],
        writerFeatures: [
          'appendOnly',
          'changeDataFeed',
          'checkConstraints',
          'columnMapping',
          'generatedColumns',
          'invariants',
          'timestampNtz',
        ],
      },
    ],
    [
      {
        minReaderVersion: 3,
        minWriterVersion: 7,
        readerFeatures: [],
        writerFeatures: ['appendOnly'],
      },
      ['inCommitTimestamp'],
      {
        minReaderVersion: 3,
        minWriterVersion: 7,
        readerFeatures: [],
        writerFeatures: ['appendOnly', 'inCommitTimestamp'],
      },
    ],
  ]
  test.each(cases)('%j with %j', (protocol, features, expected) => {
    const raised = withFeatures(protocol, features)
    expect(raised).toEqual(expected)
    expect(withFeatures(raised, features)).toBe(raised)
    expect(withFeatures(protocol, [])).toBe(protocol)
  })
})

describe('in-commit timestamps', () => {
  const on = { 'delta.enableInCommitTimestamps': 'true' }

  test('a table created with them has its time first in every commit, strictly rising', async () => {
    const store = memoryStore()
    const table = await createTable(
      store,
      { ...newTable, configuration: on },
      { host: countingHost(5000) },
    )
    await table.commit({ adds: [addOf('a')], operation: 'WRITE' })
    await table.commit({ adds: [addOf('b')], operation: 'WRITE', timestampMs: 10 })
    for (const [version, time] of [5000, 5001, 5002].entries()) {
      expect(await firstLine(store, version)).toMatchObject({
        commitInfo: { inCommitTimestamp: time },
      })
    }
    const { protocol, metadata } = await table.snapshot()
    expect(protocol).toMatchObject({ minReaderVersion: 1, minWriterVersion: 7 })
    expect(metadata.configuration).toEqual(on)
    expect((await (await openTable(store)).snapshot()).timestampMs).toBe(5002)
  })

  test('switched on later, the table says from which version on', async () => {
    const store = memoryStore()
    const table = await createTable(store, newTable, { host: countingHost(5000) })
    await table.commit({ adds: [addOf('a')], operation: 'WRITE' })
    await table.setProperties(on)
    expect(await firstLine(store, 2)).toMatchObject({ commitInfo: { inCommitTimestamp: 5002 } })
    const { protocol, metadata } = await table.snapshot()
    expect(protocol.writerFeatures).toContain('inCommitTimestamp')
    expect(metadata.configuration).toEqual({
      ...on,
      'delta.inCommitTimestampEnablementVersion': '2',
      'delta.inCommitTimestampEnablementTimestamp': '5002',
    })
  })
})

test('wall-clock columns are for tables that allow them, at creation or later', async () => {
  const store = memoryStore()
  const schema = schemaOf({ id: 'long', at: 'timestamp_ntz' })
  await expect(createTable(store, { name: 't', schema })).rejects.toThrow(/timestampNtz/)
  await createTable(memoryStore(), { name: 't', schema, features: ['timestampNtz'] })
  const table = await createTable(store, newTable)
  const { fields } = schemaOf({ at: 'timestamp_ntz' })
  await expect(table.addColumns(fields)).rejects.toThrow(InvalidSchema)
  await table.allowFeatures(['timestampNtz'])
  await table.addColumns(fields)
  const opened = await (await openTable(store)).snapshot()
  expect(opened.schema.fields.map(({ name }) => name)).toContain('at')
  expect(opened.protocol).toMatchObject({ minReaderVersion: 3, minWriterVersion: 7 })
})

test('a switch that is neither true nor false is refused', async () => {
  const table = await createTable(memoryStore(), newTable)
  const wrong = table.setProperties({ 'delta.enableInCommitTimestamps': 'yes' })
  await expect(wrong).rejects.toThrow(InvalidProperty)
})

test('a serializable table lets no append slip past a delete that may have missed it', async () => {
  for (const [level, kind] of [
    ['Serializable', 'conflict'],
    ['WriteSerializable', 'committed'],
  ]) {
    const store = memoryStore()
    const configuration = { 'delta.isolationLevel': level ?? '' }
    const table = await createTable(store, { ...newTable, configuration })
    await table.commit({ adds: [addOf('a')], operation: 'WRITE' })
    const { files, version } = await table.snapshot()
    await (await openTable(store)).commit({ adds: [addOf('b')], operation: 'WRITE' })
    const outcome = await table.commit({
      readVersion: version,
      removes: files,
      operation: 'DELETE',
    })
    expect(outcome).toMatchObject({ kind })
  }
})
