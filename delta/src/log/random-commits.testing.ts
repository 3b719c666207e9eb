import fc from 'fast-check'
import type { Host } from '../host.ts'
import { schemaOf } from '../scratch.testing.ts'
import type { AddFile } from './actions.ts'
import type { CommitRequest } from './commit-request.ts'
import type { Snapshot } from './replay.ts'

/** A host whose clock stands still and whose names are counted. */
export function countingHost(nowMs = 1_763_683_200_000): Host {
  let count = 0
  return {
    nowMs: () => nowMs,
    uuid: () => `00000000-0000-0000-0000-${String(count++).padStart(12, '0')}`,
  }
}

/** Schema of the tables these commits are for. */
export const randomCommitSchema = schemaOf({ id: 'long', day: 'string' })

/** An add action for a file that does not exist. */
export function addOf(path: string, day: string | null = '2026-11-20'): AddFile {
  return {
    path,
    partitionValues: { day },
    size: 100,
    modificationTime: 1_763_683_200_000,
    dataChange: true,
    stats: `{"numRecords":1,"minValues":{"id":1},"maxValues":{"id":1},"nullCount":{"id":0}}`,
  }
}

/** One step of a table's life: how many files to add, which share to remove, which progress to note. */
export interface RandomStep {
  readonly addCount: number
  readonly removeShare: number
  readonly appId: string | undefined
  readonly dataChange: boolean
}

/** A stream of steps. */
export const randomSteps: fc.Arbitrary<readonly RandomStep[]> = fc.array(
  fc.record({
    addCount: fc.integer({ min: 0, max: 4 }),
    removeShare: fc.constantFrom(0, 0, 0.3, 1),
    appId: fc.constantFrom(undefined, 'a', 'b'),
    dataChange: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
)

/** The commit of a step on a snapshot; `index` makes names unique. */
export function requestOf(step: RandomStep, index: number, snapshot: Snapshot): CommitRequest {
  const names = ['plain', 'with space%20x', 'é%C3%A9']
  const adds = Array.from({ length: step.addCount }, (_, i) =>
    addOf(`${names[i % names.length]}-${index}-${i}.parquet`, i === 3 ? null : `day-${i}`),
  )
  const removes = snapshot.files.slice(0, Math.ceil(snapshot.files.length * step.removeShare))
  return {
    readVersion: snapshot.version,
    adds,
    removes,
    transactions: step.appId === undefined ? [] : [{ appId: step.appId, version: index }],
    operation: 'WRITE',
    dataChange: step.dataChange,
  }
}
