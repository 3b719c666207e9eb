import { inBatches } from '../data/batches.ts'
import {
  CheckpointUnreadable,
  LogCorrupt,
  ObjectNotFound,
  TableNotFound,
  VersionNotAvailable,
} from '../errors.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { parseActions } from './action-json.ts'
import type { Actions, Commit } from './actions.ts'
import { readCheckpoint, readHint } from './checkpoint-reader.ts'
import type { CheckpointFiles, CommitFile, LogListing } from './log-listing.ts'
import { contiguous, listLog, newestVersion } from './log-listing.ts'
import { commitPath } from './log-names.ts'
import type { LogState } from './replay.ts'
import { advance, emptyState, stateOfCheckpoint } from './replay.ts'

/**
 * The newest state, or that of `version`.
 * @throws TableNotFound, VersionNotAvailable, LogCorrupt (a gap, a torn line), CheckpointUnreadable
 */
export async function loadState(store: ObjectStore, version?: number): Promise<LogState> {
  const hint = await readHint(store)
  if (hint !== undefined && (version === undefined || hint.version <= version)) {
    // The hinted checkpoint is nearly always the one wanted, and takes longer than the listing.
    const ahead = hint.classicPath === undefined ? undefined : readAhead(store, hint.classicPath)
    const listing = await listLog(store, hint.version)
    if (listing.checkpoints.some((checkpoint) => checkpoint.version === hint.version)) {
      try {
        return await stateFromListing(store, listing, version, ahead)
      } catch (cause) {
        // An older checkpoint or the commits alone may still do; the full listing below decides.
        if (!(cause instanceof CheckpointUnreadable)) throw cause
      }
    }
  }
  const listing = await listLog(store, 0)
  const { commits, checkpoints, loneParts } = listing
  if (commits.length + checkpoints.length + loneParts.length === 0) {
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
  if (await isNewest(store, state.version)) return state
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

/**
 * True if no commit follows, by two small reads instead of a listing of the whole log. A missing
 * commit could also have been cleaned up, but then the hint points beyond it.
 */
async function isNewest(store: ObjectStore, version: number): Promise<boolean> {
  try {
    await store.read(commitPath(version + 1))
    return false
  } catch (cause) {
    if (!(cause instanceof ObjectNotFound)) throw cause
    const hint = await readHint(store)
    return hint !== undefined && hint.version <= version
  }
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

/** A checkpoint that is being read before it is known to be wanted. */
interface ReadAhead {
  readonly path: string
  readonly actions: Promise<Actions>
}

function readAhead(store: ObjectStore, path: string): ReadAhead {
  const actions = readCheckpoint(store, [path])
  // Where nobody comes to want it, its failure is nobody's concern.
  actions.catch(() => undefined)
  return { path, actions }
}

async function stateFromListing(
  store: ObjectStore,
  listing: LogListing,
  version: number | undefined,
  ahead?: ReadAhead,
): Promise<LogState> {
  const target = version ?? newestVersion(listing)
  const usable = listing.checkpoints.filter((checkpoint) => checkpoint.version <= target)
  let unreadable: unknown
  for (const checkpoint of usable.toReversed()) {
    try {
      return await stateFromCheckpoint(store, checkpoint, listing, target, ahead)
    } catch (cause) {
      if (!(cause instanceof CheckpointUnreadable)) throw cause
      unreadable = cause
    }
  }
  const startsAtZero = listing.commits[0]?.version === 0
  if (!startsAtZero && unreadable !== undefined) throw unreadable
  if (!startsAtZero) throw missingStart(store, listing, target)
  const commits = await readCommits(store, contiguous(store, listing.commits, 0, target))
  return advance(emptyState, commits, store.location)
}

async function stateFromCheckpoint(
  store: ObjectStore,
  checkpoint: CheckpointFiles,
  listing: LogListing,
  target: number,
  ahead: ReadAhead | undefined,
): Promise<LogState> {
  const { version, paths, modifiedMs } = checkpoint
  const isAhead = paths.length === 1 && paths[0] === ahead?.path
  const files = target <= version ? [] : contiguous(store, listing.commits, version + 1, target)
  const ofVersion = listing.commits.find((file) => file.version === version)
  // The database needs its time to start, so the commits are read meanwhile.
  const [actions, commits] = await Promise.all([
    isAhead && ahead !== undefined ? ahead.actions : readCheckpoint(store, paths),
    readCommits(store, files),
  ])
  const base = stateOfCheckpoint(actions, version, modifiedMs, store.location)
  const timestampMs = await timeOfVersion(store, base, ofVersion)
  return advance({ ...base, timestampMs }, commits, store.location)
}

/** A checkpoint does not say when its version was committed; the commit, if it is there, does. */
async function timeOfVersion(
  store: ObjectStore,
  base: LogState,
  file: CommitFile | undefined,
): Promise<number> {
  if (file === undefined) return base.timestampMs
  const isInCommit = base.metadata?.configuration['delta.enableInCommitTimestamps'] === 'true'
  return isInCommit ? (await readCommit(store, file)).timestampMs : file.timestampMs
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
  return new LogCorrupt({
    ...facts,
    found:
      listing.loneParts.length === 0 ? 'no checkpoint' : `only ${listing.loneParts.join(', ')}`,
    fix: 'restore the log from a backup',
  })
}
