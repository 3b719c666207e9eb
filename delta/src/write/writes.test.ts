import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { relationSql } from '../data/relation.ts'
import { createTable, openTable } from '../open-table.ts'
import { schemaOf, scratchConnection, scratchFolder } from '../scratch.testing.ts'
import { folderStore } from '../store/folder-store.ts'
import type { DeltaTable } from '../table.ts'
import { append } from './append.ts'
import { deleteWhere } from './delete-where.ts'
import { overwrite, replaceWhere } from './overwrite.ts'
import type { ModelRow } from './predicate.testing.ts'
import { naiveTruth, randomPredicate, randomRow } from './predicate.testing.ts'
import type { Predicate } from './predicate.ts'
import { upsert } from './upsert.ts'

const schema = schemaOf({ id: 'long', name: 'string', price: 'double', day: 'date' })

async function newTable(partitionColumns: readonly string[] = ['day'], folder?: string) {
  const store = folderStore(folder ?? (await scratchFolder()))
  return await createTable(store, { name: 't', schema, partitionColumns })
}

/** The table's rows in a comparable form. */
async function rowsIn(connection: DuckDBConnection, table: DeltaTable): Promise<readonly string[]> {
  const relation = relationSql(table, await table.snapshot())
  const result = await connection.runAndReadAll(
    `SELECT id, name, price::VARCHAR AS price, day::VARCHAR AS day FROM ${relation}`,
  )
  return result
    .getRowObjectsJson()
    .map(({ id, name, price, day }) => JSON.stringify([Number(id), name, price, day]))
    .toSorted()
}

function comparable(rows: readonly ModelRow[]): readonly string[] {
  const text = (price: number | null) =>
    price === null
      ? null
      : Number.isNaN(price)
        ? 'nan'
        : price === Number.POSITIVE_INFINITY
          ? 'inf'
          : Number.isInteger(price)
            ? price.toFixed(1)
            : String(price)
  return rows
    .map(({ id, name, price, day }) => JSON.stringify([id, name, text(price), day]))
    .toSorted()
}

const isMet = (predicate: Predicate) => (row: ModelRow) => naiveTruth(predicate, row) === true

type Step =
  | { readonly kind: 'append' | 'overwrite' | 'upsert'; readonly rows: readonly ModelRow[] }
  | { readonly kind: 'delete'; readonly predicate: Predicate }
  | { readonly kind: 'replace'; readonly predicate: Predicate; readonly rows: readonly ModelRow[] }

const rows = fc.array(randomRow, { maxLength: 6 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('append' as const), rows }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('upsert' as const), rows }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('delete' as const), predicate: randomPredicate }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('replace' as const),
      predicate: randomPredicate,
      rows,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('overwrite' as const), rows }) },
)

/** One row per id: the last. */
const oncePerId = (given: readonly ModelRow[]) => [
  ...new Map(given.map((row) => [row.id, row])).values(),
]

function modelAfter(model: readonly ModelRow[], step: Step): readonly ModelRow[] {
  switch (step.kind) {
    case 'append':
      return [...model, ...step.rows]
    case 'overwrite':
      return step.rows
    case 'delete':
      return model.filter((row) => !isMet(step.predicate)(row))
    case 'replace':
      return [
        ...model.filter((row) => !isMet(step.predicate)(row)),
        ...step.rows.filter(isMet(step.predicate)),
      ]
    case 'upsert': {
      const given = new Map(oncePerId(step.rows).map((row) => [row.id, row]))
      const ids = new Set(model.map(({ id }) => id))
      return [
        ...model.map((row) => given.get(row.id) ?? row),
        ...[...given.values()].filter(({ id }) => !ids.has(id)),
      ]
    }
  }
}

async function applied(table: DeltaTable, step: Step) {
  switch (step.kind) {
    case 'append':
      return await append(table, { rows: step.rows.map(asCells) })
    case 'overwrite':
      return await overwrite(table, { rows: step.rows.map(asCells) })
    case 'delete':
      return await deleteWhere(table, step.predicate)
    case 'replace': {
      const met = step.rows.filter(isMet(step.predicate)).map(asCells)
      return await replaceWhere(table, step.predicate, { rows: met })
    }
    case 'upsert':
      return await upsert(table, { rows: oncePerId(step.rows).map(asCells) }, { keys: ['id'] })
  }
}

const asCells = (row: ModelRow): Readonly<Record<string, unknown>> => ({ ...row })

test('any sequence of writes leaves the rows that a naive model has', async () => {
  const connection = await scratchConnection()
  const folder = await scratchFolder()
  let run = 0
  const partitions: fc.Arbitrary<readonly string[]> = fc.constantFrom([], ['day'])
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 7 }),
      partitions,
      async (steps, partitionColumns) => {
        const table = await newTable(partitionColumns, join(folder, String(run++)))
        let model: readonly ModelRow[] = []
        for (const [index, next] of steps.entries()) {
          const outcome = await applied(table, next)
          expect(['committed', 'unchanged']).toContain(outcome.kind)
          model = modelAfter(model, next)
          expect(await rowsIn(connection, table), `after step ${index}`).toEqual(comparable(model))
        }
        const again = await openTable(table.store)
        expect(await rowsIn(connection, again)).toEqual(comparable(model))
      },
    ),
    { numRuns: 40, endOnFailure: true },
  )
})

describe('writes that may be repeated', () => {
  test('a transaction makes every write happen once', async () => {
    const connection = await scratchConnection()
    const table = await newTable()
    const transaction = { appId: 'importer', version: 1 }
    const rows = [{ id: 1, day: '2026-01-01' }]
    expect(await append(table, { rows }, { transaction })).toMatchObject({ kind: 'committed' })
    expect(await append(table, { rows }, { transaction })).toEqual({ kind: 'repeated', version: 1 })
    const predicate = { column: 'id', is: '=', value: 1 } as const
    expect(await deleteWhere(table, predicate, { transaction })).toMatchObject({ kind: 'repeated' })
    expect(await rowsIn(connection, table)).toHaveLength(1)
  })

  test('a write without rows still notes its transaction', async () => {
    const table = await newTable()
    const transaction = { appId: 'importer', version: 7 }
    expect(await append(table, { rows: [] })).toEqual({ kind: 'unchanged', version: 0 })
    expect(await append(table, { rows: [] }, { transaction })).toMatchObject({ version: 1 })
    expect((await table.snapshot()).transactions.get('importer')).toBe(7)
  })
})
