import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTable, openTable } from '../open-table.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { commitPath } from './log-names.ts'
import { addOf, countingHost, randomCommitSchema } from './random-commits.testing.ts'

async function commitOne(store: ObjectStore, version: number): Promise<void> {
  const lines = [{ commitInfo: { operation: 'WRITE' } }, { add: addOf(`f${version}`) }]
  const text = lines.map((line) => JSON.stringify(line)).join('\n')
  await store.putIfAbsent(commitPath(version), Buffer.from(text))
}

async function emptyTable(): Promise<ObjectStore> {
  const store = memoryStore()
  await createTable(
    store,
    { name: 't', schema: randomCommitSchema, partitionColumns: ['day'] },
    { host: countingHost() },
  )
  return store
}

/**
 * A folder is listed piece by piece, as POSIX allows: what was there before is seen, of what comes
 * while the listing runs any part is.
 */
function listedInPieces(
  store: ObjectStore,
  meanwhile: () => Promise<void>,
  isSeen: () => boolean,
): ObjectStore {
  return {
    ...store,
    list: async (prefix, options) => {
      const before = new Set((await store.list(prefix, options)).map(({ path }) => path))
      await meanwhile()
      const after = await store.list(prefix, options)
      return after.filter(({ path }) => before.has(path) || isSeen())
    },
  }
}

test('commits made while the log is listed never look like a gap', async () => {
  const runs = fc.record({
    first: fc.nat({ max: 4 }),
    during: fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 6 }),
    seen: fc.infiniteStream(fc.boolean()),
  })
  await fc.assert(
    fc.asyncProperty(runs, async ({ first, during, seen }) => {
      const store = await emptyTable()
      let newest = 0
      const commit = async (count: number) => {
        for (let i = 0; i < count; i++) await commitOne(store, ++newest)
      }
      await commit(first)
      const bursts = [...during]
      const racing = listedInPieces(
        store,
        () => commit(bursts.shift() ?? 0),
        () => seen.next().value,
      )
      const table = await openTable(racing)
      let atLeast = first
      while (bursts.length > 0) {
        const { version, files } = await table.snapshot()
        expect(version).toBeGreaterThanOrEqual(atLeast)
        expect(files.map(({ path }) => path).sort()).toEqual(
          Array.from({ length: version }, (_, i) => `f${i + 1}`).sort(),
        )
        atLeast = version
        await commit(1)
        if (bursts.length > 0) bursts.shift()
      }
    }),
  )
})

test('a commit that is really missing is named', async () => {
  const store = await emptyTable()
  for (const version of [1, 2, 4]) await commitOne(store, version)
  await expect(openTable(store)).rejects.toMatchObject({
    code: 'LOG_CORRUPT',
    message: expect.stringContaining('version 3: commit is missing'),
  })
})
