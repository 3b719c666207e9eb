import { createHash } from 'node:crypto'
import { mkdir, rename, rmdir, unlink } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { InvalidPartitionValue, StoreNotLocal } from '../errors.ts'
import type { AddFile, PartitionValues } from '../log/actions.ts'
import type { Snapshot } from '../log/replay.ts'
import { isErrorCode, syncPath } from '../store/folder-store.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { DeltaTable } from '../table.ts'
import { inBatches } from './batches.ts'
import type { FileReport } from './copy-report.ts'
import { columnKey, runCopy } from './copy-report.ts'
import { encodeLogPath, isPlainName } from './file-path.ts'
import { withoutMarkedTexts } from './marked-texts.ts'
import { logPartitionValues } from './partition-text.ts'
import { asNullNotAllowed, requiredGuard } from './required-columns.ts'
import { alignedColumns } from './row-alignment.ts'
import { sqlName, sqlText } from './sql-text.ts'
import { indexedColumns, statisticsText } from './statistics.ts'

/** How to lay out the files. */
export interface WriteOptions {
  /**
   * SQL sort terms, for instance `['device_id', 'event_time DESC']`. Default: the query's order. With
   * several partitions written in parallel the order inside a file is only nearly kept.
   */
  readonly orderBy?: readonly string[]
  /** Rows per Parquet row group. Default 122,880. */
  readonly rowGroupRows?: number
  /**
   * The partition that all rows belong to; the query's own partition columns are then ignored.
   * Default: rows are split by their partition columns.
   */
  readonly partitionValues?: PartitionValues
  /**
   * Start a new file after about so many rows; whole row groups. Not where rows are split by
   * partition. Default: one file per partition value.
   */
  readonly targetFileRows?: number
  /** Parquet codec. Default `zstd`. */
  readonly compression?: 'zstd' | 'snappy'
  /** The snapshot whose schema to write. Default: the newest. */
  readonly snapshot?: Snapshot
  /** Modification time noted in the log, milliseconds since 1970. Default: the host's clock. */
  readonly timestampMs?: number
}

/** Rows per row group: DuckDB's vector size times 60, its own default. */
export const defaultRowGroupRows = 122_880

/**
 * Different values in a row group up to which a column gets a dictionary. Beyond, zstd makes plain pages
 * as small or smaller, and the search for a dictionary is a third of the writing time (measured on 14
 * columns of doubles with 4,000 values: 0.39 s and 5.2 MB against 0.50 s and 8.0 MB per million rows).
 */
const dictionaryValues = 2048

/** Folder name of the null value, by Hive's habit. */
const nullFolder = '__HIVE_DEFAULT_PARTITION__'

/** Tag with the number of columns in a data file: with additions only, it tells whether all are there. */
export const columnCountTag = 'columnCount'

/**
 * Writes the rows of a query as durable data files of the table, with statistics. Nothing is part of
 * the table until the result is passed to `commit` as `adds`; files never committed are orphans that
 * VACUUM removes. A column the query lacks is null; narrower numbers are widened.
 * @param connection with the session setting `TimeZone='UTC'`
 * @returns one entry per file, none for a query without rows
 * @throws SchemaMismatch, InvalidPartitionValue, NullNotAllowed, StoreNotLocal
 * The engine keeps 100 partitions open at a time (its setting `partitioned_write_max_open_files`): rows
 * that jump between more of them make several files each, so sort a backfill by partition first.
 * A partition text longer than a folder name allows (255 bytes, escaped) fails in the engine.
 * Cost: one pass; 1 to 1.5 M rows/s for 20 columns of NDJSON on two cores.
 */
