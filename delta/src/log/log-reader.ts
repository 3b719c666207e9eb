import { inBatches } from '../data/batches.ts'
import { CheckpointUnreadable, LogCorrupt, TableNotFound, VersionNotAvailable } from '../errors.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { parseActions } from './action-json.ts'
import type { Commit } from './actions.ts'
import { readCheckpoint, readHint } from './checkpoint.ts'
import { commitPath, logFolder, parseLogName, versionDigits } from './log-names.ts'
import type { LogState } from './replay.ts'
import { advance, emptyState, stateOfCheckpoint } from './replay.ts'

/** A commit file that is there. */
export interface CommitFile {
  readonly version: number
  /** Time of the commit file, made strictly rising from the first one listed. */
  readonly timestampMs: number
}

/** A checkpoint of which every part is there. */
interface CheckpointFiles {
  readonly version: number
  readonly paths: readonly string[]
  readonly modifiedMs: number
}

/** The log's files from a version on. */
export interface LogListing {
  readonly commits: readonly CommitFile[]
  readonly checkpoints: readonly CheckpointFiles[]
  readonly hasV2Checkpoint: boolean
}

/**
 * The newest state, or that of `version`.
 * @throws TableNotFound, VersionNotAvailable, LogCorrupt (a gap, a torn line), CheckpointUnreadable
 */
export async function loadState(store: ObjectStore, version?: number): Promise<LogState> {
  const hint = await readHint(store)
  const usesHint = hint !== undefined && (version === undefined || hint <= version)
  if (usesHint) {
    const listing = await listLog(store, hint)
    const hinted = listing.checkpoints.some((checkpoint) => checkpoint.version === hint)
    if (hinted) {
      try {
        return await stateFromListing(store, listing, version)
      } catch (cause) {
        // An older checkpoint or the commits alone may still do; the full listing below decides.
        if (!(cause instanceof CheckpointUnreadable)) throw cause
      }
    }
  }
  const listing = await listLog(store, 0)
  if (listing.commits.length === 0 && listing.checkpoints.length === 0) {
    throw new TableNotFound({
      table: store.location,
      what: 'no Delta table here (no commit or checkpoint in _delta_log)',
      fix: 'check the folder, or create the table',
    })
  }
  return await stateFromListing(store, listing, version)
}

/** The newest state, read on from a known one; the same object if nothing was committed since. */
export async function newerState(store: ObjectStore, state: LogState): Promise<LogState> {
  const listing = await listLog(store, state.version + 1)
  const first = listing.commits[0]
  const last = listing.commits.at(-1)
  if (first === undefined || last === undefined) {
    return listing.checkpoints.length === 0 ? state : await loadState(store)
  }
  // A log clean-up may have taken the commits that follow a state kept for very long.
  if (first.version !== state.version + 1) return await loadState(store)
  let timestampMs = state.timestampMs
  const files = contiguous(store, listing.commits, first.version, last.version).map((file) => {
    timestampMs = Math.max(file.timestampMs, timestampMs + 1)
    return { version: file.version, timestampMs }
  })
  return advance(state, await readCommits(store, files), store.location)
}

/** The log's files from version `from` on, by their names. */
export async function listLog(store: ObjectStore, from: number): Promise<LogListing> {
  const objects = await store.list(logFolder, { startAfter: logFolder + versionDigits(from) })
  const commits: CommitFile[] = []
  const parts = new Map<string, { paths: string[]; modifiedMs: number }>()
  const checkpoints: CheckpointFiles[] = []
  let hasV2Checkpoint = false
  let timestampMs = Number.NEGATIVE_INFINITY
  for (const { path, modifiedMs } of objects) {
    const name = parseLogName(path)
    if (name.kind === 'commit') {
      timestampMs = Math.max(modifiedMs, timestampMs + 1)
      commits.push({ version: name.version, timestampMs })
    } else if (name.kind === 'checkpoint') {
      const key = `${name.version}/${name.partCount}`
      const entry = parts.get(key) ?? { paths: [], modifiedMs }
      entry.paths.push(path)
      parts.set(key, entry)
      if (entry.paths.length === name.partCount) {
        checkpoints.push({ version: name.version, ...entry })
      }
    } else if (name.kind === 'v2-checkpoint') {
      hasV2Checkpoint = true
    }
  }
  checkpoints.sort((a, b) => a.version - b.version)
  return { commits, checkpoints, hasV2Checkpoint }
}

