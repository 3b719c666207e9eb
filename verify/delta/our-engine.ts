import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import {
  compact,
  createTable,
  type DeltaTable,
  folderStore,
  openTable,
  relationSql,
  type Snapshot,
  writeFiles,
} from '@isotherm/delta'
import { canonicalRows, duckDbLiteral, rowsQuery } from './duckdb-values.ts'
import type { Chapter, Predicate, Story } from './random-story.ts'

/** A database in memory whose texts of time are in UTC. */
export async function openDatabase(
  threads = 2,
): Promise<{ readonly connection: DuckDBConnection; readonly close: () => void }> {
  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) })
  const connection = await instance.connect()
  await connection.run("SET TimeZone='UTC'")
  return {
    connection,
    close: () => {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

/** Lives a story in a folder with this library. @returns the table's version after each chapter */
export async function writeStory(
  connection: DuckDBConnection,
  story: Story,
  folder: string,
): Promise<readonly number[]> {
  const table = await createTable(folderStore(folder), {
    name: story.name,
    schema: { type: 'struct', fields: story.fields },
    partitionColumns: story.partitionColumns,
    configuration: { 'delta.checkpointInterval': String(2 + (story.seed % 4)) },
  })
  const versions: number[] = []
  for (const chapter of story.chapters) {
    await writeChapter(connection, table, chapter)
    versions.push((await table.snapshot()).version)
  }
  return versions
}

async function writeChapter(
  connection: DuckDBConnection,
  table: DeltaTable,
  { step, fields }: Chapter,
): Promise<void> {
  const snapshot = await table.snapshot()
  const { files } = snapshot
  switch (step.kind) {
    case 'append':
      return await commit(connection, table, rowsQuery(fields, step.rows), snapshot, [])
    case 'overwrite':
      return await commit(connection, table, rowsQuery(fields, step.rows), snapshot, files)
    case 'delete': {
      const gone = predicateSql(fields, step.predicate)
      const kept = `SELECT * FROM ${relationSql(table, snapshot)} WHERE (${gone}) IS NOT TRUE`
      return await commit(connection, table, kept, snapshot, files)
    }
    case 'upsert': {
      const key = `"${fields[0]?.name}"`
      const fresh = rowsQuery(fields, step.rows)
      const kept = `SELECT * FROM ${relationSql(table, snapshot)}
        WHERE ${key} NOT IN (SELECT ${key} FROM (${fresh}))`
      return await commit(connection, table, `${kept} UNION ALL ${fresh}`, snapshot, files)
    }
    case 'add-column': {
      await table.addColumns([step.field])
      return
    }
    case 'compact': {
      await compact(connection, table)
      return
    }
    case 'checkpoint':
  }
}

async function commit(
  connection: DuckDBConnection,
  table: DeltaTable,
  query: string,
  snapshot: Snapshot,
  removes: Snapshot['files'],
): Promise<void> {
  const adds = await writeFiles(connection, table, query, { snapshot })
  const outcome = await table.commit({
    readVersion: snapshot.version,
    adds,
    removes,
    operation: 'WRITE',
  })
  if (outcome.kind !== 'committed') throw new Error(`commit ended as ${outcome.kind}`)
}

function predicateSql(fields: Chapter['fields'], { column, operator, value }: Predicate): string {
  const { name, type } = fields[column] ?? { name: '', type: 'void' as const }
  if (operator === 'is null') return `"${name}" IS NULL`
  return `"${name}" ${operator} ${duckDbLiteral(type, value)}`
}

/** What this library reads of a table at a version. */
export async function readTable(
  connection: DuckDBConnection,
  folder: string,
  version: number,
): Promise<{ readonly snapshot: Snapshot; readonly rows: readonly string[] }> {
  const table = await openTable(folderStore(folder))
  const snapshot = await table.snapshot({ version })
  const sql = `SELECT * FROM ${relationSql(table, snapshot)}`
  return { snapshot, rows: await canonicalRows(connection, sql, snapshot.schema.fields) }
}
