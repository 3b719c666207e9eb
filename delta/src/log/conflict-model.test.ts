import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTable, openTable } from '../open-table.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { AddFile } from './actions.ts'
import type { CommitRequest } from './commit-request.ts'
import { addOf, randomCommitSchema } from './random-commits.testing.ts'

type Kind = 'append' | 'compact' | 'rewriteDay' | 'rewriteAll' | 'property'

/** A write planned on a version `lag` behind the newest one. */
interface Plan {
  readonly kind: Kind
  readonly lag: number
  readonly day: string
  readonly isBlind: boolean
}

const plans = fc.array(
  fc.record({
    kind: fc.constantFrom<Kind>(
      'append',
      'append',
      'append',
      'compact',
      'compact',
      'rewriteDay',
      'rewriteDay',
      'rewriteAll',
      'property',
    ),
    lag: fc.integer({ min: 0, max: 4 }),
    day: fc.constantFrom('mon', 'tue', 'wed'),
    isBlind: fc.boolean(),
  }),
  { minLength: 4, maxLength: 30 },
)

/** A commit as the model remembers it. */
interface Landed {
  readonly adds: readonly AddFile[]
  readonly removes: readonly AddFile[]
  readonly changesData: boolean
  readonly isBlind: boolean
  readonly changesTable: boolean
}

const pathsOf = (files: readonly AddFile[]) => files.map(({ path }) => path)
const dayOf = ({ partitionValues }: AddFile) => partitionValues.day

/** The protocol's table of conflicts, cell by cell. */
function naiveConflict(plan: Plan, removes: readonly AddFile[], later: readonly Landed[]): string {
  const reads = (file: AddFile) =>
    plan.kind === 'rewriteAll' ||
    (plan.kind === 'rewriteDay' && dayOf(file) === plan.day) ||
    (plan.kind === 'append' && !plan.isBlind)
  const changesData = plan.kind !== 'compact'
  for (const winner of later) {
    if (winner.changesTable) return 'MetadataChanged'
    for (const removed of winner.removes) {
      if (pathsOf(removes).includes(removed.path)) return 'ConcurrentDeleteDelete'
      if (changesData && reads(removed)) return 'ConcurrentDeleteRead'
    }
    const mayMatter = winner.changesData && !winner.isBlind && changesData
    if (mayMatter && winner.adds.some(reads)) return 'ConcurrentAppend'
  }
  return 'committed'
}

test('random plans on old versions end as the table of conflicts says, and no file is lost', async () => {
  await fc.assert(
    fc.asyncProperty(plans, async (random) => {
      const store = memoryStore()
      const table = await createTable(store, {
        name: 't',
        schema: randomCommitSchema,
        partitionColumns: ['day'],
        configuration: { 'delta.checkpointInterval': '1000' },
      })
      const landed: Landed[] = []
      const live: (readonly AddFile[])[] = [[]]
      for (const [index, plan] of random.entries()) {
        const readVersion = Math.max(0, landed.length - plan.lag)
        const seen = live[readVersion] ?? []
        const removes =
          plan.kind === 'compact' || plan.kind === 'rewriteDay'
            ? seen.filter((file) => dayOf(file) === plan.day)
            : plan.kind === 'rewriteAll'
              ? seen
              : []
        const adds = plan.kind === 'property' ? [] : [addOf(`f${index}`, plan.day)]
        const expected = naiveConflict(plan, removes, landed.slice(readVersion))
        const isBlind = plan.kind === 'append' && plan.isBlind
        const outcome = await (await openTable(store)).commit({
          ...requestOf(plan, isBlind),
          readVersion,
          adds,
          removes,
          ...(plan.kind === 'property'
            ? { metadata: { ...(await table.snapshot()).metadata, name: `n${index}` } }
            : {}),
        })
        expect(outcome.kind === 'conflict' ? outcome.reason : outcome.kind).toBe(expected)
        if (outcome.kind === 'conflict') {
          const guilty = landed[outcome.version - 1]
          expect(naiveConflict(plan, removes, guilty === undefined ? [] : [guilty])).toBe(expected)
          expect(outcome.message).toContain(`version ${outcome.version} (`)
          continue
        }
        landed.push({
          adds,
          removes,
          changesData: plan.kind !== 'compact',
          isBlind: plan.kind === 'append' && isBlind,
          changesTable: plan.kind === 'property',
        })
        const gone = new Set(pathsOf(removes))
        live.push([...(live.at(-1) ?? []).filter(({ path }) => !gone.has(path)), ...adds])
      }
      const snapshot = await (await openTable(store)).snapshot()
      expect(snapshot.version).toBe(landed.length)
      expect(pathsOf(snapshot.files).toSorted()).toEqual(pathsOf(live.at(-1) ?? []).toSorted())
    }),
    { numRuns: 60, endOnFailure: true },
  )
})

function requestOf(plan: Plan, isBlind: boolean): CommitRequest {
  const operation = plan.kind.toUpperCase()
  switch (plan.kind) {
    case 'append':
      return { operation, blindAppend: isBlind, ...(isBlind ? {} : { readsFile: () => true }) }
    case 'compact':
      return { operation, blindAppend: false, dataChange: false }
    case 'rewriteDay':
      return {
        operation,
        blindAppend: false,
        readsFile: (file) => file.partitionValues.day === plan.day,
      }
    case 'rewriteAll':
      return { operation, blindAppend: false }
    case 'property':
      return { operation, blindAppend: false, readsFile: () => false }
  }
}
