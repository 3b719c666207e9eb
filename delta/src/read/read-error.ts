import { stat } from 'node:fs/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import { dataFilePath } from '../data/scan-sql.ts'
import { enginePath, sqlText } from '../data/sql-text.ts'
import { localRoot } from '../data/write-files.ts'
import { DataFileMissing, DataFileUnreadable, DeltaError } from '../errors.ts'
import type { AddFile } from '../log/actions.ts'
import type { Snapshot } from '../log/replay.ts'
import { isErrorCode } from '../store/folder-store.ts'
import type { DeltaTable } from '../table.ts'

/** Files that are looked at one by one when the engine does not say which one it means. */
const mostProbes = 1000

/** Where the files of a failed read belong to. */
export interface ReadOrigin {
  readonly table: DeltaTable | string
  readonly snapshot: Pick<Snapshot, 'version'>
  /** The files that were read. */
  readonly files: readonly AddFile[]
}

/**
 * What an error of the SQL engine means for the table: the data file that is missing, truncated,
 * damaged or of another type, as a typed error. Errors that are not about a data file come back as
 * they are, so the result can always be thrown.
 * @param connection where given, files are tried one by one if the engine names none
 */
export async function readErrorOf(
  cause: unknown,
  origin: ReadOrigin,
  connection?: DuckDBConnection,
): Promise<unknown> {
  if (cause instanceof DeltaError || !(cause instanceof Error)) return cause
  const root = typeof origin.table === 'string' ? origin.table : localRoot(origin.table.store)
  const message = cause.message
  // Behind this mark the engine quotes the query, which names other files too.
  const [statement = ''] = message.split('\nLINE ')
  const named = origin.files.find((file) => isNamedIn(statement, dataFilePath(root, file)))
  if (named !== undefined) return errorOf(root, origin, named, cause)
  if (!/^(?:IO|Invalid Input|Invalid|TransactionContext|Serialization) Error/.test(message)) {
    return cause
  }
  const culprit = await findCulprit(root, origin.files, connection)
  return culprit === undefined ? cause : errorOf(root, origin, culprit, cause)
}

function isNamedIn(message: string, path: string): boolean {
  return [path, enginePath(path)].some((text) => {
    const at = message.indexOf(text)
    // A longer path that begins alike is another file.
    return at >= 0 && /^["'\s:,;)]|^$/.test(message.slice(at + text.length))
  })
}

async function errorOf(
  root: string,
  { snapshot }: ReadOrigin,
  file: AddFile,
  cause: Error,
): Promise<DeltaError> {
  const path = dataFilePath(root, file)
  const facts = { table: root, where: `version ${snapshot.version}, file ${file.path}`, cause }
  const sizeBytes = await sizeOf(path)
  if (sizeBytes === 'missing') {
    return new DataFileMissing({
      ...facts,
      what: 'data file is missing',
      expected: path,
      fix: 'restore it from a backup, or read a version whose files VACUUM has left',
    })
  }
  if (sizeBytes !== undefined && sizeBytes !== file.size && file.size > 0) {
    return new DataFileUnreadable({
      ...facts,
      what: 'data file is truncated or was changed',
      expected: `${file.size} bytes`,
      found: `${sizeBytes} bytes (${firstLine(cause)})`,
      fix: 'restore it from a backup, or remove it from the table',
    })
  }
  return new DataFileUnreadable({
    ...facts,
    what: 'data file cannot be read',
    expected: 'a Parquet file with the columns of the schema',
    found: firstLine(cause),
    fix: 'restore it from a backup, or remove it from the table',
  })
}

function firstLine(cause: Error): string {
  return cause.message.split('\n')[0] ?? ''
}

/**
 * The first file that is missing, of another size than the log says, or without a sound footer; where
 * all footers are sound, the first whose rows cannot be read.
 */
async function findCulprit(
  root: string,
  files: readonly AddFile[],
  connection: DuckDBConnection | undefined,
): Promise<AddFile | undefined> {
  for (const file of files.slice(0, mostProbes)) {
    const path = dataFilePath(root, file)
    const sizeBytes = await sizeOf(path)
    if (sizeBytes === 'missing') return file
    if (sizeBytes !== undefined && sizeBytes !== file.size) return file
    if (connection !== undefined && !(await isReadable(connection, path, 'footer'))) return file
  }
  if (connection === undefined) return undefined
  for (const file of files.slice(0, mostProbes)) {
    if (!(await isReadable(connection, dataFilePath(root, file), 'rows'))) return file
  }
  return undefined
}

async function isReadable(
  connection: DuckDBConnection,
  path: string,
  part: 'footer' | 'rows',
): Promise<boolean> {
  const source = `read_parquet([${sqlText(enginePath(path))}], hive_partitioning=false) AS file_rows`
  try {
    await connection.run(
      part === 'footer'
        ? `SELECT * FROM ${source} LIMIT 0`
        : `SELECT max(hash(file_rows)) FROM ${source}`,
    )
    return true
  } catch (cause) {
    // The engine's own errors say that it cannot read the file, which is the answer here.
    if (cause instanceof Error) return false
    throw cause
  }
}

async function sizeOf(path: string): Promise<number | 'missing' | undefined> {
  try {
    return (await stat(path)).size
  } catch (cause) {
    if (isErrorCode(cause, 'ENOENT')) return 'missing'
    // A remote path, or one the process may not look at: nothing is known.
    return undefined
  }
}
