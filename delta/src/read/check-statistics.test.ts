import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { randomRows } from '../data/random-rows.testing.ts'
import { writeFiles } from '../data/write-files.ts'
import { foreignTable, mappedField, structOf } from '../foreign-table.testing.ts'
import { createTable } from '../open-table.ts'
import { schemaOf, scratchConnection, scratchFolder } from '../scratch.testing.ts'
import { folderStore } from '../store/folder-store.ts'
import { checkStatistics } from './check-statistics.ts'

test('statistics of our own writer hold for any rows', async () => {
  const connection = await scratchConnection()
  const folder = await scratchFolder()
  let run = 0
  await fc.assert(
    fc.asyncProperty(randomRows, async ({ schema, partitionColumns, query }) => {
      const store = folderStore(join(folder, String(run++)))
      const table = await createTable(store, { name: 'r', schema, partitionColumns })
      await table.commit({ adds: await writeFiles(connection, table, query), operation: 'WRITE' })
      expect(await checkStatistics(table, { connection })).toEqual([])
    }),
    { numRuns: 25, endOnFailure: true },
  )
})

describe('a lie', () => {
  const honest = {
    numRecords: 3,
    minValues: { id: 1, name: 'a', seen: '2026-01-01T00:00:00.000Z', part: 0.5 },
    maxValues: { id: 3, name: 'c', seen: '2026-01-01T00:00:00.000Z', part: 0.5 },
    nullCount: { id: 0, name: 0, seen: 2, part: 1 },
  }
  const query = `SELECT * FROM (VALUES (1::BIGINT, 'a', TIMESTAMPTZ '2026-01-01 00:00:00.000999+00',
    'NaN'::DOUBLE), (2, 'c', NULL, NULL), (3, 'b', NULL, 0.5)) AS v(id, name, seen, part)`
  const schema = schemaOf({ id: 'long', name: 'string', seen: 'timestamp', part: 'double' })

  async function faultsOf(stats: unknown) {
    const connection = await scratchConnection()
    const foreign = await foreignTable(connection, { schema })
    const file = await foreign.write('a.parquet', query)
    foreign.commit([{ add: { ...file, stats: JSON.stringify(stats) } }])
    const faults = await checkStatistics(await foreign.open())
    return faults.map(({ path, ...fault }) => fault)
  }

  test('is none where statistics are cut to milliseconds and leave NaN out', async () => {
    expect(await faultsOf(honest)).toEqual([])
  })

  test.each([
    [
      { ...honest, numRecords: 4 },
      { what: 'row count', expected: '4', found: '3' },
    ],
    [
      { ...honest, minValues: { id: 2 } },
      { column: 'id', what: 'minimum', expected: '2', found: '1' },
    ],
    [
      { ...honest, maxValues: { name: 'bz' } },
      { column: 'name', what: 'maximum', expected: 'bz', found: 'c' },
    ],
    [
      { ...honest, nullCount: { seen: 3 } },
      { column: 'seen', what: 'null count', expected: '3', found: '2' },
    ],
    [
      { ...honest, tightBounds: false, nullCount: { seen: 1, part: 0 } },
      { column: 'part', what: 'null count', expected: '0', found: '1' },
    ],
  ])('in %j is found', async (stats, fault) => {
    expect(await faultsOf(stats)).toEqual([fault])
  })

  test('is looked for under the physical names of mapped columns', async () => {
    const connection = await scratchConnection()
    const foreign = await foreignTable(connection, {
      schema: structOf(mappedField('a', 'long', 1, 'b'), mappedField('b', 'long', 2, 'a')),
      configuration: { 'delta.columnMapping.mode': 'name' },
      readerFeatures: ['columnMapping'],
    })
    const file = await foreign.write('x.parquet', 'SELECT 1::BIGINT AS b, 900::BIGINT AS a')
    const bounds = { a: 900, b: 2 }
    const stats = JSON.stringify({ numRecords: 1, minValues: bounds, maxValues: bounds })
    foreign.commit([{ add: { ...file, stats } }])
    expect(await checkStatistics(await foreign.open())).toEqual([
      { path: 'x.parquet', column: 'a', what: 'minimum', expected: '2', found: '1' },
    ])
  })
})