export async function writeFiles(
  connection: DuckDBConnection,
  table: DeltaTable,
  sqlQuery: string,
  options: WriteOptions = {},
): Promise<readonly AddFile[]> {
  const root = localRoot(table.store)
  const snapshot = options.snapshot ?? (await table.snapshot())
  const kept = options.partitionValues === undefined ? [] : snapshot.partitionColumns
  const columns = await alignedColumns(connection, sqlQuery, snapshot.schema, root, kept)
  const order = options.orderBy === undefined ? '' : ` ORDER BY ${options.orderBy.join(', ')}`
  const guard = requiredGuard(snapshot.schema, kept)
  const query =
    `SELECT * FROM (SELECT ${columns.join(', ')} FROM (${sqlQuery}\n) AS rows_to_write)` +
    ` AS aligned_rows${guard}${order}`
  const folder = targetFolder(root, snapshot, options)
  await mkdir(folder, { recursive: true })
  const target = copyTarget(folder, table.host.uuid(), snapshot, options)
  const reports = await copied(connection, `COPY (${query}) TO ${target}`, snapshot, options, root)
  const written = await keepNonEmpty(reports)
  await checkPartitionValues(written, root)
  const placed = await inBatches(written, 16, (report) => withPlainFolder(report, snapshot, root))
  await syncAll(placed, root)
  const textKeys = indexedColumns(snapshot.schema, snapshot.metadata)
    .filter(({ type }) => type === 'string')
    .map(({ path }) => columnKey(path))
  const reliable = await withoutMarkedTexts(connection, placed, textKeys)
  return addedFiles(reliable, table, snapshot, options)
}

/** Files that were written, as the log has them. */
export function addedFiles(
  reports: readonly FileReport[],
  table: DeltaTable,
  snapshot: Snapshot,
  options: WriteOptions,
): readonly AddFile[] {
  const root = localRoot(table.store)
  const indexed = indexedColumns(snapshot.schema, snapshot.metadata)
  const columnCount = snapshot.schema.fields.length - snapshot.partitionColumns.length
  const timestampMs = options.timestampMs ?? table.host.nowMs()
  return reports.map((report) => ({
    path: encodeLogPath(relative(root, report.file).split(sep).join('/')),
    partitionValues: report.partitionValues,
    size: report.sizeBytes,
    modificationTime: timestampMs,
    dataChange: true,
    stats: statisticsText(indexed, report),
    tags: { [columnCountTag]: String(columnCount) },
  }))
}

/** Runs the COPY; partition values of the reports are in the spelling of the log. */
async function copied(
  connection: DuckDBConnection,
  copySql: string,
  { schema }: Snapshot,
  options: WriteOptions,
  root: string,
): Promise<readonly FileReport[]> {
  try {
    const reports = await runCopy(connection, copySql)
    return reports.map((report) => ({
      ...report,
      partitionValues:
        options.partitionValues ?? logPartitionValues(report.partitionValues, schema),
    }))
  } catch (cause) {
    throw asNullNotAllowed(cause, root)
  }
}

/**
 * The folder behind a store.
 * @throws StoreNotLocal
 */
export function localRoot(store: ObjectStore): string {
  if (store.localFolder !== undefined) return store.localFolder
  throw new StoreNotLocal({
    table: store.location,
    what: 'the store has no local folder, so SQL cannot reach its data files',
    fix: 'use folderStore, or a store with localFolder',
  })
}

/** Takes uncommitted data files away again. */
export async function discardFiles(table: DeltaTable, files: readonly AddFile[]): Promise<void> {
  await inBatches(files, 16, (file) => table.store.remove(decodeURIComponent(file.path)))
}

function targetFolder(root: string, snapshot: Snapshot, options: WriteOptions): string {
  const { partitionValues } = options
  if (partitionValues === undefined) return root
  return join(root, ...partitionFolders(snapshot.partitionColumns, partitionValues))
}

