import { statSync } from 'node:fs'
import { join } from 'node:path'
import { append, createTable, folderStore, type RowSource, relationSql } from '@isotherm/delta'
import { missingEngines, runEngine } from './delta/engine-jobs.ts'
import { numberFlag } from './delta/flags.ts'
import { openDatabase } from './delta/our-engine.ts'
import { readingColumns, readingFields } from './delta/wide-readings.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

async function newTable(folder: string) {
  return await createTable(folderStore(folder), {
    name: 'readings',
    schema: { type: 'struct', fields: readingFields },
  })
}

export const promised: Promised = {
  id: 'C9',
  title: 'append of 20 columns from typed arrays and from NDJSON, beside deltalake',
  unit: 'rows/s',
  bar: '>= 1 M rows/s from both on two cores, and faster than deltalake in the same run',
  quick: false,
  limitSeconds: 900,
  run: async (report) => {
    if (missingEngines(['deltalake']).length > 0) {
      const error = 'not installed: deltalake; npm run setup:referees'
      return { ok: false, value: 0, detail: { error } }
    }
    const folder = temporaryFolder('c9')
    const { connection, close } = await openDatabase()
    try {
      const rowCount = numberFlag('rows', 1_000_000)
      const rounds = numberFlag('rounds', 5)
      const columns = readingColumns(rowCount)
      const first = await newTable(join(folder.path, 'first'))
      await append(first, { columns })
      const relation = relationSql(first, await first.snapshot())
      const parquet = join(folder.path, 'rows.parquet')
      const ndjson = join(folder.path, 'rows.ndjson')
      await connection.run(`COPY (FROM ${relation}) TO '${parquet}' (FORMAT parquet)`)
      await connection.run(`COPY (FROM ${relation}) TO '${ndjson}' (FORMAT json)`)
      close()
      const megabytes = Math.round(statSync(ndjson).size / 1e6)
      report(`${rowCount} rows of ${readingFields.length} columns, NDJSON ${megabytes} MB`)
      const ours = async (name: string, source: RowSource) => {
        const seconds: number[] = []
        for (let round = 0; round < rounds; round++) {
          const table = await newTable(join(folder.path, `${name}-${round}`))
          const start = performance.now()
          const outcome = await append(table, source)
          seconds.push((performance.now() - start) / 1000)
          if (outcome.kind !== 'committed') throw new Error(`append ended as ${outcome.kind}`)
        }
        return rowCount / median(seconds)
      }
      const theirs = async (action: 'timed_append' | 'timed_append_ndjson', file: string) => {
        let seconds: readonly number[] = []
        const path = join(folder.path, action)
        const job = { id: action, action, path, file, rounds }
        await runEngine('deltalake', [job], folder.path, (answer) => {
          if (answer.error !== undefined) throw new Error(`deltalake: ${answer.error}`)
          seconds = answer.seconds ?? []
        })
        return rowCount / median(seconds)
      }
      const rates = {
        typedArrays: await ours('typed', { columns }),
        deltalakeArrow: await theirs('timed_append', parquet),
        ndjson: await ours('ndjson', { ndjsonFiles: ndjson }),
        deltalakeNdjson: await theirs('timed_append_ndjson', ndjson),
      }
      const slowest = Math.min(rates.typedArrays, rates.ndjson)
      return {
        ok:
          slowest >= 1_000_000 &&
          rates.typedArrays > rates.deltalakeArrow &&
          rates.ndjson > rates.deltalakeNdjson,
        value: Math.round(slowest),
        detail: {
          rowCount,
          rounds,
          ndjsonMegabytes: megabytes,
          ...Object.fromEntries(
            Object.entries(rates).map(([name, rate]) => [name, Math.round(rate)]),
          ),
        },
      }
    } finally {
      folder.remove()
    }
  },
}
