import { posix } from 'node:path'
import { decodeLogPath } from '../data/file-path.ts'
import { RetentionTooShort } from '../errors.ts'
import type { AddFile, RemoveFile } from '../log/actions.ts'
import { listLog } from '../log/log-listing.ts'
import { logFolder } from '../log/log-names.ts'
import { readCommits } from '../log/log-reader.ts'
import type { Snapshot } from '../log/replay.ts'
import { deletedFileRetentionMs } from '../log/table-properties.ts'
import { checkWriterFeatures } from '../log/writable.ts'
import { deletionVectorPath } from '../read/deletion-vector.ts'
import { temporaryPrefix } from '../store/folder-store.ts'
import type { ObjectStore, StoredObject } from '../store/object-store.ts'
import type { DeltaTable } from '../table.ts'

/** What VACUUM may delete. */
export interface VacuumOptions {
  /** Age below which nothing is deleted. Default: `delta.deletedFileRetentionDuration`, or one week. */
  readonly retentionMs?: number
  /** Only report. Default false. */
  readonly dryRun?: boolean
  /** The time now, milliseconds since 1970. Default: the host's clock. */
  readonly nowMs?: number
  /** Allow a retention below one week: no reader or writer may be at work. Default false. */
  readonly force?: boolean
}

/** What VACUUM deleted, or would delete. */
export interface VacuumReport {
  readonly dryRun: boolean
  readonly files: readonly StoredObject[]
  readonly sizeBytes: number
}

const shortestRetentionMs = 168 * 3_600_000

/**
 * Deletes files that no version within the retention refers to: removed long enough ago, or never
 * committed and old. Time travel to versions older than the retention stops working. A retention longer
 * than the table's own property is kept as far as the log's commits reach back.
 * @throws RetentionTooShort, TableNotWritable
 */
export async function vacuum(
  table: DeltaTable,
  options: VacuumOptions = {},
): Promise<VacuumReport> {
  const { store } = table
  const { dryRun = false, force = false } = options
  // The listing comes first, so files committed meanwhile are known to the snapshot.
  const objects = await store.list('')
  const snapshot = await table.snapshot()
  const { protocol, metadata } = snapshot
  checkWriterFeatures(protocol, store.location)
  const retentionMs = options.retentionMs ?? deletedFileRetentionMs(metadata)
  if (retentionMs < shortestRetentionMs && !force) {
    throw new RetentionTooShort({
      table: store.location,
      what: 'VACUUM would delete files that readers or writers at work may need',
      expected: `retention of ${shortestRetentionMs} ms (168 h) or more`,
      found: `${retentionMs} ms`,
      fix: 'keep files longer, or pass force when nobody uses the table',
    })
  }
  const { commits } = await listLog(store, 0)
  const newestCommitMs = commits.at(-1)?.timestampMs ?? 0
  const nowMs = Math.max(options.nowMs ?? table.host.nowMs(), newestCommitMs)
  const beforeMs = nowMs - retentionMs
  const kept = new Set(keptPaths(snapshot.files, snapshot.tombstones, beforeMs, store))
  // Checkpoints forget tombstones after the table's own retention; the commits still know them.
  if (retentionMs > deletedFileRetentionMs(metadata)) {
    const recent = commits.filter(({ timestampMs }) => timestampMs > beforeMs)
    for (const { removes } of await readCommits(store, recent)) {
      for (const path of keptPaths([], removes, beforeMs, store)) kept.add(path)
    }
  }
  const unreferenced = objects.filter(({ path }) => !kept.has(path) && isDataPath(path, snapshot))
  const halfWritten = await store.list(`${logFolder}${temporaryPrefix}`)
  const files = [...unreferenced, ...halfWritten].filter(({ modifiedMs }) => modifiedMs < beforeMs)
  if (!dryRun) for (const { path } of files) await store.remove(path)
  return { dryRun, files, sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0) }
}

/**
 * Paths in the store of live files, and of removed ones that a reader of a recent version may still
 * open, with their deletion vectors. Absolute paths count where they lead into the table.
 */
function keptPaths(
  files: readonly AddFile[],
  removed: readonly RemoveFile[],
  beforeMs: number,
  { location, localFolder = location }: ObjectStore,
): readonly string[] {
  const recent = removed.filter((file) => (file.deletionTimestamp ?? 0) > beforeMs)
  return [...files, ...recent].flatMap(({ path, deletionVector }) => {
    const vector = deletionVector && deletionVectorPath(deletionVector, location)
    const paths = [decodeLogPath(path, location), ...(vector === undefined ? [] : [vector])]
    return paths.map((name) => relativePath(name, localFolder))
  })
}

/** The path from the table's folder on, without `.` parts and doubled slashes. */
function relativePath(path: string, folder: string): string {
  const inside = path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path
  return inside.startsWith('/') ? inside : posix.normalize(inside)
}

/** Hidden names belong to others, except the change feed and folders of partition columns. */
function isDataPath(path: string, snapshot: Snapshot): boolean {
  return path.split('/').every((part) => {
    if (!part.startsWith('_') && !part.startsWith('.')) return true
    const isPartition = snapshot.partitionColumns.some((name) => part.startsWith(`${name}=`))
    return part === '_change_data' || isPartition
  })
}
