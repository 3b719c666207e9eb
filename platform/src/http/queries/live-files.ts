import { type FileFilter, skipFiles } from '@isotherm/delta'
import type { Lake } from '../../lake/index.ts'

/** UTC date of an instant, `yyyy-MM-dd`, as the tables' partitions spell it. */
export function utcDate(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10)
}

/**
 * FROM clause over the files of a table that may hold wanted rows, or undefined if there is none:
 * then the answer is known to be empty.
 */
export async function relationWhere(
  lake: Lake,
  tableName: string,
  ranges: NonNullable<FileFilter['ranges']> = {},
): Promise<string | undefined> {
  const table = lake.table(tableName)
  const snapshot = await table.snapshot()
  const files = skipFiles(snapshot.files, { ranges, schema: snapshot.schema })
  return files.length === 0 ? undefined : table.relation(snapshot, files)
}

/** Rows of a query as objects; timestamps must be cast by the query, longs come as bigint. */
export async function readRows(
  lake: Lake,
  sql: string,
  parameters: Readonly<Record<string, string | number>> = {},
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return lake.withConnection(async (connection) => {
    const reader = await connection.runAndReadAll(sql, { ...parameters })
    return reader.getRowObjectsJS()
  })
}

/** Text as an SQL literal. */
export function sqlText(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}
