import type { DuckDBConnection } from '@duckdb/node-api'
import { decodeLogPath } from '../data/file-path.ts'
import { scanColumns, scansOf } from '../data/relation.ts'
import type { ScanColumns, ScanFile } from '../data/scan-sql.ts'
import { sqlName, sqlText } from '../data/sql-text.ts'
import { localRoot } from '../data/write-files.ts'
import { VersionNotAvailable } from '../errors.ts'
import type { AddFile, RemoveFile } from '../log/actions.ts'
import type { Change } from '../log/log-history.ts'
import type { Snapshot } from '../log/replay.ts'
import { fileKey } from '../log/replay.ts'
import type { DeltaField, PrimitiveName } from '../schema/schema.ts'
import type { DeltaTable } from '../table.ts'
import { deletedRows } from './deletion-vector.ts'
import type { RowBatch } from './row-batch.ts'
import { batches, connected, selected } from './rows.ts'

/** Which changes to read. */
export interface ChangeRowsOptions {
  /** The last version whose changes are known already; -1 for all from the first on. */
  readonly afterVersion: number
  /** The last version to read. Default: the newest. */
  readonly toVersion?: number
  /** Columns of the table in the order wanted. Default: all of version `toVersion`. */
  readonly columns?: readonly string[]
  /** As in `rows`; a batch holds rows of one version only. */
  readonly batchRows?: number
  /** As in `rows`: for this stream alone until it ends. Default: an engine for this stream. */
  readonly connection?: DuckDBConnection
}

const typeColumn = '_change_type'

const ownColumns: readonly DeltaField[] = (
  [
    [typeColumn, 'string'],
    ['_commit_version', 'long'],
    ['_commit_timestamp', 'timestamp'],
  ] satisfies readonly (readonly [string, PrimitiveName])[]
).map(([name, type]) => ({ name, type, nullable: true, metadata: {} }))

/**
 * The rows that versions `afterVersion`+1 .. `toVersion` put in and took out, version by version, in
 * the form of `rows` with three more columns: `_change_type` (`insert`, `delete`, and where the writer
 * kept a change feed `update_preimage` and `update_postimage`), `_commit_version` and
 * `_commit_timestamp`. Without a change feed a rewritten file shows its old rows as deleted and its new
 * rows as inserted. Compaction shows none. Delta: "Change Data Files".
 * @throws VersionNotAvailable, LogCorrupt, DataFileMissing (VACUUM took a removed file),
 *   DataFileUnreadable, DeletionVectorUnreadable, SchemaMismatch, StoreNotLocal, StreamInterrupted
 */
export async function* changeRows(
  table: DeltaTable,
  options: ChangeRowsOptions,
): AsyncGenerator<RowBatch, void, undefined> {
  const { afterVersion, toVersion } = options
  const snapshot = await table.snapshot(toVersion === undefined ? {} : { version: toVersion })
  const { version: last } = snapshot
  if (!(afterVersion >= -1 && afterVersion <= last)) {
    throw new VersionNotAvailable({
      table: table.store.location,
      where: `afterVersion ${afterVersion}`,
      what: 'is no version up to the last one wanted',
      expected: `a whole number from -1 to ${last}`,
      fix: 'pass the version up to which the changes are known, or -1',
    })
  }
  const columns = scanColumns(localRoot(table.store), snapshot, options)
  const fields = [...columns.fields, ...ownColumns]
  const { connection, close } = await connected(options.connection)
  try {
    for await (const change of table.changes(afterVersion, last)) {
      const parts = await partsOf(table, columns, change)
      if (parts.length === 0) continue
      const sql = `SELECT ${fields.map(selected).join(', ')} FROM (${parts.map((part) => part.sql).join(' UNION ALL ')})`
      const origin = { table, snapshot: change, files: parts.flatMap((part) => part.files) }
      yield* batches(connection, sql, fields, origin, options.batchRows)
    }
  } finally {
    close()
  }
}

/** Rows of one change type in one commit. */
interface ChangePart {
  readonly sql: string
  readonly files: readonly AddFile[]
}

async function partsOf(
  table: DeltaTable,
  columns: ScanColumns,
  change: Change,
): Promise<readonly ChangePart[]> {
  const { changeFiles } = change
  if (changeFiles.length > 0) return [changeFilePart(columns, change)]
  const adds = change.adds.filter(({ dataChange }) => dataChange)
  const removes = await withPartitions(
    table,
    columns,
    change,
    change.removes.filter(({ dataChange }) => dataChange),
  )
  const { inserted, deleted } = changedFiles(columns.root, adds, removes)
  return [
    ...partOf(columns, change, 'delete', deleted),
    ...partOf(columns, change, 'insert', inserted),
  ]
}

