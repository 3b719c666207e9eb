import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { relationSql } from './data/relation.ts'
import { vacuum } from './maintain/vacuum.ts'
import { createTable, openTable } from './open-table.ts'
import { rowsOf, schemaOf, scratchConnection, scratchFolder } from './scratch.testing.ts'
import { folderStore } from './store/folder-store.ts'
import type { DeltaTable } from './table.ts'

const writerScript = fileURLToPath(new URL('./append-writer.testing.ts', import.meta.url))

function startWriter(folder: string, writer: number, commitCount: number, stopAt = '') {
  const args = [writerScript, folder, String(writer), String(commitCount), stopAt]
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function newTable(): Promise<DeltaTable> {
  const store = folderStore(await scratchFolder())
  const schema = schemaOf({ writer: 'long', number: 'long' })
  return await createTable(store, { name: 't', schema })
}

async function expectEveryRowOnce(table: DeltaTable, writerCount: number, rowCount: number) {
  const connection = await scratchConnection()
  const relation = relationSql(table, await table.snapshot())
  const sql = `SELECT writer, count(*), count(DISTINCT number), min(number), max(number)
    FROM ${relation} GROUP BY writer ORDER BY writer`
  const row = (writer: number) => [
    String(writer),
    ...[rowCount, rowCount, 0, rowCount - 1].map(String),
  ]
  const expected = Array.from({ length: writerCount }, (_, writer) => row(writer))
  expect(await rowsOf(connection, sql)).toEqual(expected)
}

test('two processes append to one table without a gap, a loss or a double', async () => {
  const table = await newTable()
  const writers = [0, 1].map((writer) => startWriter(table.store.location, writer, 60))
  const exits = await Promise.all(writers.map((writer) => once(writer, 'exit')))
  expect(exits.map(([code]) => code)).toEqual([0, 0])
  const opened = await openTable(table.store)
  expect((await opened.snapshot()).version).toBe(120)
  await expectEveryRowOnce(opened, 2, 60)
})

test('a writer killed between data files and commit leaves orphans that VACUUM takes', async () => {
  const table = await newTable()
  const writer = startWriter(table.store.location, 0, 3, 'before-commit')
  await once(writer.stdout, 'data')
  writer.kill('SIGKILL')
  await once(writer, 'exit')
  const opened = await openTable(table.store)
  expect(await opened.snapshot()).toMatchObject({ version: 0, files: [] })
  const [code] = await once(startWriter(table.store.location, 0, 3), 'exit')
  expect(code).toBe(0)
  await expectEveryRowOnce(opened, 1, 3)
  const nowMs = Date.now() + 60_000
  expect((await vacuum(opened, { retentionMs: 0, force: true, nowMs })).files).toHaveLength(1)
  await expectEveryRowOnce(opened, 1, 3)
})

test('a writer killed at any moment and started again loses and doubles nothing', async () => {
  const table = await newTable()
  const commitCount = 40
  for (let kill = 0; kill < 5; kill++) {
    const writer = startWriter(table.store.location, 0, commitCount)
    await once(writer.stdout, 'data')
    await pause(kill * 17)
    writer.kill('SIGKILL')
    if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit')
    await (await openTable(table.store)).snapshot()
  }
  const [code] = await once(startWriter(table.store.location, 0, commitCount), 'exit')
  expect(code).toBe(0)
  const opened = await openTable(table.store)
  expect((await opened.snapshot()).version).toBe(commitCount)
  await expectEveryRowOnce(opened, 1, commitCount)
})
