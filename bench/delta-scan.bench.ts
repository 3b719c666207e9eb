import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { append, createTable, folderStore, relationSql, rows } from '@isotherm/delta'
import type { Bench } from './bench.ts'
import { wideColumns, wideSchema } from './delta-rows.ts'

const rowCount = 1_000_000
const fileCount = 10

export const bench: Bench = {
  title: 'a Delta table to memory',
  size: `${rowCount} rows of ${wideSchema.fields.length} columns in ${fileCount} files`,
  unit: 'rows',
  rounds: 5,
  prepare: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'delta-bench-'))
    const store = folderStore(join(folder, 'table'))
    const table = await createTable(store, { name: 'wide', schema: wideSchema })
    const share = rowCount / fileCount
    for (let i = 0; i < fileCount; i++) {
      await append(table, { columns: wideColumns(share, i * share) })
    }
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    const snapshot = await table.snapshot()
    const files = snapshot.files.map(({ path }) => `'${join(store.location, path)}'`).join()
    const sums = 'SELECT device_id, avg(gauge_3), max(gauge_7) FROM'
    const drain = async (options: Parameters<typeof rows>[1]) => {
      let count = 0
      for await (const batch of rows(table, options)) count += batch.rowCount
      if (count !== rowCount) throw new Error(`${count} rows`)
    }
    return {
      cases: [
        { name: 'rows, all columns', units: rowCount, run: () => drain({ snapshot, connection }) },
        {
          name: 'rows, three columns',
          units: rowCount,
          run: () => drain({ snapshot, connection, columns: ['event_time', 'gauge_3', 'gauge_7'] }),
        },
        {
          name: 'aggregate over relationSql',
          units: rowCount,
          run: async () => {
            await connection.runAndReadAll(`${sums} ${relationSql(table, snapshot)} GROUP BY ALL`)
          },
        },
        {
          name: 'duckdb aggregate over the bare files',
          units: rowCount,
          run: async () => {
            await connection.runAndReadAll(`${sums} read_parquet([${files}]) GROUP BY ALL`)
          },
        },
      ],
      close: async () => {
        connection.closeSync()
        instance.closeSync()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
}
