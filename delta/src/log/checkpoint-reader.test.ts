import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { describe, expect, test } from 'vitest'
import { sqlText } from '../data/sql-text.ts'
import { CheckpointUnreadable } from '../errors.ts'
import { createTable, openTable } from '../open-table.ts'
import { scratchConnection, scratchFolder } from '../scratch.testing.ts'
import { folderStore } from '../store/folder-store.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { checkpointPath, commitPath, versionDigits } from './log-names.ts'
import { addOf, countingHost, randomCommitSchema } from './random-commits.testing.ts'

const uuid = '6374b053-df23-479b-b2cf-c9c550132b49'
const v2Path = (extension: string) =>
  `_delta_log/${versionDigits(4)}.checkpoint.${uuid}.${extension}`

/** A table whose version 4 is the newest; its checkpoints are written by the test. */
async function tableOfFourCommits() {
  const store = folderStore(await scratchFolder())
  const table = await createTable(
    store,
    { name: 't', schema: randomCommitSchema, partitionColumns: ['day'] },
    { host: countingHost() },
  )
  for (const name of ['a', 'b', 'c']) {
    const transactions = [{ appId: name, version: 7 }]
    await table.commit({ adds: [addOf(`${name}.parquet`)], transactions, operation: 'WRITE' })
  }
  const { files } = await table.snapshot()
  await table.commit({ removes: files.slice(0, 1), operation: 'DELETE' })
  const connection = await scratchConnection()
  const { metadata, protocol } = await table.snapshot()
  const head = [
    JSON.stringify({ protocol: { ...protocol } }),
    JSON.stringify({ metaData: { ...metadata, format: { provider: 'parquet', options: {} } } }),
    JSON.stringify({ txn: { appId: 'b', version: 7 } }),
  ]
  return { store, connection, head }
}

/** Takes the commits up to version 3 away, so that only a checkpoint can help. */
async function forgetCommits(store: ObjectStore, last = 4) {
  for (let version = 0; version <= last; version++) await store.remove(commitPath(version))
}

async function writeQuery(
  connection: DuckDBConnection,
  store: ObjectStore,
  path: string,
  query: string,
) {
  const file = join(store.location, path)
  await mkdir(dirname(file), { recursive: true })
  await connection.run(`COPY (${query}) TO ${sqlText(file)} (FORMAT parquet)`)
}

/** Rows of a checkpoint from lines of JSON, the columns left to the engine to find out. */
const rowsOfLines = async (lines: readonly string[]) => {
  const file = join(await scratchFolder(), 'lines.ndjson')
  await writeFile(file, lines.join('\n'))
  return `read_ndjson(${sqlText(file)}, maximum_depth=3)`
}

const lineOf = (name: string) =>
  JSON.stringify({
    add: {
      path: `${name}.parquet`,
      partitionValues: { day: '2026-11-20' },
      size: 100,
      modificationTime: 5,
      dataChange: false,
      stats: '{"numRecords":1}',
    },
  })

const adds = (names: readonly string[], extra = '') =>
  `SELECT {path: name || '.parquet', partitionValues: MAP {'day': '2026-11-20'}, size: 100::BIGINT,
    modificationTime: 5::BIGINT, dataChange: false${extra}} AS "add"
   FROM (VALUES ${names.map((name) => `('${name}')`).join(', ')}) AS v(name)`

async function filesOf(store: ObjectStore) {
  const snapshot = await (await openTable(store)).snapshot()
  return {
    version: snapshot.version,
    paths: snapshot.files.map(({ path }) => path).toSorted(),
    apps: [...snapshot.transactions.keys()].toSorted(),
    stats: snapshot.files.map(({ stats }) => stats),
    partitions: snapshot.files.map(({ partitionValues }) => partitionValues),
  }
}

