import { describe, expect, test } from 'vitest'
import { createTable, openTable } from '../open-table.ts'
import { schemaOf } from '../scratch.testing.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { DeltaTable } from '../table.ts'
import type { CommitRequest } from './commit-request.ts'
import { addOf, randomCommitSchema } from './random-commits.testing.ts'

const operation = 'TEST'
const files = [addOf('old-1', 'monday'), addOf('old-2', 'tuesday')]
const [first = addOf(''), second = addOf('')] = files

/** Our plans, made on a table with `files`, whose commit comes too late. */
const plans: Readonly<Record<string, CommitRequest>> = {
  append: { adds: [addOf('ours')], operation },
  appendWithProgress: {
    adds: [addOf('ours')],
    transactions: [{ appId: 'app', version: 5 }],
    operation,
  },
  compaction: { adds: [addOf('ours')], removes: [first], dataChange: false, operation },
  deletion: { removes: [first], operation },
  deletionOfMonday: {
    removes: [first],
    readsFile: (file) => file.partitionValues.day === 'monday',
    operation,
  },
}

/** What a rival commits first. */
const rivals: Readonly<Record<string, (rival: DeltaTable) => Promise<unknown>>> = {
  append: (rival) => rival.commit({ adds: [addOf('theirs')], operation }),
  readingAppend: (rival) =>
    rival.commit({ adds: [addOf('theirs', 'tuesday')], blindAppend: false, operation }),
  sameProgress: (rival) =>
    rival.commit({ transactions: [{ appId: 'app', version: 1 }], operation }),
  removalOfOurs: (rival) => rival.commit({ removes: [first], operation }),
  removalOfOther: (rival) => rival.commit({ removes: [second], operation }),
  compactionOfOther: (rival) =>
    rival.commit({
      adds: [addOf('theirs', 'tuesday')],
      removes: [second],
      dataChange: false,
      operation,
    }),
  newColumn: (rival) => rival.addColumns(schemaOf({ more: 'long' }).fields),
  newProtocol: (rival) =>
    rival.commit({ protocol: { minReaderVersion: 1, minWriterVersion: 3 }, operation }),
}

const ok = 'committed'
const table: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  [
    'append',
    { append: ok, appendWithProgress: ok, compaction: ok, deletion: ok, deletionOfMonday: ok },
  ],
  [
    'readingAppend',
    {
      append: ok,
      appendWithProgress: ok,
      compaction: ok,
      deletion: 'ConcurrentAppend',
      deletionOfMonday: ok,
    },
  ],
  [
    'sameProgress',
    {
      append: ok,
      appendWithProgress: 'ConcurrentTransaction',
      compaction: ok,
      deletion: ok,
      deletionOfMonday: ok,
    },
  ],
  [
    'removalOfOurs',
    {
      append: ok,
      appendWithProgress: ok,
      compaction: 'ConcurrentDeleteDelete',
      deletion: 'ConcurrentDeleteDelete',
      deletionOfMonday: 'ConcurrentDeleteDelete',
    },
  ],
  [
    'removalOfOther',
    {
      append: ok,
      appendWithProgress: ok,
      compaction: ok,
      deletion: 'ConcurrentDeleteRead',
      deletionOfMonday: ok,
    },
  ],
  [
    'compactionOfOther',
    {
      append: ok,
      appendWithProgress: ok,
      compaction: ok,
      deletion: 'ConcurrentDeleteRead',
      deletionOfMonday: ok,
    },
  ],
  ['newColumn', Object.fromEntries(Object.keys(plans).map((plan) => [plan, 'MetadataChanged']))],
  ['newProtocol', Object.fromEntries(Object.keys(plans).map((plan) => [plan, 'ProtocolChanged']))],
]

describe.each(table)('after a rival commit of the kind %s', (rivalName, results) => {
  test.each(Object.entries(results))('a late %s ends as %s', async (planName, expected) => {
    const store = memoryStore()
    const ours = await createTable(store, {
      name: 't',
      schema: randomCommitSchema,
      partitionColumns: ['day'],
    })
    await ours.commit({ adds: files, operation })
    const { version } = await ours.snapshot()
    await rivals[rivalName]?.(await openTable(store))
    const outcome = await ours.commit({
      ...(plans[planName] ?? { operation }),
      readVersion: version,
    })
    expect(outcome.kind === 'conflict' ? outcome.reason : outcome.kind).toBe(expected)
    expect(outcome).toMatchObject({ version: expected === ok ? 3 : 2 })
  })
})
