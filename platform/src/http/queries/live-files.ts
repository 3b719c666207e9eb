import type { AddFile } from '@isotherm/delta'
import type { Lake } from '../../lake/index.ts'

const dayMs = 86_400_000

/** UTC date of an instant, `yyyy-MM-dd`, as the tables' partitions spell it. */
export function utcDate(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10)
}

/** UTC dates that [fromMs, toMs) touches, ascending. */
export function datesBetween(fromMs: number, toMs: number): readonly string[] {
  const dates: string[] = []
  for (let day = Math.floor(fromMs / dayMs) * dayMs; day < toMs; day += dayMs) {
    dates.push(utcDate(day))
  }
  return dates
}

/**
 * FROM clause over the live files of a table that `keep` accepts by their partition values, or
 * undefined if there is none: then the answer is known to be empty.
 */
export async function relationWhere(
  lake: Lake,
  tableName: string,
  keep: (partition: AddFile['partitionValues']) => boolean,
): Promise<string | undefined> {
  const table = lake.table(tableName)
  const snapshot = await table.snapshot()
  const files = snapshot.files.filter((file) => keep(file.partitionValues))
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
