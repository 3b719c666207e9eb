import { resolve } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { relationSql } from '../../data/relation.ts'
import { sqlName } from '../../data/sql-text.ts'
import type { Snapshot } from '../../log/replay.ts'
import { openTable as openDeltaTable } from '../../open-table.ts'
import { readErrorOf } from '../../read/read-error.ts'
import { folderStore } from '../../store/folder-store.ts'
import type { DeltaTable, SnapshotRequest } from '../../table.ts'
import { withEngine } from '../../write/engine.ts'
import type { Command } from '../command.ts'
import { UsageError } from '../command.ts'
import { jsonText } from '../output.ts'

/** A query over tables. */
export const sqlCommand: Command = {
  name: 'sql',
  words: 'TABLE "SELECT ... FROM t"',
  summary: 'run a query of DuckDB over the table, which is called t',
  details: [
    'Further tables join by --with NAME=FOLDER, in their newest version.',
    'Example: sql ./readings "SELECT device_id, max(temp) FROM t GROUP BY ALL"',
  ],
  travels: true,
  options: {
    with: {
      type: 'string',
      multiple: true,
      value: 'NAME=FOLDER',
      help: 'one more table for the query, under this name',
    },
  },
  wordCount: 1,
  run: async ({ given, output, openTable, at }) => {
    const [query = ''] = given.rest
    const tables: { name: string; table: DeltaTable; at: SnapshotRequest }[] = [
      { name: 't', table: await openTable(), at },
    ]
    for (const text of given.list('with')) {
      const { name, folder } = namedFolder(text)
      tables.push({ name, table: await openDeltaTable(folderStore(resolve(folder))), at: {} })
    }
    const views: View[] = []
    for (const { name, table, at: wanted } of tables) {
      views.push({ name, table, snapshot: await table.snapshot(wanted) })
    }
    return await withEngine(async (connection) => {
      const rows = await rowsOf(connection, query, views)
      for (const row of rows) output.json(row)
      output.table(
        rows.map((row) =>
          Object.fromEntries(
            Object.entries(row).map(([name, value]) => [
              name,
              typeof value === 'object' && value !== null ? jsonText(value) : value,
            ]),
          ),
        ),
      )
      return 0
    })
  },
}

interface View {
  readonly name: string
  readonly table: DeltaTable
  readonly snapshot: Snapshot
}

async function rowsOf(connection: DuckDBConnection, query: string, views: readonly View[]) {
  try {
    for (const view of views) await connection.run(viewSql(view))
    return (await connection.runAndReadAll(query)).getRowObjectsJson()
  } catch (cause) {
    // A faulty data file has a code and a name; everything else is about the query.
    for (const { table, snapshot } of views) {
      const origin = { table, snapshot, files: snapshot.files }
      const found = await readErrorOf(cause, origin, connection)
      if (found !== cause) throw found
    }
    throw cause
  }
}

function viewSql({ name, table, snapshot }: View): string {
  return `CREATE VIEW ${sqlName(name)} AS SELECT * FROM ${relationSql(table, snapshot)}`
}

function namedFolder(text: string): { readonly name: string; readonly folder: string } {
  const [, name, folder] = /^([A-Za-z_][A-Za-z0-9_]*)=(.+)$/s.exec(text) ?? []
  if (name === undefined || folder === undefined || name === 't') {
    throw new UsageError(`--with takes NAME=FOLDER with a name other than t, not ${text}`)
  }
  return { name, folder }
}
