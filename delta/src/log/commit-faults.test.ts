import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DeltaError } from '../errors.ts'
import { createTable, openTable } from '../open-table.ts'
import type { Fault } from '../store/faults.testing.ts'
import { faultyStore, InjectedFault } from '../store/faults.testing.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { commitPath } from './log-names.ts'
import { addOf, randomCommitSchema } from './random-commits.testing.ts'

const newTable = (store: ObjectStore) =>
  createTable(store, {
    name: 't',
    schema: randomCommitSchema,
    partitionColumns: ['day'],
    configuration: { 'delta.checkpointInterval': '6' },
  })

const fault = fc.constantFrom<Fault>('none', 'none', 'none', 'before', 'after')

/** Appends file `number` with a transaction, starting over with a fresh table object after a fault. */
async function appendedOnce(store: ObjectStore, number: number): Promise<void> {
  for (;;) {
    try {
      const table = await openTable(store)
      const outcome = await table.commit({
        adds: [addOf(`f${number}`)],
        transactions: [{ appId: 'writer', version: number }],
        operation: 'WRITE',
      })
      const isRepeated = outcome.kind === 'conflict' && outcome.reason === 'ConcurrentTransaction'
      if (outcome.kind === 'committed' || isRepeated) return
    } catch (cause) {
      // A fault while a checkpoint is read comes as an error of ours, with the fault as its cause.
      const isFault = cause instanceof InjectedFault || cause instanceof DeltaError
      if (!isFault) throw cause
    }
  }
}

test('whatever call fails, before or after its effect, a repeated append happens once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fault, { maxLength: 80 }), async (faults) => {
      const store = memoryStore()
      await newTable(store)
      const faulty = faultyStore(store, faults)
      for (let number = 0; number < 8; number++) await appendedOnce(faulty, number)
      const snapshot = await (await openTable(store)).snapshot()
      const paths = snapshot.files.map(({ path }) => path)
      expect(paths.toSorted()).toEqual(Array.from({ length: 8 }, (_, i) => `f${i}`))
      expect(snapshot.version).toBe(8)
    }),
    { numRuns: 20, endOnFailure: true },
  )
})

test('a commit whose answer was lost is recognised as ours, not made twice', async () => {
  const store = memoryStore()
  await newTable(store)
  let isLost = true
  const losing: ObjectStore = {
    ...store,
    putIfAbsent: async (path, bytes, options) => {
      const result = await store.putIfAbsent(path, bytes, options)
      if (path === commitPath(1) && isLost) {
        isLost = false
        throw new InjectedFault('the answer was lost')
      }
      return result
    },
  }
  const table = await openTable(losing)
  const outcome = await table.commit({ adds: [addOf('a')], operation: 'WRITE' })
  expect(outcome).toMatchObject({ kind: 'committed', version: 1 })
  expect((await table.snapshot()).version).toBe(1)
})

test('a commit that did not land says why', async () => {
  const store = memoryStore()
  await newTable(store)
  const full: ObjectStore = {
    ...store,
    putIfAbsent: async () => {
      throw new InjectedFault('no space left')
    },
  }
  const table = await openTable(full)
  const commit = table.commit({ adds: [addOf('a')], operation: 'WRITE' })
  await expect(commit).rejects.toThrow('no space left')
})
