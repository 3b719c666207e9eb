import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { DuckDBInstance } from '@duckdb/node-api'

/** How much of the machine an engine may use. */
export interface EngineSettings {
  /** Default: all cores. */
  readonly threads?: number
}

/** Opens a database in memory, with its clock in UTC, for one task. Costs about 10 ms. */
export async function withEngine<T>(
  task: (connection: DuckDBConnection) => Promise<T>,
  { threads }: EngineSettings = {},
): Promise<T> {
  // Data that does not fit in memory spills here; the engine removes the folder.
  const spill = join(tmpdir(), `delta-spill-${randomUUID()}`)
  const instance = await DuckDBInstance.create(':memory:', {
    temp_directory: spill,
    ...(threads === undefined ? {} : { threads: String(threads) }),
  })
  try {
    const connection = await instance.connect()
    try {
      await connection.run("SET TimeZone='UTC'")
      return await task(connection)
    } finally {
      connection.closeSync()
    }
  } finally {
    instance.closeSync()
  }
}

/** Runs a task on the connection given, or on one of its own. */
export async function withConnection<T>(
  connection: DuckDBConnection | undefined,
  task: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  if (connection !== undefined) return await task(connection)
  return await withEngine(task)
}
