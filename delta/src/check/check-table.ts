import { DeltaError } from '../errors.ts'
import { listLog } from '../log/log-reader.ts'
import { openTable } from '../open-table.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { SnapshotRequest } from '../table.ts'
import { withEngine } from '../write/engine.ts'
import { checkFiles } from './check-files.ts'
import { checkLog } from './check-log.ts'
import type { CheckCounts, Findings, Problem } from './problem.ts'

/** What to check, and whom to tell. */
export interface CheckOptions {
  /** The version whose data files are looked at. Default: the newest. */
  readonly at?: SnapshotRequest
  /** `log`: only the log. `files`: also every data file and its footer. Default `files`. */
  readonly depth?: 'log' | 'files'
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
 * data file is there with the size and row count of the log, deletion vectors can be read. Finds all
 * faults instead of stopping at the first; changes nothing.
 * @throws TableNotFound, StoreNotLocal (for data files)
 * Cost: reads the whole log and the footer of every data file, about 0.2 ms per file.
 */
export async function checkTable(
  store: ObjectStore,
  options: CheckOptions = {},
): Promise<CheckReport> {
  const { depth = 'files', onProgress = () => undefined } = options
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
  const version = depth === 'log' ? undefined : await checkData(store, options.at ?? {}, findings)
  return { location: store.location, version, counts, problems }
}

async function checkData(
  store: ObjectStore,
  at: SnapshotRequest,
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
  await withEngine(({ connection }) => checkFiles(connection, table, snapshot, findings))
  return snapshot.version
}

async function openSnapshot(store: ObjectStore, at: SnapshotRequest) {
  const table = await openTable(store)
  return { table, snapshot: await table.snapshot(at) }
}
