import type { WriteOptions } from '../data/write-files.ts'
import { writeFiles } from '../data/write-files.ts'
import type { AddFile } from '../log/actions.ts'
import type { Snapshot } from '../log/replay.ts'
import type { DeltaTable } from '../table.ts'
import { outputMetrics } from './row-counts.ts'
import type { QueryTask, RowSource } from './row-source.ts'
import { isInMemory, plainRows, withRowQueries, withRowQuery } from './row-source.ts'
import { isEncodable, writeColumns } from './write-columns.ts'
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
    const adds = await writeRows(table, source, options, snapshot)
    if (adds.length === 0) return undefined
    return {
      adds,
      operation: 'WRITE',
      operationParameters: { mode: 'Append' },
      metrics: outputMetrics(adds),
    }
  })
}

/**
 * Writes rows as data files. Rows from JavaScript become several files at once, unless they are sorted
 * or split by partition, which wants all of them together.
 */
export async function writeRows(
  table: DeltaTable,
  source: RowSource,
  options: FileLayout & Pick<WriteControl, 'timestampMs'>,
  snapshot: Snapshot,
): Promise<readonly AddFile[]> {
  const layout = layoutOptions(options, snapshot)
  const { location } = table.store
  if (isInMemory(source) && isEncodable(snapshot, layout)) {
    return await writeColumns(table, plainRows(source, snapshot.schema, location), snapshot, layout)
  }
  const write: QueryTask<readonly AddFile[]> = (connection, query) =>
    writeFiles(connection, table, query, layout)
  const isTogether = options.orderBy !== undefined || snapshot.partitionColumns.length > 0
  if (isTogether) return await withRowQuery(source, snapshot.schema, location, write)
  return (await withRowQueries(source, snapshot.schema, location, write)).flat()
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
