import type { DuckDBConnection } from '@duckdb/node-api'
import { type DeltaTable, relationSql, type Snapshot } from '@isotherm/delta'

/** Writer number of the row that all writers count up. */
export const counterWriter = -1

/** What a writer's commit of this number does: two in twenty rewrite. */
export function kindOf(number: number): 'append' | 'replace' | 'count' {
  if (number % 20 === 9) return 'replace'
  return number % 20 === 19 ? 'count' : 'append'
}

/** How often the first `count` commits of a writer count up. */
export function countUps(count: number): number {
  return Array.from({ length: count }, (_, number) => kindOf(number)).filter(
    (kind) => kind === 'count',
  ).length
}

/** Value of the shared row. */
export async function counterOf(
  connection: DuckDBConnection,
  table: DeltaTable,
  snapshot: Snapshot,
): Promise<number> {
  const sql = `SELECT coalesce(max(value), 0)::INTEGER FROM ${relationSql(table, snapshot)}
    WHERE writer = ${counterWriter}`
  const [[value] = []] = (await connection.runAndReadAll(sql)).getRows()
  return Number(value)
}