describe('a V2 checkpoint', () => {
  test.each(['json', 'parquet'])('with a %s manifest gives its sidecars', async (extension) => {
    const { store, connection, head } = await tableOfFourCommits()
    const sidecars = ['part one.parquet', `${versionDigits(4)}.parquet`]
    await writeQuery(connection, store, `_delta_log/_sidecars/${sidecars[0]}`, adds(['b']))
    await writeQuery(connection, store, `_delta_log/_sidecars/${sidecars[1]}`, adds(['c', 'd']))
    const lines = [
      JSON.stringify({ checkpointMetadata: { version: 4 } }),
      ...head,
      JSON.stringify({
        sidecar: { path: 'part%20one.parquet', sizeInBytes: 1, modificationTime: 1 },
      }),
      JSON.stringify({
        sidecar: {
          path: `file:///x/_sidecars/${sidecars[1]}`,
          sizeInBytes: 1,
          modificationTime: 1,
        },
      }),
    ]
    if (extension === 'json')
      await store.putIfAbsent(v2Path(extension), Buffer.from(lines.join('\n')))
    else
      await writeQuery(
        connection,
        store,
        v2Path(extension),
        `SELECT * FROM ${await rowsOfLines(lines)}`,
      )
    await forgetCommits(store)
    expect(await filesOf(store)).toMatchObject({
      version: 4,
      paths: ['b.parquet', 'c.parquet', 'd.parquet'],
      apps: ['b'],
    })
  })

  test('without sidecars holds the files itself; a classic name does not matter', async () => {
    const { store, connection, head } = await tableOfFourCommits()
    const lines = [...head, lineOf('b'), lineOf('z')]
    await store.putIfAbsent(v2Path('json'), Buffer.from(lines.join('\r\n')))
    await forgetCommits(store)
    expect((await filesOf(store)).paths).toEqual(['b.parquet', 'z.parquet'])
    await store.remove(v2Path('json'))
    await writeQuery(
      connection,
      store,
      checkpointPath(4),
      `SELECT * FROM ${await rowsOfLines(lines)}`,
    )
    expect((await filesOf(store)).paths).toEqual(['b.parquet', 'z.parquet'])
  })

  test('whose sidecar is gone is passed over while the commits are there', async () => {
    const { store, head } = await tableOfFourCommits()
    const lines = [...head, JSON.stringify({ sidecar: { path: 'gone.parquet' } })]
    await store.putIfAbsent(v2Path('json'), Buffer.from(lines.join('\n')))
    expect((await filesOf(store)).paths).toEqual(['b.parquet', 'c.parquet'])
    await forgetCommits(store)
    await expect(openTable(store)).rejects.toThrow(CheckpointUnreadable)
  })

  test('is read from a store without a folder too', async () => {
    const { store, connection, head } = await tableOfFourCommits()
    await writeQuery(connection, store, '_delta_log/_sidecars/s.parquet', adds(['b', 'c']))
    const memory = memoryStore()
    const lines = [...head, JSON.stringify({ sidecar: { path: 's.parquet' } })]
    await memory.putIfAbsent(v2Path('json'), Buffer.from(lines.join('\n')))
    const sidecar = await store.read('_delta_log/_sidecars/s.parquet')
    await memory.putIfAbsent('_delta_log/_sidecars/s.parquet', sidecar)
    expect((await filesOf(memory)).paths).toEqual(['b.parquet', 'c.parquet'])
  })
})

describe('a multi-part checkpoint', () => {
  const partPath = (part: number, count: number) => {
    const digits = (value: number) => String(value).padStart(10, '0')
    return `_delta_log/${versionDigits(4)}.checkpoint.${digits(part)}.${digits(count)}.parquet`
  }

  test('is the sum of its parts, and nothing while one is missing', async () => {
    const { store, connection, head } = await tableOfFourCommits()
    const first = await rowsOfLines([...head, lineOf('b')])
    await writeQuery(connection, store, partPath(1, 3), `SELECT * FROM ${first}`)
    await writeQuery(connection, store, partPath(2, 3), adds(['c']))
    await writeQuery(connection, store, partPath(9, 3), adds(['never']))
    expect((await filesOf(store)).paths).toEqual(['b.parquet', 'c.parquet'])
    await writeQuery(connection, store, partPath(3, 3), adds(['d']))
    await forgetCommits(store)
    expect((await filesOf(store)).paths).toEqual(['b.parquet', 'c.parquet', 'd.parquet'])
    await rm(join(store.location, partPath(2, 3)))
    await expect(openTable(store)).rejects.toThrow(/commits before it are gone/)
  })
})

describe('columns of a checkpoint', () => {
  test('may be missing, further, or in another order', async () => {
    const { store, connection, head } = await tableOfFourCommits()
    const source = await rowsOfLines(head)
    const query = `SELECT NULL AS unheard_of, metaData, NULL AS "add", protocol, txn FROM ${source}
      UNION ALL BY NAME SELECT {zz: 1, size: 5::BIGINT, path: 'b.parquet'} AS "add"`
    await writeQuery(connection, store, checkpointPath(4), query)
    await forgetCommits(store)
    expect(await filesOf(store)).toEqual({
      version: 4,
      paths: ['b.parquet'],
      apps: ['b'],
      stats: [undefined],
      partitions: [{}],
    })
  })

  test('give statistics and partition values in their struct form where there is no other', async () => {
    const { store, connection, head } = await tableOfFourCommits()
    const parsed = `stats_parsed: {numRecords: 3::BIGINT,
        minValues: {id: 9007199254740993::BIGINT, seen: TIMESTAMPTZ '2026-01-02 03:04:05+00'},
        maxValues: {id: 9007199254740995::BIGINT, seen: NULL::TIMESTAMPTZ}, nullCount: {id: 0::BIGINT}},
      partitionValues_parsed: {day: DATE '2026-11-20'}`
    const query = `SELECT * FROM ${await rowsOfLines(head)} UNION ALL BY NAME
      SELECT {path: 'p', size: 1::BIGINT, stats: NULL::VARCHAR, ${parsed}} AS "add"
      UNION ALL BY NAME
      SELECT {path: 'q', size: 1::BIGINT, stats: '{"numRecords":4}', ${parsed}} AS "add"`
    await writeQuery(connection, store, checkpointPath(4), query)
    await forgetCommits(store)
    const { stats, partitions } = await filesOf(store)
    expect(partitions).toEqual([{ day: '2026-11-20' }, { day: '2026-11-20' }])
    expect(stats[1]).toBe('{"numRecords":4}')
    expect(stats[0]).toContain('"id":9007199254740993')
  })
})
