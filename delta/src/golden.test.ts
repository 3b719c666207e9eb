import { existsSync, globSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { relationSql } from './data/relation.ts'
import { goldenRows } from './golden-rows.testing.ts'
import { openTable } from './open-table.ts'
import { rows } from './read/rows.ts'
import { rowsOf, scratchConnection } from './scratch.testing.ts'
import { folderStore } from './store/folder-store.ts'

// Tables written by Spark, from the test corpus of delta-io/delta. They live beside the checkout.
const repository = fileURLToPath(new URL('../..', import.meta.url))
const corpus = join(repository, '..', 'shared', 'data', 'delta-golden')
const isPresent = existsSync(corpus)
if (!isPresent) process.stdout.write(`skipped: no golden tables in ${corpus}\n`)

const open = (name: string) => openTable(folderStore(join(corpus, name)))

/** Tables without rows to read: their log only, or none written; version and live files. */
const listed: readonly (readonly [string, number, readonly string[]])[] = [
  ['canonicalized-paths-normal-b', 1, []],
  ['canonicalized-paths-special-a', 1, []],
  ['canonicalized-paths-special-b', 1, []],
  ['collations-table', 0, []],
  ['corrupted-last-checkpoint', 10, Array.from({ length: 11 }, (_, i) => String(i))],
  ['delete-re-add-same-file-different-transactions', 3, ['foo', 'bar']],
  ['deltalog-commit-info', 0, ['abc']],
  ['deltalog-getChanges', 2, []],
  ['log-replay-special-characters-b', 0, ['special%20p@%23h']],
  ['update-deleted-directory', 0, Array.from({ length: 10 }, (_, i) => String(i + 1))],
]

/** Those of them whose log has no schema, or names files that are not there. */
const unscannable: readonly (readonly [string, string])[] = [
  ['canonicalized-paths-special-b', 'INVALID_SCHEMA'],
  ['corrupted-last-checkpoint', 'INVALID_SCHEMA'],
  ['delete-re-add-same-file-different-transactions', 'DATA_FILE_MISSING'],
  ['deltalog-commit-info', 'INVALID_SCHEMA'],
  ['log-replay-special-characters-b', 'DATA_FILE_MISSING'],
  ['update-deleted-directory', 'INVALID_SCHEMA'],
]

const refused: readonly (readonly [string, string, RegExp])[] = [
  ['deltalog-state-reconstruction-without-protocol', 'LOG_CORRUPT', /no protocol action/],
  ['deltalog-state-reconstruction-without-metadata', 'LOG_CORRUPT', /no metaData action/],
  ['deltalog-state-reconstruction-from-checkpoint-missing-protocol', 'LOG_CORRUPT', /no protocol/],
  ['log-store-read', 'TABLE_NOT_FOUND', /no Delta table here/],
  ['log-store-listFrom', 'TABLE_NOT_FOUND', /no Delta table here/],
]

/** Rows of older versions; Spark's rows of a version are those of the table as it was then. */
const older: readonly (readonly [string, number, string])[] = [
  ['snapshot-data3', 0, 'snapshot-data0'],
  ['snapshot-data3', 1, 'snapshot-data1'],
  ['snapshot-repartitioned', 0, 'snapshot-data0'],
  ['snapshot-repartitioned', 1, 'snapshot-data1'],
  ['snapshot-repartitioned', 3, 'snapshot-data3'],
  ['snapshot-repartitioned', 4, 'snapshot-repartitioned'],
  ['time-travel-start-start20', 0, 'time-travel-start'],
  ['basic-with-inserts-overwrite-restore', 1, 'basic-with-inserts-overwrite-restore'],
]

async function expectRows(name: string, expected: string, version?: number) {
  const connection = await scratchConnection()
  const table = await open(name)
  const snapshot = await table.snapshot(version === undefined ? {} : { version })
  const { sql = '', columns = '*' } = goldenRows[expected] ?? {}
  const found = `SELECT ${columns} FROM ${relationSql(table, snapshot)}`
  const [missing, extra] = await Promise.all([
    rowsOf(connection, `(${sql}) EXCEPT ALL (${found}) LIMIT 3`),
    rowsOf(connection, `(${found}) EXCEPT ALL (${sql}) LIMIT 3`),
  ])
  expect({ missing, extra }).toEqual({ missing: [], extra: [] })
  let rowCount = 0
  for await (const batch of rows(table, { snapshot, connection })) rowCount += batch.rowCount
  expect([[String(rowCount)]]).toEqual(await rowsOf(connection, `SELECT count(*) FROM (${sql})`))
}

describe.skipIf(!isPresent)('tables written by Spark', () => {
  test.each(Object.keys(goldenRows))('%s gives the rows that Spark wrote', async (name) => {
    await expectRows(name, name)
  })

  test.each(older)('%s at version %i gives the rows of %s', async (name, version, expected) => {
    await expectRows(name, expected, version)
  })

  test.each(listed)('%s has its files listed', async (name, version, paths) => {
    const snapshot = await (await open(name)).snapshot()
    const found = snapshot.files.map(({ path }) => path)
    expect([snapshot.version, found.toSorted()]).toEqual([version, [...paths].toSorted()])
  })

  test.each(unscannable)('%s opens, but its scan is refused with %s', async (name, code) => {
    const table = await open(name)
    await expect(rows(table).next()).rejects.toMatchObject({ code })
  })

  test.each(refused)('%s is refused with %s', async (name, code, message) => {
    const refusal = { code, message: expect.stringMatching(message) }
    await expect(open(name)).rejects.toMatchObject(refusal)
  })

  test('are all accounted for', () => {
    const folders = globSync('**/_delta_log', { cwd: corpus }).map((path) => dirname(String(path)))
    const known = new Set([
      ...Object.keys(goldenRows),
      ...listed.map(([name]) => name),
      ...refused.map(([name]) => name),
    ])
    expect(folders.filter((name) => !known.has(name))).toEqual([])
    expect(folders.length).toBeGreaterThan(50)
  })
})
