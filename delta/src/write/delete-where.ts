import type { DuckDBConnection } from '@duckdb/node-api'
import { writeFiles } from '../data/write-files.ts'
import type { DeltaTable } from '../table.ts'
import type { FileLayout } from './append.ts'
import { layoutOptions } from './append.ts'
import { withConnection } from './engine.ts'
import { findMatchingRows } from './matching-rows.ts'
import type { Predicate } from './predicate.ts'
import { mayMatch } from './predicate-files.ts'
import { outputMetrics, totalRowCount } from './row-counts.ts'
import type { WriteControl, WriteOutcome } from './write-outcome.ts'
import { commitPlanned } from './write-outcome.ts'

/** Options of `deleteWhere`. */
export interface DeleteOptions extends WriteControl, FileLayout {
  /** With `TimeZone='UTC'`. Default: an engine of the call's own. */
  readonly connection?: DuckDBConnection
}

/**
 * Deletes the rows for which the condition is true, in one commit. Files of partitions that meet it
 * are taken out unread; other files with such rows are rewritten without them. A concurrent write
 * that touches files the condition may match is a conflict, and the delete is planned again.
 * @throws InvalidPredicate, TableNotWritable (append-only, change feed)
 */
export async function deleteWhere(
  table: DeltaTable,
  predicate: Predicate,
  options: DeleteOptions = {},
): Promise<WriteOutcome> {
  return await withConnection(options.connection, (connection) =>
    commitPlanned(table, options, async (snapshot) => {
      const found = await findMatchingRows(connection, table, snapshot, predicate)
      if (found.files.length === 0) return undefined
      const adds =
        found.keptQuery === undefined
          ? []
          : await writeFiles(connection, table, found.keptQuery, layoutOptions(options, snapshot))
      return {
        adds,
        removes: found.files,
        readsFile: (file) => mayMatch(file, predicate, snapshot),
        operation: 'DELETE',
        operationParameters: { predicate: JSON.stringify([predicateText(predicate)]) },
        metrics: {
          ...outputMetrics(adds),
          numAddedFiles: adds.length,
          numRemovedFiles: found.files.length,
          numDeletedRows: found.matchedRowCount,
          numCopiedRows: totalRowCount(adds),
        },
      }
    }),
  )
}

/** The condition as one text for the history. */
export function predicateText(predicate: Predicate): string {
  return JSON.stringify(predicate, (_key, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
}
