import type { DuckDBConnection } from '@duckdb/node-api'
import { DeltaError } from '../errors.ts'
import type { AddFile } from '../log/actions.ts'
import { listLog } from '../log/log-listing.ts'
import type { Snapshot } from '../log/replay.ts'
import { openTable } from '../open-table.ts'
import { checkStatistics } from '../read/check-statistics.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { DeltaTable, SnapshotRequest } from '../table.ts'
import { withEngine } from '../write/engine.ts'
import { checkFiles } from './check-files.ts'
import { checkLog } from './check-log.ts'
import type { CheckCounts, Findings, Problem } from './problem.ts'

/** What to check, and whom to tell. */
export interface CheckOptions {
  /** The version whose data files are looked at. Default: the newest. */
  readonly at?: SnapshotRequest
  /**
   * `log`: only the log. `files`: also every data file and its footer. `rows`: also all rows, which
   * the statistics must not deny. Default `rows`.
   */
  readonly depth?: 'log' | 'files' | 'rows'
  /** Told how far the check is; `total` is 0 where it is not known. */
  readonly onProgress?: (label: keyof CheckCounts, done: number, total: number) => void
}

/** What a check found. */
export interface CheckReport {
  readonly location: string
  /** The version whose data files were looked at; undefined if it could not be opened. */
  readonly version: number | undefined
  readonly counts: CheckCounts
  readonly problems: readonly Problem[]
}

/**
 * Checks a table from the bottom up: commits are contiguous and readable and do not contradict
 * themselves, checkpoints and checksums say what the commits say, the hint names a checkpoint, every
 * data file is there with the size and row count of the log, deletion vectors can be read, statistics
 * are true. Finds all faults instead of stopping at the first; changes nothing.
 * @throws TableNotFound, StoreNotLocal (for data files)
 * Cost: reads the whole log and, unless told less, every data file in full.
 */
export async function checkTable(
  store: ObjectStore,
  options: CheckOptions = {},
): Promise<CheckReport> {
  const { depth = 'rows', onProgress = () => undefined } = options
  const problems: Problem[] = []
  const counts = { commits: 0, checkpoints: 0, checksums: 0, files: 0, statistics: 0 }
  const findings: Findings = {
    add: (problem) => problems.push(problem),
    looked: (label, done = 0, total = 0) => {
      counts[label] += 1
      onProgress(label, done === 0 ? counts[label] : done, total)
    },
  }
  const { commits, checkpoints } = await listLog(store, 0)
  // Throws TableNotFound where there is nothing to check.
  if (commits.length + checkpoints.length === 0) await openTable(store)
  await checkLog(store, findings)
  const version =
    depth === 'log' ? undefined : await checkData(store, options.at ?? {}, depth, findings)
  return { location: store.location, version, counts, problems }
}

async function checkData(
  store: ObjectStore,
  at: SnapshotRequest,
  depth: 'files' | 'rows',
  findings: Findings,
): Promise<number | undefined> {
  let opened: Awaited<ReturnType<typeof openSnapshot>>
  try {
    opened = await openSnapshot(store, at)
  } catch (cause) {
    if (!(cause instanceof DeltaError) || cause.code === 'STORE_NOT_LOCAL') throw cause
    const { where = store.location, what, fix } = cause.facts
    findings.add({ code: 'COMMIT_UNREADABLE', severity: 'error', where, what, fix })
    return undefined
  }
  const { table, snapshot } = opened
  await withEngine(async (connection) => {
    const whole = await checkFiles(connection, table, snapshot, findings)
    if (depth === 'rows') await checkRows(connection, table, snapshot, whole, findings)
  })
  return snapshot.version
}

async function openSnapshot(store: ObjectStore, at: SnapshotRequest) {
  const table = await openTable(store)
  return { table, snapshot: await table.snapshot(at) }
}

/** Compares the statistics of files with their rows. */
async function checkRows(
  connection: DuckDBConnection,
  table: DeltaTable,
  snapshot: Snapshot,
  files: readonly AddFile[],
  findings: Findings,
): Promise<void> {
  for (const [index, file] of files.entries()) {
    findings.looked('statistics', index + 1, files.length)
    try {
      const faults = await checkStatistics(table, { snapshot, files: [file], connection })
      for (const { path, column, what, expected, found } of faults) {
        findings.add({
          code: 'STATISTICS_LIE',
          severity: 'error',
          where: column === undefined ? path : `${path}, column ${column}`,
          what: `its rows deny the ${what} of the log; engines that skip by it lose rows`,
          expected,
          found,
          fix: 'write the rows of the file anew',
        })
      }
    } catch (cause) {
      if (!(cause instanceof DeltaError)) throw cause
      const { what, fix } = cause.facts
      findings.add({ code: 'FILE_UNREADABLE', severity: 'error', where: file.path, what, fix })
    }
  }
}
