import { LogCorrupt, VersionNotAvailable } from '../errors.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { logFolder, parseLogName, versionDigits } from './log-names.ts'

/** A commit file that is there. */
export interface CommitFile {
  readonly version: number
  /** Time of the commit file, made strictly rising from the first one listed. */
  readonly timestampMs: number
}

/** A checkpoint of which every part is there; sidecars are named inside. */
export interface CheckpointFiles {
  readonly version: number
  readonly paths: readonly string[]
  readonly modifiedMs: number
}

/** The log's files from a version on. */
export interface LogListing {
  readonly commits: readonly CommitFile[]
  readonly checkpoints: readonly CheckpointFiles[]
  /** Paths of multi-part checkpoints that lack a part. */
  readonly loneParts: readonly string[]
}

/**
 * The log's files from version `from` on, by their names. A listing is no moment: a commit made while
 * it runs may be in it and the one right before it not. What it shows was there when it ended, so a
 * second listing, looked at up to there, has everything before; a gap in that one is a real gap.
 */
export async function listLog(store: ObjectStore, from: number): Promise<LogListing> {
  const listing = await listOnce(store, from)
  if (!hasGap(listing)) return listing
  const newest = newestVersion(listing)
  const { commits, checkpoints, loneParts } = await listOnce(store, from)
  return {
    commits: commits.filter(({ version }) => version <= newest),
    checkpoints: checkpoints.filter(({ version }) => version <= newest),
    loneParts,
  }
}

/** The newest version of which the listing shows anything; −1 if there is none. */
export function newestVersion({ commits, checkpoints }: LogListing): number {
  return Math.max(commits.at(-1)?.version ?? -1, checkpoints.at(-1)?.version ?? -1)
}

/** True if a commit is missing between two others, or right after the newest checkpoint. */
function hasGap({ commits, checkpoints }: LogListing): boolean {
  const checkpoint = checkpoints.at(-1)?.version
  return commits.some(({ version }, i) => {
    const previous = commits[i - 1]?.version
    if (previous !== undefined && version !== previous + 1) return true
    // The first commit listed may follow the checkpoint, whose own commit was cleaned up.
    return i === 0 && checkpoint !== undefined && version > checkpoint + 1
  })
}

async function listOnce(store: ObjectStore, from: number): Promise<LogListing> {
  const objects = await store.list(logFolder, { startAfter: logFolder + versionDigits(from) })
  const commits: CommitFile[] = []
  const checkpoints: CheckpointFiles[] = []
  const parts = new Map<string, string[]>()
  let timestampMs = Number.NEGATIVE_INFINITY
  for (const { path, modifiedMs } of objects) {
    const name = parseLogName(path)
    if (name.kind === 'commit') {
      timestampMs = Math.max(modifiedMs, timestampMs + 1)
      commits.push({ version: name.version, timestampMs })
    } else if (name.kind === 'checkpoint') {
      const { version, part, partCount } = name
      if (part < 1 || part > partCount) continue
      const key = partCount === 1 ? path : `${version}/${partCount}`
      const paths = [...(parts.get(key) ?? []), path]
      parts.set(key, paths)
      if (paths.length === partCount) checkpoints.push({ version, paths, modifiedMs })
    }
  }
  checkpoints.sort((a, b) => a.version - b.version)
  const complete = new Set(checkpoints.flatMap(({ paths }) => paths))
  const loneParts = [...parts.values()].flat().filter((path) => !complete.has(path))
  return { commits, checkpoints, loneParts }
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
