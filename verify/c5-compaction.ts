import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import {
  type AddFile,
  append,
  changeRows,
  compact,
  createTable,
  type DeltaTable,
  folderStore,
  writeFiles,
} from '@isotherm/delta'
import { numberFlag } from './delta/flags.ts'
import { naiveCommit, naiveFiles, naiveVersions } from './delta/naive-log.ts'
import { openDatabase } from './delta/our-engine.ts'
import { field } from './delta/random-values.ts'
import { readingColumns, readingFields } from './delta/wide-readings.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const filesPerCommit = 100
const rowsPerFile = 20
const regionCount = 4

async function tableOfSmallFiles(
  connection: DuckDBConnection,
  folder: string,
  fileCount: number,
): Promise<DeltaTable> {
  const table = await createTable(folderStore(folder), {
    name: 'small',
    schema: {
      type: 'struct',
      fields: [
        field('id', 'long'),
        field('device', 'string'),
        field('value', 'double'),
        field('region', 'string'),
      ],
    },
    partitionColumns: ['region'],
  })
  const snapshot = await table.snapshot()
  for (let start = 0; start < fileCount; start += filesPerCommit) {
    const adds: AddFile[] = []
    for (let file = start; file < Math.min(start + filesPerCommit, fileCount); file++) {
      const query = `SELECT ${file * rowsPerFile} + i AS id, 'device-' || (i * 37 % 100) AS device,
        sin(${file} + i) AS value FROM range(${rowsPerFile}) AS rows(i)`
      const partitionValues = { region: `region-${file % regionCount}` }
      adds.push(...(await writeFiles(connection, table, query, { snapshot, partitionValues })))
    }
    await table.commit({ adds, operation: 'WRITE' })
  }
  return table
}

/** Count and a sum of hashes of all rows, from the bare files that the bare commits name. */
async function contentOf(connection: DuckDBConnection, folder: string) {
  const files = naiveFiles(folder, naiveVersions(folder))
  const list = files.map((path) => `'${join(folder, path)}'`).join()
  const sql = `SELECT count(*)::INTEGER, sum(hash(id, device, value, region)::HUGEINT)::VARCHAR
    FROM read_parquet([${list}], hive_partitioning = true)`
  const [[rowCount, hash] = []] = (await connection.runAndReadAll(sql)).getRows()
  return { fileCount: files.length, rowCount: Number(rowCount), hash: String(hash) }
}

/** Rows per second of compacting a million rows of twenty columns in forty files. */
async function compactionRate(connection: DuckDBConnection, folder: string): Promise<number> {
  const rowCount = 1_000_000
  const table = await createTable(folderStore(folder), {
    name: 'wide',
    schema: { type: 'struct', fields: readingFields },
  })
  const fileCount = 40
  for (let i = 0; i < fileCount; i++) {
    const share = rowCount / fileCount
    await append(table, { columns: readingColumns(share, i * share) })
  }
  const start = performance.now()
  const outcome = await compact(table, { connection })
  const seconds = (performance.now() - start) / 1000
  if (outcome.kind !== 'compacted') throw new Error(`compaction ended as ${outcome.kind}`)
  return rowCount / seconds
}

export const promised: Promised = {
  id: 'C5',
  title: 'small files become few, with the same rows and none in the change feed',
  unit: 'rows/s',
  bar: '5,000 files to <= 20, rows equal, no new rows; 1 M rows of 20 columns at >= 1 M rows/s',
  quick: false,
  limitSeconds: 900,
  run: async (report) => {
    const folder = temporaryFolder('c5')
    const { connection, close } = await openDatabase()
    try {
      const fileCount = numberFlag('files', 5000)
      const path = join(folder.path, 'small')
      const table = await tableOfSmallFiles(connection, path, fileCount)
      const before = await contentOf(connection, path)
      report(`${before.fileCount} files, ${before.rowCount} rows written`)
      const { version } = await table.snapshot()
      const start = performance.now()
      const outcome = await compact(table, { connection })
      const seconds = (performance.now() - start) / 1000
      if (outcome.kind !== 'compacted') throw new Error(`compaction ended as ${outcome.kind}`)
      const after = await contentOf(connection, path)
      let newRows = 0
      const range = { afterVersion: version, toVersion: outcome.version, connection }
      for await (const batch of changeRows(table, range)) newRows += batch.rowCount
      const changing = naiveCommit(path, outcome.version).filter(
        ({ add, remove }) => (add ?? remove)?.dataChange === true,
      ).length
      report(`${after.fileCount} files after ${seconds.toFixed(1)} s`)
      const rates: number[] = []
      for (let round = 0; round < numberFlag('rounds', 3); round++) {
        rates.push(await compactionRate(connection, join(folder.path, `wide-${round}`)))
      }
      const rate = rates.toSorted((a, b) => a - b)[Math.floor(rates.length / 2)] ?? 0
      const isEqual = before.rowCount === after.rowCount && before.hash === after.hash
      return {
        ok: after.fileCount <= 20 && isEqual && newRows + changing === 0 && rate >= 1_000_000,
        value: Math.round(rate),
        detail: { before, after, newRows, changing, smallFilesSeconds: seconds, rates },
      }
    } finally {
      close()
      folder.remove()
    }
  },
}