/** Reads and parses one commit. */
export async function readCommit(store: ObjectStore, file: CommitFile): Promise<Commit> {
  const path = commitPath(file.version)
  const text = new TextDecoder().decode(await store.read(path))
  const actions = parseActions(text.split('\n'), { table: store.location, where: path })
  const timestampMs = actions.commitInfo?.inCommitTimestamp ?? file.timestampMs
  return { ...actions, version: file.version, timestampMs }
}

/** Reads commits, several at a time, in order. */
export async function readCommits(
  store: ObjectStore,
  files: readonly CommitFile[],
): Promise<readonly Commit[]> {
  return await inBatches(files, 16, (file) => readCommit(store, file))
}

/**
 * The commits of versions `first`..`last`, all of them.
 * @throws LogCorrupt for a gap, VersionNotAvailable if the log starts later or ends earlier
 */
export function contiguous(
  store: ObjectStore,
  commits: readonly CommitFile[],
  first: number,
  last: number,
): readonly CommitFile[] {
  const wanted = commits.filter(({ version }) => version >= first && version <= last)
  wanted.forEach((commit, index) => {
    if (commit.version === first + index) return
    const isStart = index === 0
    const facts = {
      table: store.location,
      where: `version ${first + index}`,
      what: 'commit is missing',
      found: `next is version ${commit.version}`,
    }
    if (isStart) {
      const fix = `ask for a version from ${commit.version} on`
      throw new VersionNotAvailable({ ...facts, fix })
    }
    throw new LogCorrupt({ ...facts, fix: 'restore the missing commit from a backup' })
  })
  if (wanted.length < last - first + 1) {
    throw new VersionNotAvailable({
      table: store.location,
      where: `version ${last}`,
      what: 'not in the log',
      found: `newest is ${commits.at(-1)?.version ?? 'none'}`,
      fix: 'ask for a version that exists',
    })
  }
  return wanted
}

async function stateFromListing(
  store: ObjectStore,
  listing: LogListing,
  version: number | undefined,
): Promise<LogState> {
  const newest = Math.max(
    listing.commits.at(-1)?.version ?? -1,
    listing.checkpoints.at(-1)?.version ?? -1,
  )
  const target = version ?? newest
  const usable = listing.checkpoints.filter((checkpoint) => checkpoint.version <= target)
  let unreadable: unknown
  for (const checkpoint of usable.toReversed()) {
    try {
      const actions = await readCheckpoint(store, checkpoint.paths)
      const commit = listing.commits.find((file) => file.version === checkpoint.version)
      const timestampMs = commit?.timestampMs ?? checkpoint.modifiedMs
      const base = stateOfCheckpoint(actions, checkpoint.version, timestampMs, store.location)
      return await advanceTo(store, base, listing, target)
    } catch (cause) {
      if (!(cause instanceof CheckpointUnreadable)) throw cause
      unreadable = cause
    }
  }
  const startsAtZero = listing.commits[0]?.version === 0
  if (!startsAtZero && unreadable !== undefined) throw unreadable
  if (!startsAtZero) throw missingStart(store, listing, target)
  return await advanceTo(store, emptyState, listing, target)
}

async function advanceTo(
  store: ObjectStore,
  base: LogState,
  listing: LogListing,
  target: number,
): Promise<LogState> {
  if (target <= base.version) return base
  const files = contiguous(store, listing.commits, base.version + 1, target)
  return advance(base, await readCommits(store, files), store.location)
}

function missingStart(
  store: ObjectStore,
  listing: LogListing,
  target: number,
): VersionNotAvailable | LogCorrupt {
  const oldest = listing.checkpoints[0]?.version
  const facts = {
    table: store.location,
    where: `version ${target}`,
    what: 'cannot be rebuilt: the commits before it are gone',
  }
  if (oldest !== undefined) {
    return new VersionNotAvailable({
      ...facts,
      found: `oldest is ${oldest}`,
      fix: `ask for version ${oldest} or later`,
    })
  }
  const found = listing.hasV2Checkpoint ? 'only a V2 checkpoint' : 'no checkpoint'
  return new LogCorrupt({ ...facts, found, fix: 'restore the log from a backup' })
}
