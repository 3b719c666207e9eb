import { unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DataFileMissing, VersionNotAvailable } from '../errors.ts'
import { foreignTable } from '../foreign-table.testing.ts'
import { compact } from '../maintain/compact.ts'
import { createTable } from '../open-table.ts'
import { schemaOf, scratchConnection, scratchFolder } from '../scratch.testing.ts'
import { folderStore } from '../store/folder-store.ts'
import type { DeltaTable } from '../table.ts'
import { append } from '../write/append.ts'
import { deleteWhere } from '../write/delete-where.ts'
import { vectorFile, vectorPayload } from './bitmap-writer.testing.ts'
import type { ChangeRowsOptions } from './change-rows.ts'
import { changeRows } from './change-rows.ts'
import type { RowBatch } from './row-batch.ts'
import { rows } from './rows.ts'

/** The rows of batches as lists of values. */
async function listed(batches: AsyncIterable<RowBatch>): Promise<unknown[][]> {
  const found: unknown[][] = []
  for await (const { columns, rowCount } of batches) {
    for (let i = 0; i < rowCount; i++) {
      found.push(
        Object.values(columns).map(({ values, valid }) => (valid[i] === 1 ? values[i] : null)),
      )
    }
  }
  return found
}

const changesOf = (table: DeltaTable, options: ChangeRowsOptions) =>
  listed(changeRows(table, options))

const newTable = async () =>
  await createTable(folderStore(await scratchFolder()), {
    name: 't',
    schema: schemaOf({ id: 'long', day: 'string' }),
    partitionColumns: ['day'],
  })

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('append'), value: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete'), value: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('compact'), value: fc.constant(0) }) },
)

test('inserted less deleted rows of any range are the difference of its ends', async () => {
  const connection = await scratchConnection()
  const shares = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean())
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 6 }), shares, async (steps, [share, toEnd]) => {
      const table = await newTable()
      for (const { kind, value } of steps) {
        if (kind === 'append') {
          const ids = [value, value + 1, value + 2]
          const columns = { id: ids.map(BigInt), day: ids.map((id) => `d${id % 2}`) }
          await append(table, { columns })
        } else if (kind === 'delete') {
          await deleteWhere(table, { column: 'id', is: '>', value }, { connection })
        } else await compact(table, { connection })
      }
      const { version } = await table.snapshot()
      const afterVersion = Math.floor(share * version)
      const counts = new Map<string, number>()
      const count = (row: readonly unknown[], by: number) => {
        const key = row.map(String).join('|')
        const total = (counts.get(key) ?? 0) + by
        if (total === 0) counts.delete(key)
        else counts.set(key, total)
      }
      const snapshot = await table.snapshot({ version: afterVersion })
      for (const row of await listed(rows(table, { snapshot, connection }))) count(row, 1)
      const options = { afterVersion, connection, ...(toEnd ? {} : { toVersion: version }) }
      for (const [id, day, type] of await changesOf(table, options)) {
        count([id, day], type === 'insert' ? 1 : -1)
      }
      for (const row of await listed(rows(table, { connection }))) count(row, -1)
      expect(Object.fromEntries(counts)).toEqual({})
    }),
    { numRuns: 12, endOnFailure: true },
  )
})

test('changes carry version and time; compaction has none; a range may be empty', async () => {
  const connection = await scratchConnection()
  const table = await newTable()
  const timestampMs = Date.UTC(2100, 0, 1)
  await append(table, { columns: { id: [1n], day: ['a'] } }, { timestampMs })
  await append(table, { columns: { id: [2n], day: ['a'] } }, { timestampMs: timestampMs + 5 })
  expect(await compact(table, { connection })).toMatchObject({ kind: 'compacted', version: 3 })
  const micros = BigInt(timestampMs) * 1000n
  expect(await changesOf(table, { afterVersion: -1 })).toEqual([
    [1n, 'a', 'insert', 1n, micros],
    [2n, 'a', 'insert', 2n, micros + 5000n],
  ])
  expect(await changesOf(table, { afterVersion: 2 })).toEqual([])
  expect(await changesOf(table, { afterVersion: 3 })).toEqual([])
  const one = { afterVersion: 1, toVersion: 2, columns: ['day'] }
  expect(await changesOf(table, one)).toEqual([['a', 'insert', 2n, micros + 5000n]])
  for (const afterVersion of [-2, 4, Number.NaN]) {
    await expect(changesOf(table, { afterVersion })).rejects.toThrow(VersionNotAvailable)
  }
})

