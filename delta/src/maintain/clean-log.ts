import { RetentionTooShort } from '../errors.ts'
import { readHint, sidecarsOf } from '../log/checkpoint-reader.ts'
import { listLog } from '../log/log-listing.ts'
import { lastCheckpointPath, logFolder, parseLogName } from '../log/log-names.ts'
import { logRetentionMs } from '../log/table-properties.ts'
import { checkWriterFeatures } from '../log/writable.ts'
import type { StoredObject } from '../store/object-store.ts'
import type { DeltaTable } from '../table.ts'

/** What the log clean-up may delete. */
export interface CleanLogOptions {
  /** Age below which nothing is deleted. Default: `delta.logRetentionDuration`, or 30 days. */
  readonly retentionMs?: number
  /** Only report. Default false. */
  readonly dryRun?: boolean
  /** The time now, milliseconds since 1970. Default: the host's clock. */
  readonly nowMs?: number
  /**
   * Allow a retention shorter than the table's own, and clean even if `delta.enableExpiredLogCleanup`
   * is false. Default false.
   */
  readonly force?: boolean
}

/** What the clean-up deleted, or would delete. */
export interface CleanLogReport {
  readonly dryRun: boolean
  /** The oldest version that can still be read; undefined if nothing is old enough. */
  readonly oldestKept: number | undefined
  readonly files: readonly StoredObject[]
  readonly sizeBytes: number
}

const dayMs = 86_400_000

/**
 * Deletes commits, checkpoints and checksums that the newest old checkpoint stands for: it is the
 * newest one at or before the last commit that is older than the retention, rounded to midnight UTC.
 * That checkpoint, its commit and everything after stay, so every version from it on can be read.
 * The oldest go first: a crash leaves a log that opens.
 * @throws RetentionTooShort, TableNotWritable
 */
export async function cleanLog(
  table: DeltaTable,
  options: CleanLogOptions = {},
): Promise<CleanLogReport> {
  const { store } = table
  const { dryRun = false, force = false } = options
  const { metadata, protocol } = await table.snapshot()
  checkWriterFeatures(protocol, store.location)
  const ownRetentionMs = logRetentionMs(metadata)
  const retentionMs = options.retentionMs ?? ownRetentionMs
  if (retentionMs < ownRetentionMs && !force) {
    throw new RetentionTooShort({
      table: store.location,
      what: 'the clean-up would take versions that the table promises to keep',
      expected: `retention of ${ownRetentionMs} ms or more (delta.logRetentionDuration)`,
      found: `${retentionMs} ms`,
      fix: 'keep the log longer, set the property, or pass force',
    })
  }
  const isOff = metadata.configuration['delta.enableExpiredLogCleanup']?.toLowerCase() === 'false'
  const nowMs = options.nowMs ?? table.host.nowMs()
  const cutoffMs = Math.floor((nowMs - retentionMs) / dayMs) * dayMs
  const oldestKept = isOff && !force ? undefined : await keptFrom(table, cutoffMs)
  if (oldestKept === undefined) return { dryRun, oldestKept, files: [], sizeBytes: 0 }
  const files = await expiredFiles(table, oldestKept)
  if (!dryRun) for (const { path } of files) await store.remove(path)
  return {
    dryRun,
    oldestKept,
    files,
    sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  }
}

/**
 * The version to keep the log from. Times of commits are made rising from the first one on; where that
 * raised the time of the version kept, the clean-up would lower it again, so an older one is taken.
 */
async function keptFrom({ store }: DeltaTable, cutoffMs: number): Promise<number | undefined> {
  const { commits, checkpoints } = await listLog(store, 0)
  const cutoffCommit = commits.findLast(({ timestampMs }) => timestampMs <= cutoffMs)
  if (cutoffCommit === undefined) return undefined
  const timeOf = new Map(commits.map(({ version, timestampMs }) => [version, timestampMs]))
  const hint = (await readHint(store))?.version ?? Number.POSITIVE_INFINITY
  const candidates = checkpoints.filter(
    ({ version }) => version <= cutoffCommit.version && version <= hint && timeOf.has(version),
  )
  for (const { version } of candidates.toReversed()) {
    const alone = (await listLog(store, version)).commits
    const keepsTimes = alone.every((commit) => timeOf.get(commit.version) === commit.timestampMs)
    if (keepsTimes) return version
  }
  return undefined
}

const checksumName = /^_delta_log\/(\d{20})\.crc$/
const compactedName = /^_delta_log\/(\d{20})\.(\d{20})\.compacted\.json$/

/** The files of the log that no version from `oldestKept` on needs, the oldest first. */
async function expiredFiles(
  { store }: DeltaTable,
  oldestKept: number,
): Promise<readonly StoredObject[]> {
  const objects = await store.list(logFolder)
  const ofVersions = objects.filter(({ path }) => {
    if (path === lastCheckpointPath) return false
    const name = parseLogName(path)
    if (name.kind !== 'other') return name.version < oldestKept
    const checksum = checksumName.exec(path)
    if (checksum) return Number(checksum[1]) < oldestKept
    const compacted = compactedName.exec(path)
    return compacted !== null && Number(compacted[1]) <= oldestKept
  })
  const expired = new Set(ofVersions.map(({ path }) => path))
  return [...ofVersions, ...(await expiredSidecars(objects, expired, { store }))]
}

/** Sidecars that only deleted checkpoints name. They go last: a crash leaves some that nobody names. */
async function expiredSidecars(
  objects: readonly StoredObject[],
  expired: ReadonlySet<string>,
  { store }: Pick<DeltaTable, 'store'>,
): Promise<readonly StoredObject[]> {
  const sidecars = objects.filter(({ path }) => path.startsWith(`${logFolder}_sidecars/`))
  if (sidecars.length === 0) return []
  const namedBy = async (isExpired: boolean): Promise<ReadonlySet<string>> => {
    const names = new Set<string>()
    for (const { path } of objects) {
      if (parseLogName(path).kind !== 'checkpoint' || expired.has(path) !== isExpired) continue
      for (const sidecar of await sidecarsOf(store, [path])) names.add(sidecar)
    }
    return names
  }
  const old = await namedBy(true)
  const kept = await namedBy(false)
  return sidecars.filter(({ path }) => old.has(path) && !kept.has(path))
}
