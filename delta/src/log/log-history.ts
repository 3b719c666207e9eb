import { VersionNotAvailable } from '../errors.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { AddFile, RemoveFile, Transaction } from './actions.ts'
import type { LogListing } from './log-reader.ts'
import { contiguous, listLog, readCommit, readCommits } from './log-reader.ts'

/** What one version changed, for incremental readers. */
export interface Change {
  readonly version: number
  readonly timestampMs: number
  /** Skip those with `dataChange: false`: they only rearrange rows. */
  readonly adds: readonly AddFile[]
  readonly removes: readonly RemoveFile[]
  readonly transactions: readonly Transaction[]
}

/** One version in a table's history. */
export interface HistoryEntry {
  readonly version: number
  readonly timestampMs: number
  readonly operation: string
  readonly operationParameters: Readonly<Record<string, unknown>>
  readonly operationMetrics: Readonly<Record<string, unknown>>
  readonly isBlindAppend: boolean
  readonly readVersion?: number
  readonly engineInfo?: string
}

/** The changes of versions `fromExclusive`+1 .. `toInclusive`, one commit read at a time. */
export async function* changesOf(
  store: ObjectStore,
  fromExclusive: number,
  toInclusive: number,
): AsyncGenerator<Change> {
  if (toInclusive <= fromExclusive) return
  const { commits } = await listLog(store, fromExclusive + 1)
  for (const file of contiguous(store, commits, fromExclusive + 1, toInclusive)) {
    const { version, timestampMs, adds, removes, transactions } = await readCommit(store, file)
    yield { version, timestampMs, adds, removes, transactions }
  }
}

/** The newest versions first, at most `limit`; older ones may have been cleaned from the log. */
export async function historyOf(
  store: ObjectStore,
  limit = Number.POSITIVE_INFINITY,
): Promise<readonly HistoryEntry[]> {
  const { commits } = await listLog(store, 0)
  const wanted = commits.slice(Math.max(0, commits.length - limit))
  const entries = (await readCommits(store, wanted)).map(
    ({ version, timestampMs, commitInfo }) => ({
      version,
      timestampMs,
      operation: commitInfo?.operation ?? 'UNKNOWN',
      operationParameters: commitInfo?.operationParameters ?? {},
      operationMetrics: commitInfo?.operationMetrics ?? {},
      isBlindAppend: commitInfo?.isBlindAppend ?? false,
      ...(commitInfo?.readVersion === undefined ? {} : { readVersion: commitInfo.readVersion }),
      ...(commitInfo?.engineInfo === undefined ? {} : { engineInfo: commitInfo.engineInfo }),
    }),
  )
  return entries.toReversed()
}

const instant = (ms: number) => (Number.isFinite(ms) ? new Date(ms).toISOString() : String(ms))

/**
 * The newest version committed at or before a time.
 * @throws VersionNotAvailable if the time is before the oldest commit or after the newest
 */
export async function versionAt(store: ObjectStore, timestampMs: number): Promise<number> {
  const { commits }: LogListing = await listLog(store, 0)
  const found = commits.findLast((commit) => commit.timestampMs <= timestampMs)
  const newest = commits.at(-1)
  if (found !== undefined && (found !== newest || newest.timestampMs === timestampMs)) {
    return found.version
  }
  const edge = found === undefined ? commits[0] : newest
  throw new VersionNotAvailable({
    table: store.location,
    where: `time ${instant(timestampMs)}`,
    what: found === undefined ? 'before the oldest commit' : 'after the newest commit',
    found:
      edge === undefined ? 'no commit' : `version ${edge.version} at ${instant(edge.timestampMs)}`,
    fix: 'ask for a time between the oldest and the newest commit, or for the newest version',
  })
}
