import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RetentionTooShort, VersionNotAvailable } from '../errors.ts'
import type { Host } from '../host.ts'
import { addOf, randomCommitSchema, randomSteps, requestOf } from '../log/random-commits.testing.ts'
import type { Snapshot } from '../log/replay.ts'
import { createTable, openTable } from '../open-table.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { DeltaTable } from '../table.ts'
import { cleanLog } from './clean-log.ts'

const dayMs = 86_400_000
const startMs = Date.UTC(2026, 0, 1, 10)

function hostAt(time: { nowMs: number }): Host {
  let count = 0
  return {
    nowMs: () => time.nowMs,
    uuid: () => `00000000-0000-0000-0000-${String(count++).padStart(12, '0')}`,
  }
}

/** A table that gets a commit every 12 hours and a checkpoint every `interval` commits. */
async function agedTable(
  store: ObjectStore,
  steps: Parameters<typeof requestOf>[0][],
  interval: number,
): Promise<{ readonly table: DeltaTable; readonly snapshots: readonly Snapshot[] }> {
  const time = { nowMs: startMs }
  const table = await createTable(
    store,
    {
      name: 't',
      schema: randomCommitSchema,
      partitionColumns: ['day'],
      configuration: {
        'delta.checkpointInterval': String(interval),
        'delta.logRetentionDuration': 'interval 2 days',
        'delta.deletedFileRetentionDuration': 'interval 1000 days',
      },
    },
    { host: hostAt(time) },
  )
  const snapshots = [await table.snapshot()]
  for (const [index, step] of steps.entries()) {
    time.nowMs += dayMs / 2
    await table.commit(requestOf(step, index, await table.snapshot()))
    snapshots.push(await table.snapshot())
  }
  return { table, snapshots }
}

function comparable({ files, tombstones, transactions, ...rest }: Snapshot) {
  const sorted = (list: readonly { readonly path: string }[]) =>
    list
      .map((file) => ({ ...file, dataChange: false }))
      .toSorted((a, b) => (a.path < b.path ? -1 : 1))
  return { ...rest, files: sorted(files), tombstones: sorted(tombstones), transactions }
}

test('after a clean-up, whole or cut short, every kept version is what it was', async () => {
  await fc.assert(
    fc.asyncProperty(
      randomSteps.map((steps) => [...steps]),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 20 }),
      fc.integer({ min: 0, max: 12 }),
      async (steps, interval, halfDays, removalsBeforeCrash) => {
        const store = memoryStore()
        const { snapshots } = await agedTable(store, steps, interval)
        let removals = 0
        const crashing: ObjectStore = {
          ...store,
          remove: async (path) => {
            if (removals++ >= removalsBeforeCrash) throw new Error('power cut')
            await store.remove(path)
          },
        }
        const nowMs = startMs + (halfDays * dayMs) / 2
        const planned = await cleanLog(await openTable(store), { nowMs, dryRun: true })
        const oldest = planned.oldestKept ?? 0
        const crash = cleanLog(await openTable(crashing), { nowMs })
        if (planned.files.length > removalsBeforeCrash) await expect(crash).rejects.toThrow('power')
        else expect(await crash).toEqual({ ...planned, dryRun: false })
        const check = async () => {
          const opened = await openTable(store)
          for (const [version, snapshot] of snapshots.entries()) {
            if (version < oldest) continue
            expect(comparable(await opened.snapshot({ version }))).toEqual(comparable(snapshot))
          }
          return opened
        }
        await check()
        await cleanLog(await openTable(store), { nowMs })
        const opened = await check()
        for (let version = 0; version < oldest; version++) {
          await expect(opened.snapshot({ version })).rejects.toThrow(VersionNotAvailable)
        }
        const newest = snapshots.length - 1
        if (snapshots[newest]) {
          const time = snapshots[newest].timestampMs
          expect((await opened.snapshot({ timestampMs: time })).version).toBe(newest)
        }
      },
    ),
    { numRuns: 20, endOnFailure: true },
  )
})

test('nothing goes before a checkpoint is old enough, and then all before it', async () => {
  const store = memoryStore()
  const step = { addCount: 1, removeShare: 0, appId: undefined, dataChange: true }
  const { table } = await agedTable(
    store,
    Array.from({ length: 10 }, () => step),
    4,
  )
  const at = (days: number) => cleanLog(table, { nowMs: startMs + days * dayMs, dryRun: true })
  // The checkpoint of version 4 is two days old at day 2; two days of retention and midnight later:
  expect(await at(4.4)).toMatchObject({ oldestKept: undefined, files: [] })
  const report = await at(5)
  expect(report.oldestKept).toBe(4)
  const names = report.files.map(({ path }) => path.replace(/^_delta_log\/0*(?=\d\.)/, ''))
  expect(names).toEqual([0, 1, 2, 3].flatMap((version) => [`${version}.crc`, `${version}.json`]))
  expect((await store.list('_delta_log/')).length).toBeGreaterThan(20)
})

test('a clean-up under the retention of the table is refused unless forced', async () => {
  const table = await createTable(memoryStore(), { name: 't', schema: randomCommitSchema })
  await table.commit({ adds: [{ ...addOf('a'), partitionValues: {} }], operation: 'WRITE' })
  await expect(cleanLog(table, { retentionMs: dayMs })).rejects.toThrow(RetentionTooShort)
  expect(await cleanLog(table, { retentionMs: 0, force: true })).toMatchObject({ files: [] })
})

test('a table that keeps its log is left alone', async () => {
  const store = memoryStore()
  const step = { addCount: 1, removeShare: 0, appId: undefined, dataChange: true }
  const { table } = await agedTable(
    store,
    Array.from({ length: 6 }, () => step),
    2,
  )
  await table.setProperties({ 'delta.enableExpiredLogCleanup': 'false' })
  const nowMs = startMs + 100 * dayMs
  expect(await cleanLog(table, { nowMs })).toMatchObject({ oldestKept: undefined, files: [] })
  expect((await cleanLog(table, { nowMs, force: true })).files.length).toBeGreaterThan(0)
})
