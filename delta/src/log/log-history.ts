import { VersionNotAvailable } from '../errors.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { AddFile, Metadata, RemoveFile, Transaction } from './actions.ts'
import type { CommitFile } from './log-listing.ts'
import { contiguous, listLog } from './log-listing.ts'
import { readCommit, readCommits } from './log-reader.ts'

/** What one version changed, for incremental readers. */
export interface Change {
  readonly version: number
  readonly timestampMs: number
  /** Skip those with `dataChange: false`: they only rearrange rows. */
  readonly adds: readonly AddFile[]
  readonly removes: readonly RemoveFile[]
  /** Files that hold the changed rows themselves, where the writer kept a change feed. */
  readonly changeFiles: readonly AddFile[]
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
    const { changeFiles = [], ...commit } = await readCommit(store, file)
    const { version, timestampMs, adds, removes, transactions } = commit
    yield { version, timestampMs, adds, removes, changeFiles, transactions }
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
 * The newest version committed at or before a time. Where the table keeps times in its commits, those
 * count from the version on that switched them on; before it, the times of the files.
 * Delta: "In-Commit Timestamps".
 * @throws VersionNotAvailable if the time is before the oldest commit or after the newest
 * Cost: a listing; with in-commit timestamps also log2 of the number of commits read.
 */
export async function versionAt(
  store: ObjectStore,
  timestampMs: number,
  { configuration }: Pick<Metadata, 'configuration'>,
): Promise<number> {
  const { commits } = await listLog(store, 0)
  const isInCommit = configuration['delta.enableInCommitTimestamps'] === 'true'
  if (!isInCommit) return versionOf(store, timestampMs, await searched(commits, timestampMs))
  const firstVersion = Number(configuration['delta.inCommitTimestampEnablementVersion'] ?? 0)
  const firstMs = Number(configuration['delta.inCommitTimestampEnablementTimestamp'] ?? 0)
  const isOld = timestampMs < firstMs
  const wanted = commits.filter(({ version }) => version < firstVersion === isOld)
  const found = isOld
    ? await searched(wanted, timestampMs)
    : await searched(wanted, timestampMs, (file) => readCommit(store, file))
  // Before the switch the next version exists, so its last commit is not the end of time.
  return versionOf(store, timestampMs, isOld ? { ...found, isNewest: false } : found)
}

/** Where a search by time ended. */
interface FoundCommit {
  /** Undefined if the time is before every commit. */
  readonly commit?: CommitFile
  /** The commit nearest to the time, for the message. */
  readonly edge?: CommitFile
  readonly isNewest: boolean
}

/** The last commit at or before a time, by halving: times rise strictly. */
async function searched(
  commits: readonly CommitFile[],
  timestampMs: number,
  timed: (file: CommitFile) => CommitFile | Promise<CommitFile> = (file) => file,
): Promise<FoundCommit> {
  let low = 0
  let high = commits.length
  let commit: CommitFile | undefined
  let edge: CommitFile | undefined
  while (low < high) {
    const middle = (low + high) >> 1
    const file = commits[middle]
    if (file === undefined) break
    const { version, timestampMs: foundMs } = await timed(file)
    edge = { version, timestampMs: foundMs }
    if (foundMs <= timestampMs) {
      commit = edge
      low = middle + 1
    } else high = middle
  }
  const isNewest = commit !== undefined && commit.version === commits.at(-1)?.version
  return { ...(commit && { commit }), ...(edge && { edge: commit ?? edge }), isNewest }
}

function versionOf(
  store: ObjectStore,
  timestampMs: number,
  { commit, edge, isNewest }: FoundCommit,
): number {
  if (commit !== undefined && (!isNewest || commit.timestampMs === timestampMs)) {
    return commit.version
  }
  throw new VersionNotAvailable({
    table: store.location,
    where: `time ${instant(timestampMs)}`,
    what: commit === undefined ? 'before the oldest commit' : 'after the newest commit',
    found:
      edge === undefined ? 'no commit' : `version ${edge.version} at ${instant(edge.timestampMs)}`,
    fix: 'ask for a time between the oldest and the newest commit, or for the newest version',
  })
}
