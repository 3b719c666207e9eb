import type { WriteOptions } from '../data/write-files.ts'
import { writeFiles } from '../data/write-files.ts'
import type { Snapshot } from '../log/replay.ts'
import type { DeltaTable } from '../table.ts'
import { outputMetrics } from './row-counts.ts'
import type { RowSource } from './row-source.ts'
import { withRowQuery } from './row-source.ts'
import type { WriteControl, WriteOutcome } from './write-outcome.ts'
import { commitPlanned } from './write-outcome.ts'

/** How new files are laid out; see `WriteOptions`. */
export type FileLayout = Pick<
  WriteOptions,
  'orderBy' | 'rowGroupRows' | 'targetFileRows' | 'compression'
>

/** Options of `append`. */
export interface AppendOptions extends WriteControl, FileLayout {}

/**
 * Adds rows to a table in one commit. Other appends never conflict with it; a change of schema does,
 * and then the rows are written anew under the new one. Without `transaction` a repeated call adds the
 * rows again.
 * @returns `unchanged` if there are no rows
 * @throws SchemaMismatch, InvalidPartitionValue, NullNotAllowed, StoreNotLocal, TableNotWritable
 * Cost: a million rows of 20 columns take about a second on two cores.
 */
export async function append(
  table: DeltaTable,
  source: RowSource,
  options: AppendOptions = {},
): Promise<WriteOutcome> {
  return await commitPlanned(table, options, async (snapshot) => {
    const adds = await withRowQuery(
      source,
      snapshot.schema,
      table.store.location,
      (connection, query) => writeFiles(connection, table, query, layoutOptions(options, snapshot)),
    )
    if (adds.length === 0) return undefined
    return {
      adds,
      operation: 'WRITE',
      operationParameters: { mode: 'Append' },
      metrics: outputMetrics(adds),
    }
  })
}

/** The options of a write that `writeFiles` takes. */
export function layoutOptions(
  options: FileLayout & Pick<WriteControl, 'timestampMs'>,
  snapshot: Snapshot,
): WriteOptions {
  const { orderBy, rowGroupRows, targetFileRows, compression, timestampMs } = options
  return {
    snapshot,
    ...(orderBy === undefined ? {} : { orderBy }),
    ...(rowGroupRows === undefined ? {} : { rowGroupRows }),
    ...(targetFileRows === undefined ? {} : { targetFileRows }),
    ...(compression === undefined ? {} : { compression }),
    ...(timestampMs === undefined ? {} : { timestampMs }),
  }
}
