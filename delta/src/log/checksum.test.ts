import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTable, openTable } from '../open-table.ts'
import { isRecord } from '../schema/schema.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { checksumPath } from './checksum.ts'
import {
  addOf,
  countingHost,
  randomCommitSchema,
  randomSteps,
  requestOf,
} from './random-commits.testing.ts'

const schema = { name: 't', schema: randomCommitSchema, partitionColumns: ['day'] }

async function checksumOf(store: ObjectStore, version: number) {
  const json: unknown = JSON.parse(
    new TextDecoder().decode(await store.read(checksumPath(version))),
  )
  if (!isRecord(json)) throw new Error('a checksum is a JSON object')
  return json
}

test('every version has a checksum that a replay from scratch confirms', async () => {
  await fc.assert(
    fc.asyncProperty(randomSteps, async (steps) => {
      const store = memoryStore()
      const table = await createTable(store, schema, { host: countingHost() })
      for (const [index, step] of steps.entries()) {
        await table.commit(requestOf(step, index, await table.snapshot()))
      }
      for (let version = 0; version <= steps.length; version++) {
        const snapshot = await (await openTable(store)).snapshot({ version })
        const checksum = await checksumOf(store, version)
        expect(checksum).toMatchObject({
          numFiles: snapshot.files.length,
          tableSizeBytes: snapshot.files.reduce((sum, { size }) => sum + size, 0),
          numMetadata: 1,
          numProtocol: 1,
          protocol: snapshot.protocol,
          metadata: { id: snapshot.metadata.id, schemaString: snapshot.metadata.schemaString },
        })
        const listed = Array.isArray(checksum.setTransactions) ? checksum.setTransactions : []
        expect(new Map(listed.map(({ appId, version: at }) => [appId, at]))).toEqual(
          snapshot.transactions,
        )
      }
    }),
    { numRuns: 25, endOnFailure: true },
  )
})

test('a checksum that is there is left alone, and one that fails spoils no commit', async () => {
  const store = memoryStore()
  const failing: ObjectStore = {
    ...store,
    putIfAbsent: async (path, bytes, options) => {
      if (path.endsWith('2.crc')) throw new Error('no space left')
      return await store.putIfAbsent(path, bytes, options)
    },
  }
  const table = await createTable(failing, schema)
  await store.putIfAbsent(checksumPath(1), new TextEncoder().encode('theirs'))
  expect(await table.commit({ adds: [addOf('a')], operation: 'WRITE' })).not.toHaveProperty(
    'upkeepError',
  )
  expect(new TextDecoder().decode(await store.read(checksumPath(1)))).toBe('theirs')
  expect(await table.commit({ adds: [addOf('b')], operation: 'WRITE' })).toMatchObject({
    kind: 'committed',
    version: 2,
    upkeepError: 'no space left',
  })
})

test('upkeep in the background is done once it has settled, and never means never', async () => {
  const store = memoryStore()
  const table = await createTable(
    store,
    { ...schema, configuration: { 'delta.checkpointInterval': '2' } },
    { upkeep: 'background' },
  )
  await table.commit({ adds: [addOf('a')], operation: 'WRITE' })
  await table.commit({ adds: [addOf('b')], operation: 'WRITE' })
  await table.settled()
  const names = (await store.list('_delta_log/')).map(({ path }) => path.slice(-20))
  expect(names.filter((name) => name.endsWith('.crc'))).toHaveLength(3)
  expect(names.filter((name) => name.endsWith('.checkpoint.parquet'))).toHaveLength(1)
  const silent = await openTable(store, { upkeep: 'never' })
  await silent.commit({ adds: [addOf('c')], operation: 'WRITE' })
  await silent.commit({ adds: [addOf('d')], operation: 'WRITE' })
  await silent.settled()
  expect((await store.list('_delta_log/')).length).toBe(names.length + 2)
  await silent.checkpoint()
  expect((await store.list('_delta_log/')).length).toBe(names.length + 3)
})
