import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api'
import { DuckDBInstance } from '@duckdb/node-api'
import { relationSql, scanColumns } from '../data/relation.ts'
import { sqlName } from '../data/sql-text.ts'
import { localRoot } from '../data/write-files.ts'
import { StreamInterrupted } from '../errors.ts'
import type { AddFile } from '../log/actions.ts'
import type { Snapshot } from '../log/replay.ts'
import type { DeltaField } from '../schema/schema.ts'
import type { DeltaTable } from '../table.ts'
import type { Predicate } from '../write/predicate.ts'
import { checkSqlParts, predicateSql } from '../write/predicate-sql.ts'
import { matchingFiles } from './matching-files.ts'
import type { ReadOrigin } from './read-error.ts'
import { readErrorOf } from './read-error.ts'
import type { RowBatch } from './row-batch.ts'
import { batchOf } from './row-batch.ts'

/** Which rows to read, and how. */
export interface RowsOptions {
  /** Default: the newest. */
  readonly snapshot?: Snapshot
  /** Columns in the order wanted. Default: all. */
  readonly columns?: readonly string[]
  /** Only rows for which this is true; files that cannot hold one are not opened. Default: all. */
  readonly where?: Predicate
  /**
   * False if statistics shall skip no file for `where`, for tables whose statistics are in doubt;
   * partition values still do. Default true.
   */
  readonly trustsStatistics?: boolean
  /** Live files to read. Default: all. */
  readonly files?: readonly AddFile[]
  /**
   * Rows after which a batch is handed out; it ends with the engine's chunk of up to 2,048 rows, so it
   * may be longer by one, and the last one is shorter. Default 16,384.
   */
  readonly batchRows?: number
  /**
   * Connection to read with, for this stream alone until it ends; its session's `TimeZone` becomes
   * UTC. Default: an engine for this stream.
   */
  readonly connection?: DuckDBConnection
}

const defaultBatchRows = 16_384

/**
 * The rows of a snapshot as a stream of column batches, read as they are asked for; memory holds a few
 * batches whatever the size of the table. Deleted rows are left out, columns that a file lacks are
 * null, partition columns come from the log. Rows of one file keep their order and follow one another;
 * files come partition by partition. Ending the loop early stops the scan.
 * Statistics decide only which files `where` opens; a file whose statistics deny rows that it has is
 * skipped with them (`checkStatistics` finds such files).
 * @throws DataFileMissing, DataFileUnreadable, DeletionVectorUnreadable, SchemaMismatch,
 *   InvalidPredicate, InvalidPartitionValue, PathOutsideTable, StoreNotLocal, StreamInterrupted
 */
export async function* rows(
  table: DeltaTable,
  options: RowsOptions = {},
): AsyncGenerator<RowBatch, void, undefined> {
  const snapshot = options.snapshot ?? (await table.snapshot())
  const { where, files: wanted = snapshot.files } = options
  const root = localRoot(table.store)
  const files =
    where === undefined
      ? wanted
      : matchingFiles(table, snapshot, where, wanted, options.trustsStatistics)
  const { fields } = scanColumns(root, snapshot, options)
  const condition =
    where === undefined ? '' : ` WHERE ${predicateSql(where, snapshot.schema, root)}`
  const relation = relationSql(table, snapshot, {
    files,
    ...(where === undefined && options.columns !== undefined ? { columns: options.columns } : {}),
  })
  const sql = `SELECT ${fields.map(selected).join(', ')} FROM ${relation}${condition}`
  const { connection, close } = await connected(options.connection)
  try {
    if (where !== undefined) await checkSqlParts(connection, where, root)
    yield* batches(connection, sql, fields, { table, snapshot, files }, options.batchRows)
  } finally {
    close()
  }
}

/** Text goes out of the engine as bytes; see `batchOf`. */
export function selected({ name, type }: DeltaField): string {
  return type === 'string' ? `encode(${sqlName(name)}) AS ${sqlName(name)}` : sqlName(name)
}

/**
 * The result of a query in batches; `fields` are its columns.
 * @throws StreamInterrupted if the connection runs another query meanwhile: the engine then ends the
 *   stream early without a word, so the end is marked by a row of its own
 */
export async function* batches(
  connection: DuckDBConnection,
  sql: string,
  fields: readonly DeltaField[],
  origin: ReadOrigin,
  batchRows = defaultBatchRows,
): AsyncGenerator<RowBatch, void, undefined> {
  const nulls = fields.map(() => 'NULL').join(', ')
  const marked = `SELECT *, false FROM (${sql}) UNION ALL SELECT ${nulls}, true`
  let waiting: DuckDBDataChunk[] = []
  let rowCount = 0
  let isComplete = false
  try {
    await connection.run("SET TimeZone='UTC'")
    const result = await connection.stream(marked)
    for (;;) {
      const chunk = await result.fetchChunk()
      if (chunk === null || chunk.rowCount === 0) break
      if (chunk.getColumnVector(fields.length).getItem(chunk.rowCount - 1) === true) {
        isComplete = true
        chunk.rowCount -= 1
        if (chunk.rowCount === 0) continue
      }
      waiting.push(chunk)
      rowCount += chunk.rowCount
      if (rowCount < batchRows) continue
      const batch = batchOf(waiting, fields)
      waiting = []
      rowCount = 0
      yield batch
    }
  } catch (cause) {
    throw await readErrorOf(cause, origin, connection)
  }
  if (rowCount > 0) yield batchOf(waiting, fields)
  if (!isComplete) throw interrupted(origin)
}

function interrupted({ table, snapshot }: ReadOrigin): StreamInterrupted {
  return new StreamInterrupted({
    table: typeof table === 'string' ? table : table.store.location,
    where: `version ${snapshot.version}`,
    what: 'the stream of rows ended early: its connection was used for another query',
    fix: 'give the stream a connection of its own, or none',
  })
}

/** The connection given, or one of its own with what closes it. */
export async function connected(connection: DuckDBConnection | undefined) {
  if (connection !== undefined) return { connection, close: () => undefined }
  const instance = await DuckDBInstance.create(':memory:')
  const own = await instance.connect()
  const close = () => {
    own.closeSync()
    instance.closeSync()
  }
  return { connection: own, close }
}