test('a removed file that VACUUM has taken is named', async () => {
  const table = await newTable()
  await append(table, { columns: { id: [1n], day: ['a'] } })
  const [file] = (await table.snapshot()).files
  await deleteWhere(table, { column: 'day', is: '=', value: 'a' })
  unlinkSync(join(table.store.location, decodeURIComponent(file?.path ?? '')))
  await expect(changesOf(table, { afterVersion: 1 })).rejects.toThrow(DataFileMissing)
})

describe('what other engines write', () => {
  test('change files are the changes, whatever else the commit holds', async () => {
    const connection = await scratchConnection()
    const schema = schemaOf({ id: 'long', p: 'string' })
    const foreign = await foreignTable(connection, { schema, partitionColumns: ['p'] })
    const partitionValues = { p: 'x' }
    const file = await foreign.write('a.parquet', 'SELECT 1::BIGINT AS id')
    foreign.commit([{ add: { ...file, partitionValues } }])
    const next = await foreign.write('b.parquet', 'SELECT 2::BIGINT AS id')
    const changed = await foreign.write(
      '_change_data/c.parquet',
      `SELECT 1::BIGINT AS id, 'update_preimage' AS _change_type
       UNION ALL SELECT 2, 'update_postimage'`,
    )
    foreign.commit([
      { remove: { path: file.path, dataChange: true } },
      { add: { ...next, partitionValues } },
      { cdc: { path: changed.path, size: changed.size, partitionValues, dataChange: false } },
    ])
    const table = await foreign.open()
    const found = await changesOf(table, { afterVersion: 0 })
    expect(found.map((row) => row.slice(0, 4))).toEqual([
      [1n, 'x', 'update_preimage', 1n],
      [2n, 'x', 'update_postimage', 1n],
    ])
  })

  test('another deletion vector shows the rows that went and those that came back', async () => {
    const connection = await scratchConnection()
    const shape = { schema: schemaOf({ id: 'long' }), readerFeatures: ['deletionVectors'] }
    const foreign = await foreignTable(connection, shape)
    const payloads = [vectorPayload([2, 5], 'runs'), vectorPayload([5, 7, 8], 'runs')]
    const { bytes, offsets } = vectorFile(payloads)
    const vectorPath = join(foreign.root, 'vectors.bin')
    writeFileSync(vectorPath, bytes)
    const vectors = payloads.map((payload, i) => ({
      storageType: 'p',
      pathOrInlineDv: vectorPath,
      offset: offsets[i],
      sizeInBytes: payload.length,
      cardinality: i + 2,
    }))
    const file = await foreign.write('a.parquet', 'SELECT i AS id FROM range(10) t(i)')
    const { path } = file
    foreign.commit([{ add: file }])
    foreign.commit([
      { remove: { path, dataChange: true } },
      { add: { ...file, deletionVector: vectors[0] } },
    ])
    foreign.commit([
      { remove: { path, dataChange: true, deletionVector: vectors[0] } },
      { add: { ...file, deletionVector: vectors[1] } },
    ])
    foreign.commit([{ remove: { path, dataChange: true, deletionVector: vectors[1] } }])
    const table = await foreign.open()
    const found = (await changesOf(table, { afterVersion: 0 })).map((row) => row.slice(0, 3))
    expect(found).toEqual([
      [2n, 'delete', 1n],
      [5n, 'delete', 1n],
      [7n, 'delete', 2n],
      [8n, 'delete', 2n],
      [2n, 'insert', 2n],
      ...[0n, 1n, 2n, 3n, 4n, 6n, 9n].map((id) => [id, 'delete', 3n]),
    ])
  })

  test('a removal without partition values takes them from the version before', async () => {
    const connection = await scratchConnection()
    const schema = schemaOf({ id: 'long', p: 'integer' })
    const foreign = await foreignTable(connection, { schema, partitionColumns: ['p'] })
    const file = await foreign.write('a.parquet', 'SELECT 1::BIGINT AS id')
    foreign.commit([{ add: { ...file, partitionValues: { p: '7' } } }])
    foreign.commit([{ remove: { path: file.path, dataChange: true } }])
    const table = await foreign.open()
    const [row] = await changesOf(table, { afterVersion: 0 })
    expect(row?.slice(0, 3)).toEqual([1n, 7, 'delete'])
  })
})
