import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { relationSql } from './data/relation.ts'
import { openTable } from './open-table.ts'
import { rowsOf, scratchConnection } from './scratch.testing.ts'
import { folderStore } from './store/folder-store.ts'

// Tables written by Spark, from the test corpus of delta-io/delta. They live beside the checkout.
const repository = fileURLToPath(new URL('../..', import.meta.url))
const corpus = join(repository, '..', 'shared', 'data', 'delta-golden')
const isPresent = existsSync(corpus)
if (!isPresent) process.stdout.write(`skipped: no golden tables in ${corpus}\n`)

/** Version, files and rows of each table that this library reads. */
const readable: readonly (readonly [string, number, number, number])[] = [
  ['124-decimal-decode-bug', 0, 2, 1],
  ['125-iterator-bug', 11, 12, 5],
  ['basic-decimal-table', 0, 4, 4],
  ['basic-with-inserts-merge', 1, 1, 140],
  ['basic-with-inserts-overwrite-restore', 3, 4, 200],
  ['basic-with-inserts-updates', 1, 2, 100],
  ['commit-info-containing-arbitrary-operationParams-types', 2, 2, 2],
  ['data-reader-array-complex-objects', 0, 2, 10],
  ['data-reader-array-primitives', 0, 2, 10],
  ['data-reader-date-types-America/Los_Angeles', 0, 2, 1],
  ['data-reader-map', 0, 2, 10],
  ['data-reader-nested-struct', 0, 2, 10],
  ['data-reader-timestamp_ntz', 1, 4, 9],
  ['data-reader-timestamp_ntz-id-mode', 1, 4, 9],
  ['data-reader-timestamp_ntz-name-mode', 1, 4, 9],
  ['data-skipping-change-stats-collected-across-versions', 4, 3, 3],
  ['hive/deltatbl-special-chars-in-partition-column', 0, 4, 10],
  ['kernel-timestamp-INT96', 0, 5, 5],
  ['kernel-timestamp-PST', 0, 5, 5],
  ['kernel-timestamp-partition-col-ISO8601', 0, 2, 2],
  ['log-replay-dv-key-cases', 3, 1, 47],
  ['log-replay-latest-metadata-protocol', 2, 4, 40],
  ['only-checkpoint-files', 2, 7, 25],
  ['parquet-all-types', 0, 1, 200],
  ['parquet-all-types-legacy-format', 0, 1, 200],
  ['parquet-decimal-type', 0, 1, 99_998],
  ['snapshot-data3', 3, 4, 30],
  ['snapshot-repartitioned', 5, 2, 20],
  ['snapshot-vacuumed', 5, 2, 20],
  ['table-with-columnmapping-mode-name', 0, 2, 6],
  ['time-travel-partition-changes-a', 0, 10, 10],
  ['time-travel-schema-changes-b', 1, 4, 20],
  ['type-widening-nested', 2, 2, 2],
  ['v2-checkpoint-json', 2, 4, 10],
]

/** Tables whose log names data files that are absent on purpose, with their live files. */
const logOnly: readonly (readonly [string, readonly string[]])[] = [
  ['canonicalized-paths-normal-b', []],
  ['canonicalized-paths-special-a', []],
  ['delete-re-add-same-file-different-transactions', ['foo', 'bar']],
  ['log-replay-special-characters-b', ['special%20p@%23h']],
]

const refused: readonly (readonly [string, string, RegExp])[] = [
  ['deltalog-state-reconstruction-without-protocol', 'LOG_CORRUPT', /no protocol action/],
  ['deltalog-state-reconstruction-without-metadata', 'LOG_CORRUPT', /no metaData action/],
  ['deltalog-state-reconstruction-from-checkpoint-missing-protocol', 'LOG_CORRUPT', /no protocol/],
]

describe.skipIf(!isPresent)('tables written by Spark', () => {
  test.each(readable)('%s opens and its rows are counted', async (name, version, files, rows) => {
    const connection = await scratchConnection()
    const table = await openTable(folderStore(join(corpus, name)))
    const snapshot = await table.snapshot()
    expect([snapshot.version, snapshot.files.length]).toEqual([version, files])
    const relation = relationSql(table, snapshot)
    // The hash touches every value of every column.
    const sql = `SELECT count(*), count(hash(rows)) FROM ${relation} AS rows`
    expect(await rowsOf(connection, sql)).toEqual([[String(rows), String(rows)]])
  })

  test.each(logOnly)('%s has its files listed', async (name, paths) => {
    const table = await openTable(folderStore(join(corpus, name)))
    expect((await table.snapshot()).files.map(({ path }) => path)).toEqual(paths)
  })

  test.each(refused)('%s is refused with %s', async (name, code, message) => {
    const opening = openTable(folderStore(join(corpus, name)))
    await expect(opening).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })
})
