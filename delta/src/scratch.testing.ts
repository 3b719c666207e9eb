import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { DuckDBInstance } from '@duckdb/node-api'
import { onTestFinished } from 'vitest'
import type { DeltaField, DeltaSchema, DeltaType } from './schema/schema.ts'

/** A folder that is gone when the test is over. */
export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'delta-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A database connection that is closed when the test is over. */
export async function scratchConnection(): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  await connection.run("SET TimeZone='UTC'")
  onTestFinished(() => {
    connection.closeSync()
    instance.closeSync()
  })
  return connection
}

/** A schema of nullable columns. */
export function schemaOf(columns: Readonly<Record<string, DeltaType>>): DeltaSchema {
  return {
    type: 'struct',
    fields: Object.entries(columns).map(
      ([name, type]): DeltaField => ({ name, type, nullable: true, metadata: {} }),
    ),
  }
}

/** All rows of a query, as JSON-like values. */
export async function rowsOf(connection: DuckDBConnection, sql: string) {
  return (await connection.runAndReadAll(sql)).getRowsJson()
}
