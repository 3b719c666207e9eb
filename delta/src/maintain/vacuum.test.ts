import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { relationSql } from '../data/relation.ts'
import { writeFiles } from '../data/write-files.ts'
import { RetentionTooShort } from '../errors.ts'
import { createTable } from '../open-table.ts'
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
  await compact(connection, table, {
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
