import type { DuckDBConnection } from '@duckdb/node-api'
import { relationSql } from '../data/relation.ts'
import { sqlName } from '../data/sql-text.ts'
import { writeFiles } from '../data/write-files.ts'
import { InvalidMergeKey } from '../errors.ts'
import type { AddFile } from '../log/actions.ts'
import type { Snapshot } from '../log/replay.ts'
import type { DeltaTable } from '../table.ts'
import type { FileLayout } from './append.ts'
import { layoutOptions } from './append.ts'
import { countPerFile } from './matching-rows.ts'
import { mayMatch } from './predicate-files.ts'
import { outputMetrics, totalRowCount } from './row-counts.ts'
import type { RowSource } from './row-source.ts'
import { withRowQuery } from './row-source.ts'
import type { StagedUpsert } from './upsert-rows.ts'
import { keyRange, withUpsertRows } from './upsert-rows.ts'
import type { PlannedChange, WriteControl, WriteOutcome } from './write-outcome.ts'
import { commitPlanned } from './write-outcome.ts'

/** Options of `upsert`. */
export interface UpsertOptions extends WriteControl, FileLayout {
  /** Columns that together tell rows apart. */
  readonly keys: readonly string[]
  /** What happens to rows of the table with a key that is given. Default `update`. */
  readonly whenMatched?: 'update' | 'keep'
  /** What happens to rows given whose key the table lacks. Default `insert`. */
  readonly whenNotMatched?: 'insert' | 'leave-out'
  /**
   * A null in a key of the rows given: `refuse` it, or let it be `equal` to a null in the table.
   * Default `refuse`, since SQL's own rule (null equals nothing) would insert the row at every call.
   */
  readonly nullKeys?: 'refuse' | 'equal'
}

/**
 * Updates the rows whose key is given and inserts the others, in one commit. Columns that are not
 * given keep their values in updated rows and are null in inserted ones. Only files that hold such a
 * key are rewritten; key ranges and partitions tell which files can. A repeated call gives the same
 * table.
 * @throws InvalidMergeKey (no such column, null, a key twice in the rows given), SchemaMismatch,
 * TableNotWritable
 */
export async function upsert(
  table: DeltaTable,
  source: RowSource,
  options: UpsertOptions,
): Promise<WriteOutcome> {
  const { location } = table.store
  checkKeyNames(options.keys, location)
  return await commitPlanned(table, options, (snapshot) =>
    withRowQuery(source, snapshot.schema, location, (connection, query) =>
      withUpsertRows(connection, query, snapshot, options, location, (staged) =>
        planUpsert(connection, table, snapshot, staged, options),
      ),
    ),
  )
}

async function planUpsert(
  connection: DuckDBConnection,
  table: DeltaTable,
  snapshot: Snapshot,
  staged: StagedUpsert,
  options: UpsertOptions,
): Promise<PlannedChange | undefined> {
  const { whenMatched = 'update', whenNotMatched = 'insert' } = options
  if (staged.rowCount === 0) return undefined
  const range = await keyRange(connection, staged, snapshot, options)
  const candidates = snapshot.files.filter((file) => mayMatch(file, range, snapshot))
  const counts = await countPerFile(connection, table, snapshot, candidates, {
    from: (relation) =>
      `${relation} AS old SEMI JOIN ${staged.name} AS given ON ${staged.keysAreEqual}`,
    columns: options.keys,
  })
  const matched = candidates.filter((_, index) => (counts[index] ?? 0) > 0)
  const updates = whenMatched === 'update'
  const removes = updates ? matched : []
  const parts = [
    ...(updates && matched.length > 0 ? [updatedRows(table, snapshot, matched, staged)] : []),
    ...(whenNotMatched === 'insert' ? [newRows(table, snapshot, matched, staged, options)] : []),
  ]
  if (parts.length === 0) return undefined
  const query = parts.join(' UNION ALL ')
  const adds = await writeFiles(connection, table, query, layoutOptions(options, snapshot))
  if (adds.length === 0 && removes.length === 0) return undefined
  const updatedCount = updates ? counts.reduce((sum, count) => sum + count, 0) : 0
  const oldCount = totalRowCount(removes)
  return {
    adds,
    removes,
    blindAppend: false,
    readsFile: (file) => mayMatch(file, range, snapshot),
    operation: 'MERGE',
    operationParameters: { keys: JSON.stringify(options.keys) },
    metrics: mergeMetrics(adds, removes, staged.rowCount, updatedCount, oldCount),
  }
}

function mergeMetrics(
  adds: readonly AddFile[],
  removes: readonly AddFile[],
  sourceRowCount: number,
  updatedCount: number,
  oldCount: number,
): Readonly<Record<string, number>> {
  return {
    ...outputMetrics(adds),
    numSourceRows: sourceRowCount,
    numTargetRowsUpdated: updatedCount,
    numTargetRowsInserted: totalRowCount(adds) - oldCount,
    numTargetRowsCopied: oldCount - updatedCount,
    numTargetFilesAdded: adds.length,
    numTargetFilesRemoved: removes.length,
  }
}

/** The rows of the matched files, with the given values where the key is given. */
function updatedRows(
  table: DeltaTable,
  snapshot: Snapshot,
  files: readonly AddFile[],
  staged: StagedUpsert,
): string {
  const columns = snapshot.schema.fields.map(({ name }) => {
    const column = sqlName(name)
    if (!staged.givenColumns.includes(name)) return `old.${column} AS ${column}`
    return `CASE WHEN given.${staged.mark} THEN given.${column} ELSE old.${column} END AS ${column}`
  })
  const relation = relationSql(table, snapshot, { files })
  return (
    `SELECT ${columns.join(', ')} FROM ${relation} AS old` +
    ` LEFT JOIN ${staged.name} AS given ON ${staged.keysAreEqual}`
  )
}

/** The given rows whose key is in none of the matched files. */
function newRows(
  table: DeltaTable,
  snapshot: Snapshot,
  files: readonly AddFile[],
  staged: StagedUpsert,
  options: UpsertOptions,
): string {
  const columns = snapshot.schema.fields.map(({ name }) => `given.${sqlName(name)}`).join(', ')
  const all = `SELECT ${columns} FROM ${staged.name} AS given`
  if (files.length === 0) return all
  const relation = relationSql(table, snapshot, { files, columns: options.keys })
  return `${all} ANTI JOIN ${relation} AS old ON ${staged.keysAreEqual}`
}

function checkKeyNames(keys: readonly string[], table: string): void {
  if (keys.length > 0 && new Set(keys).size === keys.length) return
  throw new InvalidMergeKey({
    table,
    where: 'keys',
    what: keys.length === 0 ? 'no key column' : 'a key column twice',
    found: keys.join(', '),
    fix: 'name the columns that together tell rows apart',
  })
}