function copyTarget(
  folder: string,
  uuid: string,
  snapshot: Snapshot,
  options: WriteOptions,
): string {
  const { targetFileRows, rowGroupRows = defaultRowGroupRows, compression = 'zstd' } = options
  const settings = [
    'FORMAT parquet',
    `COMPRESSION ${compression}`,
    `ROW_GROUP_SIZE ${rowGroupRows}`,
    // A reader of these, DuckDB 1.5.5, takes binary values for absent (duckdb/duckdb #24994), and -0.
    'WRITE_BLOOM_FILTER false',
    // Snappy alone would leave columns of repeated numbers twice as large.
    ...(compression === 'zstd' ? [`DICTIONARY_SIZE_LIMIT ${dictionaryValues}`] : []),
    'RETURN_STATS',
  ]
  const partitionBy = options.partitionValues === undefined ? snapshot.partitionColumns : []
  const isOneFile = partitionBy.length === 0 && targetFileRows === undefined
  if (isOneFile) {
    const file = join(folder, `part-00000-${uuid}-c000.${compression}.parquet`)
    return `${sqlText(file)} (${settings.join(', ')})`
  }
  // APPEND demands a fresh {uuid} in every name, so no file is ever overwritten.
  settings.push('APPEND', `FILENAME_PATTERN 'part-{uuid}-c000.${compression}'`)
  if (partitionBy.length > 0) {
    settings.push(`PARTITION_BY (${partitionBy.map(sqlName).join(', ')})`)
  } else if (targetFileRows !== undefined) {
    const groups = Math.max(1, Math.round(targetFileRows / rowGroupRows))
    settings.push(`ROW_GROUPS_PER_FILE ${groups}`)
  }
  return `${sqlText(folder)} (${settings.join(', ')})`
}

async function keepNonEmpty(reports: readonly FileReport[]): Promise<readonly FileReport[]> {
  const empty = reports.filter(({ rowCount }) => rowCount === 0)
  for (const { file } of empty) await unlink(file)
  return reports.filter(({ rowCount }) => rowCount > 0)
}

/** The empty text means null in the log, so rows with it would come back changed. */
async function checkPartitionValues(reports: readonly FileReport[], root: string): Promise<void> {
  for (const { partitionValues } of reports) {
    const name = Object.keys(partitionValues).find((key) => partitionValues[key] === '')
    if (name === undefined) continue
    for (const { file } of reports) await unlink(file)
    throw new InvalidPartitionValue({
      table: root,
      where: `column ${name}`,
      what: 'empty text as partition value, which the log cannot tell from null',
      fix: 'write NULL or a placeholder',
    })
  }
}

/**
 * The file in a folder whose name needs no escaping: values with other characters are hashed, since
 * the log holds the truth. The engine itself would escape them in a way of its own.
 */
async function withPlainFolder(
  report: FileReport,
  snapshot: Snapshot,
  root: string,
): Promise<FileReport> {
  const { partitionValues } = report
  const folder = join(root, ...partitionFolders(snapshot.partitionColumns, partitionValues))
  if (dirname(report.file) === folder) return report
  const file = join(folder, report.file.slice(dirname(report.file).length + 1))
  await mkdir(folder, { recursive: true })
  await rename(report.file, file)
  await removeEmptyFolder(dirname(report.file))
  return { ...report, file }
}

/** Hive-style folder names of partition values; values that need escaping are hashed. */
export function partitionFolders(
  columns: readonly string[],
  values: PartitionValues,
): readonly string[] {
  return columns.map((name) => {
    const value = values[name] ?? null
    if (value === null) return `${name}=${nullFolder}`
    if (isPlainName(value) && !readsAsNull(value)) return `${name}=${value}`
    const digest = createHash('sha256').update(value).digest('hex')
    return `${name}=hash-${digest.slice(0, 16)}`
  })
}

/** Folder values that the engine, or Hive, takes for null. */
function readsAsNull(value: string): boolean {
  return value === nullFolder || value.toLowerCase() === 'null'
}

async function removeEmptyFolder(folder: string): Promise<void> {
  try {
    await rmdir(folder)
  } catch (cause) {
    // Another file is still in it or another task was first; an empty folder harms nobody.
    const isHarmless = isErrorCode(cause, 'ENOTEMPTY') || isErrorCode(cause, 'ENOENT')
    if (!isHarmless) throw cause
  }
}

/** Makes the files, and the folders that name them up to the root, durable. */
async function syncAll(reports: readonly FileReport[], root: string): Promise<void> {
  const folders = new Set<string>()
  for (const { file } of reports) {
    for (let folder = dirname(file); folder.length > root.length; folder = dirname(folder)) {
      folders.add(folder)
    }
  }
  if (reports.length > 0) folders.add(root)
  const files = reports.map(({ file }) => file)
  await inBatches([...files, ...folders], 16, (path) => syncPath(path))
}
