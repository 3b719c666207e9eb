import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { DuckDBInstance } from '@duckdb/node-api'

/** A SQL engine for the time of one call; further connections see the same tables. */
export interface Engine {
  readonly connection: DuckDBConnection
  /** Another connection to the same database; the engine closes it. */
  readonly connect: () => Promise<DuckDBConnection>
}

/** Opens a database in memory, with its clock in UTC, for one task. Costs about 10 ms. */
export async function withEngine<T>(task: (engine: Engine) => Promise<T>): Promise<T> {
  // Data that does not fit in memory spills here; the engine removes the folder.
  const spill = join(tmpdir(), `delta-spill-${randomUUID()}`)
  const instance = await DuckDBInstance.create(':memory:', { temp_directory: spill })
  const opened: DuckDBConnection[] = []
  const connect = async () => {
    const connection = await instance.connect()
    opened.push(connection)
    await connection.run("SET TimeZone='UTC'")
    return connection
  }
  try {
    return await task({ connection: await connect(), connect })
  } finally {
    for (const connection of opened) connection.closeSync()
    instance.closeSync()
  }
}

/** Runs a task on the connection given, or on one of its own. */
export async function withConnection<T>(
  connection: DuckDBConnection | undefined,
  task: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  if (connection !== undefined) return await task(connection)
  return await withEngine((engine) => task(engine.connection))
}
