import { alignedColumns } from '../data/row-alignment.ts'
import { writeFiles } from '../data/write-files.ts'
import { RowsOutsidePredicate } from '../errors.ts'
import type { Metadata } from '../log/actions.ts'
import type { Snapshot } from '../log/replay.ts'
import type { DeltaSchema } from '../schema/schema.ts'
import { schemaString } from '../schema/schema.ts'
import { checkNewSchema } from '../schema/schema-rules.ts'
import type { DeltaTable } from '../table.ts'
import type { FileLayout } from './append.ts'
import { layoutOptions, writeRows } from './append.ts'
import { predicateText } from './delete-where.ts'
import { findMatchingRows } from './matching-rows.ts'
import type { Predicate } from './predicate.ts'
import { mayMatch } from './predicate-files.ts'
import { predicateSql } from './predicate-sql.ts'
import { outputMetrics, totalRowCount } from './row-counts.ts'
import type { RowSource } from './row-source.ts'
import { withRowQuery } from './row-source.ts'
import type { WriteControl, WriteOutcome } from './write-outcome.ts'
import { commitPlanned } from './write-outcome.ts'

/** Options of `overwrite`. */
export interface OverwriteOptions extends WriteControl, FileLayout {
  /** A new schema, and with it new partition columns. Default: those of the table. */
  readonly schema?: DeltaSchema
  /** Default with `schema`: none. */
  readonly partitionColumns?: readonly string[]
}

/**
 * Replaces all rows of a table in one commit. No rows empty it. Older versions stay readable until
 * VACUUM. A concurrent write is a conflict, unless it is a blind append, which then counts as later.
 * @throws SchemaMismatch, InvalidSchema, TableNotWritable (append-only, change feed)
 */
export async function overwrite(
  table: DeltaTable,
  source: RowSource,
  options: OverwriteOptions = {},
): Promise<WriteOutcome> {
  return await commitPlanned(table, options, async (snapshot) => {
    const target = withSchema(snapshot, options, table.store.location)
    const adds = await writeRows(table, source, options, target)
    const isSame = target === snapshot
    if (isSame && adds.length === 0 && snapshot.files.length === 0) return undefined
    return {
      adds,
      removes: snapshot.files,
      blindAppend: false,
      ...(isSame ? {} : { metadata: target.metadata }),
      operation: 'WRITE',
      operationParameters: { mode: 'Overwrite' },
      metrics: { ...outputMetrics(adds), numRemovedFiles: snapshot.files.length },
    }
  })
}

/** Options of `replaceWhere`. */
export interface ReplaceOptions extends WriteControl, FileLayout {}

/**
 * Replaces the rows for which the condition is true by the rows given, in one commit. Every new row
 * must meet the condition, so that a repeated call gives the same table.
 * @throws RowsOutsidePredicate, InvalidPredicate, SchemaMismatch, TableNotWritable
 */
export async function replaceWhere(
  table: DeltaTable,
  predicate: Predicate,
  source: RowSource,
  options: ReplaceOptions = {},
): Promise<WriteOutcome> {
  const { location } = table.store
  return await commitPlanned(table, options, (snapshot) =>
    withRowQuery(source, snapshot.schema, location, async (connection, query) => {
      const found = await findMatchingRows(connection, table, snapshot, predicate)
      const columns = await alignedColumns(connection, query, snapshot.schema, location)
      const condition = predicateSql(predicate, snapshot.schema, location)
      const guarded =
        `SELECT * FROM (SELECT ${columns.join(', ')} FROM (${query}\n) AS given_rows) AS new_rows` +
        ` WHERE CASE WHEN ${condition} IS TRUE THEN true ELSE error('${outsideMark}') END`
      const layout = layoutOptions(options, snapshot)
      const added = await refusingOutsiders(location, predicate, () =>
        writeFiles(connection, table, guarded, layout),
      )
      const kept =
        found.keptQuery === undefined
          ? []
          : await writeFiles(connection, table, found.keptQuery, layout)
      if (added.length === 0 && found.files.length === 0) return undefined
      return {
        adds: [...added, ...kept],
        removes: found.files,
        blindAppend: false,
        readsFile: (file) => mayMatch(file, predicate, snapshot),
        operation: 'WRITE',
        operationParameters: { mode: 'Overwrite', predicate: predicateText(predicate) },
        metrics: {
          ...outputMetrics([...added, ...kept]),
          numRemovedFiles: found.files.length,
          numDeletedRows: found.matchedRowCount,
          numCopiedRows: totalRowCount(kept),
        },
      }
    }),
  )
}

/** Text that tells our own refusal from any other error of the engine. */
const outsideMark = 'delta: row outside the condition'

async function refusingOutsiders<T>(
  table: string,
  predicate: Predicate,
  task: () => Promise<T>,
): Promise<T> {
  try {
    return await task()
  } catch (cause) {
    const isOurs = cause instanceof Error && cause.message.includes(outsideMark)
    if (!isOurs) throw cause
    throw new RowsOutsidePredicate({
      table,
      where: `condition ${predicateText(predicate).slice(0, 200)}`,
      what: 'at least one new row does not meet the condition whose rows it shall replace',
      fix: 'leave such rows out, or widen the condition',
      cause,
    })
  }
}

function withSchema(snapshot: Snapshot, options: OverwriteOptions, table: string): Snapshot {
  const { schema, partitionColumns = [] } = options
  if (schema === undefined) return snapshot
  checkNewSchema(schema, partitionColumns, table)
  const metadata: Metadata = {
    ...snapshot.metadata,
    schemaString: schemaString(schema),
    partitionColumns,
  }
  return { ...snapshot, schema, partitionColumns, metadata }
}
