import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { refrigeration } from '@isotherm/fleet-refrigeration'
import { landingJob, openLake } from 'isotherm/lake'
import { openLog } from 'isotherm/log'
import type { Bench } from './bench.ts'
import { simulatedRecords } from './simulated-records.ts'

const recordCount = 1_000_000
const recordsAtATime = 100_000

/** The columns that a person would name to read the log with DuckDB alone. */
function plainColumns(): string {
  const readings = refrigeration.sensors
    .map(({ name, kind }) => `"${name}" ${kind === 'boolean' ? 'BOOLEAN' : 'DOUBLE'}`)
    .join(', ')
  return (
    "{o: 'BIGINT', t: 'BIGINT', d: 'VARCHAR', e: 'VARCHAR', s: 'BIGINT', " +
    `p: 'STRUCT("timestamp" VARCHAR, readings STRUCT(${readings}))'}`
  )
}

export const bench: Bench = {
  title: 'log segments to a committed Delta table',
  size: `${recordCount} records of 5,000 devices, 2 threads`,
  unit: 'rows',
  rounds: 3,
  prepare: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'isotherm-bench-'))
    const log = openLog({ directory: join(folder, 'log'), clock: () => 0 })
    const records = simulatedRecords(refrigeration, 5000, recordsAtATime)
    for (let count = 0; count < recordCount; count += recordsAtATime) await log.append(records)
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    await connection.run('SET threads = 2')
    const slice = await log.slice(0, 0, log.bounds(0).endOffset)
    const paths = slice.paths.map((path) => `'${path}'`).join(', ')
    let round = 0
    return {
      cases: [
        {
          name: 'isotherm landing',
          units: recordCount,
          run: async () => {
            const directory = join(folder, `lake-${round++}`)
            const lake = await openLake({ directory, fleet: refrigeration, threadCount: 2 })
            const { rowCount } = await landingJob({ lake, nowMs: 0 }, log)
            await lake.close()
            if (rowCount !== recordCount) throw new Error(`${rowCount} rows landed`)
          },
        },
        {
          name: 'duckdb COPY of one slice to Parquet',
          units: slice.endOffset,
          run: async () => {
            await connection.run(
              `COPY (SELECT o, d, e, to_timestamp(t / 1000), to_timestamp(s / 1000),
                  p."timestamp", unnest(p.readings)
                FROM read_ndjson([${paths}], columns = ${plainColumns()}))
              TO '${join(folder, 'peer.parquet')}' (FORMAT parquet, COMPRESSION zstd)`,
            )
          },
        },
      ],
      close: async () => {
        connection.closeSync()
        instance.closeSync()
        await slice.release()
        await log.close()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
}
