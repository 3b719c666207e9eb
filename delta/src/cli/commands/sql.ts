import { resolve } from 'node:path'
import { relationSql } from '../../data/relation.ts'
import { sqlName } from '../../data/sql-text.ts'
import { openTable as openDeltaTable } from '../../open-table.ts'
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
    const views = [{ name: 't', table: await openTable(), at }]
    for (const text of given.list('with')) {
      const { name, folder } = namedFolder(text)
      views.push({ name, table: await openDeltaTable(folderStore(resolve(folder))), at: {} })
    }
    return await withEngine(async (connection) => {
      for (const view of views) await connection.run(await viewSql(view))
      const result = await connection.streamAndReadAll(query)
      const rows = result.getRowObjectsJson()
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

async function viewSql(view: {
  readonly name: string
  readonly table: DeltaTable
  readonly at: SnapshotRequest
}): Promise<string> {
  const relation = relationSql(view.table, await view.table.snapshot(view.at))
  return `CREATE VIEW ${sqlName(view.name)} AS SELECT * FROM ${relation}`
}

function namedFolder(text: string): { readonly name: string; readonly folder: string } {
  const [, name, folder] = /^([A-Za-z_][A-Za-z0-9_]*)=(.+)$/s.exec(text) ?? []
  if (name === undefined || folder === undefined || name === 't') {
    throw new UsageError(`--with takes NAME=FOLDER with a name other than t, not ${text}`)
  }
  return { name, folder }
}
