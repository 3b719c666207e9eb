import type { DuckDBConnection } from '@duckdb/node-api'
import { relationSql } from '../data/relation.ts'
import { sqlName } from '../data/sql-text.ts'
import type { AddFile } from '../log/actions.ts'
import type { Snapshot } from '../log/replay.ts'
import type { DeltaSchema } from '../schema/schema.ts'
import type { DeltaTable } from '../table.ts'
import type { Predicate } from './predicate.ts'
import { matchesWhole, mayMatch } from './predicate-files.ts'
import { checkSqlParts, predicateSql } from './predicate-sql.ts'
import { totalRowCount } from './row-counts.ts'

/** What a condition takes out of a table. */
export interface MatchingRows {
  /** Files that hold a row that meets it. */
  readonly files: readonly AddFile[]
  /** A SELECT of the rows of these files that stay; undefined if none of them is looked into. */
  readonly keptQuery: string | undefined
  readonly matchedRowCount: number
}

/**
 * The files that hold rows of a condition. A file whose partition meets it is taken unread; of the
 * others that may hold such rows, each is searched.
 * @throws InvalidPredicate
 */
export async function findMatchingRows(
  connection: DuckDBConnection,
  table: DeltaTable,
  snapshot: Snapshot,
  predicate: Predicate,
): Promise<MatchingRows> {
  const { location } = table.store
  await checkSqlParts(connection, predicate, location)
  const condition = predicateSql(predicate, snapshot.schema, location)
  const candidates = snapshot.files.filter((file) => mayMatch(file, predicate, snapshot))
  const whole = candidates.filter((file) => matchesWhole(file, predicate, snapshot))
  const wholeSet = new Set(whole)
  const others = candidates.filter((file) => !wholeSet.has(file))
  const counts = await countPerFile(connection, table, snapshot, others, {
    from: (relation) => `${relation} AS rows_of_file WHERE ${condition}`,
  })
  const looked = others.filter((_, index) => (counts[index] ?? 0) > 0)
  return {
    files: [...whole, ...looked],
    keptQuery:
      looked.length === 0
        ? undefined
        : `SELECT * FROM ${relationSql(table, snapshot, { files: looked })} AS kept_rows` +
          ` WHERE ${condition} IS NOT TRUE`,
    matchedRowCount: totalRowCount(whole) + counts.reduce((sum, count) => sum + count, 0),
  }
}

/**
 * Rows per file that a query finds, in the order of the files.
 * @param query.from the rest of the query after FROM, given the relation of the files
 */
export async function countPerFile(
  connection: DuckDBConnection,
  table: DeltaTable,
  snapshot: Snapshot,
  files: readonly AddFile[],
  query: {
    readonly from: (relation: string) => string
    /** Columns that the query needs; default: all. */
    readonly columns?: readonly string[]
  },
): Promise<readonly number[]> {
  const counts = new Array<number>(files.length).fill(0)
  if (files.length === 0) return counts
  const fileColumn = unusedName('file_index', snapshot.schema)
  const columns = query.columns === undefined ? {} : { columns: query.columns }
  const relation = relationSql(table, snapshot, { files, fileColumn, ...columns })
  const found = await connection.runAndReadAll(
    `SELECT ${sqlName(fileColumn)}, count(*) FROM ${query.from(relation)} GROUP BY 1`,
  )
  for (const [index, count] of found.getRowsJson()) counts[Number(index)] = Number(count)
  return counts
}

/** A column name that the schema does not have, in any case. */
export function unusedName(wanted: string, schema: DeltaSchema): string {
  const names = new Set(schema.fields.map(({ name }) => name.toLowerCase()))
  let name = wanted
  while (names.has(name)) name = `_${name}`
  return name
}
