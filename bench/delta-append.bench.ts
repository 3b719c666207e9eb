import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { append, createTable, folderStore, type RowSource, relationSql } from '@isotherm/delta'
import type { Bench } from './bench.ts'
import { wideColumns, wideSchema } from './delta-rows.ts'

const rowCount = 1_000_000

export const bench: Bench = {
  title: 'rows in memory or NDJSON to a committed Delta table',
  size: `${rowCount} rows of ${wideSchema.fields.length} columns`,
  unit: 'rows',
  rounds: 5,
  prepare: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'delta-bench-'))
    const ndjson = join(folder, 'rows.ndjson')
    const columns = wideColumns(rowCount)
    let round = 0
    const written = async (source: RowSource) => {
      const store = folderStore(join(folder, `table-${round++}`))
      const table = await createTable(store, { name: 'wide', schema: wideSchema })
      const outcome = await append(table, source)
      if (outcome.kind !== 'committed') throw new Error(`append ended as ${outcome.kind}`)
      return table
    }
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    const table = await written({ columns })
    const relation = relationSql(table, await table.snapshot())
    await connection.run(`COPY (FROM ${relation}) TO '${ndjson}' (FORMAT json)`)
    const copied = join(folder, 'peer.parquet')
    return {
      cases: [
        {
          name: 'append of typed arrays',
          units: rowCount,
          run: async () => {
            await written({ columns })
          },
        },
        {
          name: 'append of an NDJSON file',
          units: rowCount,
          run: async () => {
            await written({ ndjsonFiles: ndjson })
          },
        },
        {
          name: 'duckdb COPY of the NDJSON file',
          units: rowCount,
          run: async () => {
            await connection.run(
              `COPY (FROM read_ndjson('${ndjson}')) TO '${copied}' (FORMAT parquet, COMPRESSION zstd)`,
            )
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
