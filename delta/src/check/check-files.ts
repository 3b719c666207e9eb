import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { decodeLogPath, isAbsolutePath } from '../data/file-path.ts'
import { sqlPathList } from '../data/sql-text.ts'
import { parseStatistics } from '../data/statistics.ts'
import { localRoot } from '../data/write-files.ts'
import { DeltaError } from '../errors.ts'
import type { AddFile } from '../log/actions.ts'
import type { Snapshot } from '../log/replay.ts'
import { deletedRows } from '../read/deletion-vector.ts'
import type { DeltaTable } from '../table.ts'
import type { Findings } from './problem.ts'

/** A live file and where it lies on disk. */
export interface PlacedFile {
  readonly file: AddFile
  readonly path: string
}

/** Files whose footers are read in one query. */
const filesPerQuery = 256

/**
 * Looks at every data file of a snapshot: is it there, as long as the log says, a Parquet file of as
 * many rows as its statistics say, and can its deletion vector be read.
 * @returns the files without a fault
 */
export async function checkFiles(
  connection: DuckDBConnection,
  table: DeltaTable,
  snapshot: Snapshot,
  findings: Findings,
): Promise<readonly AddFile[]> {
  const root = localRoot(table.store)
  const placed: PlacedFile[] = []
  for (const [index, file] of snapshot.files.entries()) {
    findings.looked('files', index + 1, snapshot.files.length)
    const path = await presentPath(root, file, findings)
    if (path !== undefined && hasReadableVector(root, file, findings)) placed.push({ file, path })
  }
  const whole: AddFile[] = []
  for (let start = 0; start < placed.length; start += filesPerQuery) {
    const group = placed.slice(start, start + filesPerQuery)
    whole.push(...(await wholeFiles(connection, group, findings)))
  }
  return whole
}

async function presentPath(
  root: string,
  file: AddFile,
  findings: Findings,
): Promise<string | undefined> {
  const decoded = decodeLogPath(file.path, root)
  const path = isAbsolutePath(decoded) ? decoded : join(root, decoded)
  try {
    const { size } = await stat(path)
    if (size === file.size) return path
    findings.add({
      code: 'FILE_SIZE_DIFFERS',
      severity: 'error',
      where: file.path,
      what: 'is not as long as the log says; engines find the footer by that size',
      expected: `${file.size} bytes`,
      found: `${size} bytes`,
      fix: 'restore the file from a backup',
    })
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) throw cause
    findings.add({
      code: 'FILE_MISSING',
      severity: 'error',
      where: file.path,
      what: 'is part of the table and not on disk',
      fix: 'restore the file from a backup, or the table to a version without it',
    })
  }
  return undefined
}

function hasReadableVector(root: string, file: AddFile, findings: Findings): boolean {
  if (file.deletionVector === undefined) return true
  try {
    deletedRows(file.deletionVector, root)
    return true
  } catch (cause) {
    if (!(cause instanceof DeltaError)) throw cause
    findings.add({
      code: 'VECTOR_UNREADABLE',
      severity: 'error',
      where: file.path,
      what: `its deletion vector cannot be read: ${cause.facts.what}`,
      fix: cause.facts.fix,
    })
    return false
  }
}

/** The files whose footers can be read and tell the row counts of the log. */
async function wholeFiles(
  connection: DuckDBConnection,
  placed: readonly PlacedFile[],
  findings: Findings,
): Promise<readonly AddFile[]> {
  const counts = await footerRowCounts(connection, placed)
  if (counts instanceof Error) {
    if (placed.length > 1) {
      const halves = [placed.slice(0, placed.length >> 1), placed.slice(placed.length >> 1)]
      const parts = []
      for (const half of halves) parts.push(...(await wholeFiles(connection, half, findings)))
      return parts
    }
    findings.add({
      code: 'FILE_UNREADABLE',
      severity: 'error',
      where: placed[0]?.file.path ?? '',
      what: 'is no Parquet file, or its footer is damaged',
      expected: 'a readable footer',
      found: counts.message.split('\n')[0] ?? '',
      fix: 'restore the file from a backup, or the table to a version without it',
    })
    return []
  }
  return placed
    .filter(({ file, path }) => {
      const noted = parseStatistics(file)?.numRecords
      const found = counts.get(path)
      if (noted === undefined || noted === found) return true
      findings.add({
        code: 'ROW_COUNT_DIFFERS',
        severity: 'error',
        where: file.path,
        what: 'has not as many rows as its statistics say; engines answer count(*) from them',
        expected: `${noted} rows`,
        found: `${found} rows`,
        fix: 'rewrite the rows of the file',
      })
      return false
    })
    .map(({ file }) => file)
}

/** What the engine's errors begin with; anything else is a fault of this program. */
const engineError = /^[A-Z][A-Za-z ]+ (Error|Exception): /

/** Rows by path, or the engine's error if the footer of one of them cannot be read. */
async function footerRowCounts(
  connection: DuckDBConnection,
  placed: readonly PlacedFile[],
): Promise<ReadonlyMap<string, number> | Error> {
  if (placed.length === 0) return new Map()
  const paths = sqlPathList(placed.map(({ path }) => path))
  try {
    const sql = `SELECT file_name, num_rows FROM parquet_file_metadata(${paths})`
    const rows = (await connection.runAndReadAll(sql)).getRows()
    return new Map(rows.map(([name, count]) => [String(name), Number(count)]))
  } catch (cause) {
    if (cause instanceof Error && engineError.test(cause.message)) return cause
    throw cause
  }
}
