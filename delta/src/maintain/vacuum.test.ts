import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { relationSql } from '../data/relation.ts'
import { writeFiles } from '../data/write-files.ts'
import { RetentionTooShort } from '../errors.ts'
import { systemHost } from '../host.ts'
import { createTable, openTable } from '../open-table.ts'
import { rowsOf, schemaOf, scratchConnection, scratchFolder } from '../scratch.testing.ts'
import { folderStore } from '../store/folder-store.ts'
import { compact } from './compact.ts'
import { vacuum } from './vacuum.ts'

const dayMs = 86_400_000
const startMs = Date.UTC(2026, 10, 1)

test('VACUUM deletes exactly the files past retention that nothing refers to', async () => {
  const connection = await scratchConnection()
  const store = folderStore(await scratchFolder())
  const schema = schemaOf({ id: 'long' })
  const table = await createTable(store, { name: 't', schema, timestampMs: startMs })
  const paths: string[] = []
  const age = async (path: string, ms: number) => {
    await utimes(join(store.location, path), ms / 1000, ms / 1000)
  }
  for (let i = 0; i < 4; i++) {
    const adds = await writeFiles(connection, table, `SELECT ${i}::BIGINT AS id`)
    await table.commit({ adds, operation: 'WRITE', timestampMs: startMs + i })
    for (const { path } of adds) {
      paths.push(path)
      await age(path, startMs)
    }
  }
  const { files } = await table.snapshot()
  const first = files.slice(0, 2)
  await compact(table, {
    connection,
    selects: (file) => first.includes(file),
    timestampMs: startMs + dayMs,
  })
  for (const [path, ms] of [
    ['orphan-old.parquet', startMs],
    ['orphan-new.parquet', startMs + 9 * dayMs],
    ['_hidden.parquet', startMs],
    ['.hidden.parquet', startMs],
  ] as const) {
    await writeFile(join(store.location, path), 'x')
    await age(path, ms)
  }
  const relation = relationSql(table, await table.snapshot())
  const rows = await rowsOf(connection, `SELECT count(*), sum(id) FROM ${relation}`)

  const tooEarly = await vacuum(table, { nowMs: startMs + 7.5 * dayMs })
  expect(tooEarly.files.map(({ path }) => path)).toEqual(['orphan-old.parquet'])
  const nowMs = startMs + 10 * dayMs
  const planned = await vacuum(table, { nowMs, dryRun: true })
  expect(planned.files.map(({ path }) => path).sort()).toEqual(paths.slice(0, 2).sort())
  expect(await vacuum(table, { nowMs })).toEqual({ ...planned, dryRun: false })
  expect((await vacuum(table, { nowMs })).files).toEqual([])
  expect(await rowsOf(connection, `SELECT count(*), sum(id) FROM ${relation}`)).toEqual(rows)
})

test('a retention below a week is refused unless forced', async () => {
  const store = folderStore(await scratchFolder())
  const table = await createTable(store, { name: 't', schema: schemaOf({ id: 'long' }) })
  await expect(vacuum(table, { retentionMs: dayMs })).rejects.toThrow(RetentionTooShort)
  expect(await vacuum(table, { retentionMs: 0, force: true })).toMatchObject({ files: [] })
})

test('a retention longer than the property is kept although a checkpoint forgot the removal', async () => {
  const connection = await scratchConnection()
  const folder = await scratchFolder()
  const store = folderStore(folder)
  const time = { nowMs: startMs }
  const host = { nowMs: () => time.nowMs, uuid: systemHost.uuid }
  const table = await createTable(
    store,
    {
      name: 't',
      schema: schemaOf({ id: 'long' }),
      configuration: { 'delta.checkpointInterval': '3' },
    },
    { host },
  )
  const adds = await writeFiles(connection, table, 'SELECT 1::BIGINT AS id')
  await table.commit({ adds, operation: 'WRITE' })
  const [file] = adds
  await utimes(join(folder, file?.path ?? ''), startMs / 1000, startMs / 1000)
  time.nowMs += dayMs
  await table.commit({ removes: adds, operation: 'DELETE' })
  time.nowMs += 20 * dayMs
  await table.commit({ operation: 'CHECKPOINTED' })
  expect((await (await openTable(store)).snapshot()).tombstones).toEqual([])
  expect((await vacuum(table, { retentionMs: 30 * dayMs })).files).toEqual([])
  expect((await vacuum(table, { dryRun: true })).files).toHaveLength(1)
})

test('a live file named by an absolute path stays, and half-written log files go', async () => {
  const connection = await scratchConnection()
  const folder = await scratchFolder()
  const store = folderStore(folder)
  const table = await createTable(store, { name: 't', schema: schemaOf({ id: 'long' }) })
  const adds = await writeFiles(connection, table, 'SELECT 1::BIGINT AS id')
  const absolute = adds.map((add) => ({ ...add, path: `file://${join(folder, add.path)}` }))
  await table.commit({ adds: absolute, operation: 'WRITE' })
  const half = join(folder, '_delta_log', '.tmp-crashed')
  await writeFile(half, 'x')
  for (const path of [half, join(folder, adds[0]?.path ?? '')]) {
    await utimes(path, startMs / 1000, startMs / 1000)
  }
  const nowMs = Date.UTC(2027, 10, 1)
  const report = await vacuum(table, { nowMs })
  expect(report.files.map(({ path }) => path)).toEqual(['_delta_log/.tmp-crashed'])
})

test('deletion vectors are kept as long as the files they belong to', async () => {
  const folder = await scratchFolder()
  const store = folderStore(folder)
  const table = await createTable(store, { name: 't', schema: schemaOf({ id: 'long' }) })
  // Delta: "Deletion Vectors": this text is the UUID d2c639aa-8816-431a-aaf6-d3fe2512ff61 in Z85.
  const vector = {
    storageType: 'u',
    pathOrInlineDv: 'ab^-aqEH.-t@S}K{vb[*k^',
    offset: 4,
    sizeInBytes: 40,
    cardinality: 6,
  }
  const name = 'ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin'
  const add = {
    path: 'f.parquet',
    partitionValues: {},
    size: 1,
    modificationTime: startMs,
    dataChange: true,
    deletionVector: vector,
  }
  await table.commit({ adds: [add], operation: 'WRITE' })
  await mkdir(join(folder, 'ab'))
  for (const path of [name, 'ab/deletion_vector_unknown.bin', 'f.parquet']) {
    await writeFile(join(folder, path), 'x')
    await utimes(join(folder, path), startMs / 1000, startMs / 1000)
  }
  const nowMs = Date.UTC(2027, 10, 1)
  const report = await vacuum(table, { nowMs })
  expect(report.files.map(({ path }) => path)).toEqual(['ab/deletion_vector_unknown.bin'])
})