function partOf(
  columns: ScanColumns,
  change: Change,
  type: string,
  files: readonly ScanFile[],
): readonly ChangePart[] {
  if (files.length === 0) return []
  const sql = `SELECT *, ${sqlText(type)} AS ${sqlName(typeColumn)}, ${commitSql(change)} FROM ${scansOf(columns, files)}`
  return [{ sql, files: files.map(({ file }) => file) }]
}

/** Change files say the type of change row by row. */
function changeFilePart(columns: ScanColumns, change: Change): ChangePart {
  const [typeField] = ownColumns
  const withType: ScanColumns = {
    ...columns,
    // Their extra column has no number, and physical names are right in both modes of mapping.
    mode: columns.mode === 'none' ? 'none' : 'name',
    fields: [...columns.fields, ...(typeField === undefined ? [] : [typeField])],
  }
  const files = change.changeFiles.map((file, index) => ({ file, index }))
  const sql = `SELECT *, ${commitSql(change)} FROM ${scansOf(withType, files)}`
  return { sql, files: change.changeFiles }
}

function commitSql({ version, timestampMs }: Change): string {
  const instant = sqlText(new Date(timestampMs).toISOString())
  return `${version}::BIGINT AS "_commit_version", ${instant}::TIMESTAMPTZ AS "_commit_timestamp"`
}

/**
 * What changed in each file: all of it, or where a file was removed and added again with another
 * deletion vector, the rows in one vector and not in the other.
 */
function changedFiles(root: string, adds: readonly AddFile[], removes: readonly AddFile[]) {
  const pathOf = (file: AddFile) => decodeLogPath(file.path, root)
  const added = new Map(adds.map((file) => [pathOf(file), file]))
  const removed = new Map(removes.map((file) => [pathOf(file), file]))
  const inserted: ScanFile[] = []
  const deleted: ScanFile[] = []
  for (const [path, file] of added) {
    const before = removed.get(path)
    if (before === undefined) inserted.push(liveRows(file, root))
    else {
      const [old, now] = [vectorRows(before, root), vectorRows(file, root)]
      inserted.push(...onlyRows(file, without(old, now)))
      deleted.push(...onlyRows(file, without(now, old)))
    }
  }
  for (const [path, file] of removed) if (!added.has(path)) deleted.push(liveRows(file, root))
  return { inserted, deleted }
}

function liveRows(file: AddFile, root: string): ScanFile {
  if (file.deletionVector === undefined) return { file, index: 0 }
  return { file, index: 0, choice: { kind: 'all-but', rows: vectorRows(file, root) } }
}

function onlyRows(file: AddFile, rows: Float64Array): readonly ScanFile[] {
  return rows.length === 0 ? [] : [{ file, index: 0, choice: { kind: 'only', rows } }]
}

function vectorRows({ deletionVector }: AddFile, root: string): Float64Array {
  return deletionVector === undefined ? new Float64Array() : deletedRows(deletionVector, root)
}

/** The numbers of `a` that are not in `b`; both rise. */
function without(a: Float64Array, b: Float64Array): Float64Array {
  let at = 0
  return a.filter((row) => {
    while (at < b.length && b[at]! < row) at++
    return b[at] !== row
  })
}

/** Removed files as they were; old writers leave out the partition, which the version before knows. */
async function withPartitions(
  table: DeltaTable,
  columns: ScanColumns,
  change: Change,
  removes: readonly RemoveFile[],
): Promise<readonly AddFile[]> {
  const needsPartition = columns.fields.some(({ name }) => columns.partitionColumns.includes(name))
  const isKnown = removes.every(({ partitionValues }) => partitionValues !== undefined)
  const before: Snapshot | undefined =
    isKnown || !needsPartition ? undefined : await table.snapshot({ version: change.version - 1 })
  const root = columns.root
  const fileOf = new Map(before?.files.map((file) => [fileKey(file, root), file]))
  return removes.map((remove): AddFile => {
    const known = fileOf.get(fileKey(remove, root))
    return {
      modificationTime: 0,
      ...remove,
      partitionValues: remove.partitionValues ?? known?.partitionValues ?? {},
      size: remove.size ?? known?.size ?? 0,
    }
  })
}
