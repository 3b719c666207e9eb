import { decodeLogPath, isAbsolutePath } from '../data/file-path.ts'
import { DataFileMissing } from '../errors.ts'
import type { AddFile, Metadata } from '../log/actions.ts'
import type { Snapshot } from '../log/replay.ts'
import { fileKey } from '../log/replay.ts'
import { deletionVectorPath } from '../read/deletion-vector.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { DeltaTable, SnapshotRequest } from '../table.ts'
import type { WriteControl, WriteOutcome } from '../write/write-outcome.ts'
import { commitPlanned } from '../write/write-outcome.ts'

/**
 * Makes the table what it was at a version or time, in one new commit: its rows, columns, partitions
 * and properties. The protocol stays as it is, and so do transactions: repeated work stays refused.
 * @throws VersionNotAvailable; DataFileMissing if VACUUM took files of that version; TableNotWritable
 * (append-only, change feed)
 */
export async function restore(
  table: DeltaTable,
  to: SnapshotRequest & ({ readonly version: number } | { readonly timestampMs: number }),
  options: WriteControl = {},
): Promise<WriteOutcome> {
  const { location } = table.store
  const target = await table.snapshot(to)
  return await commitPlanned(table, options, async (snapshot) => {
    const keysOf = ({ files }: Snapshot) =>
      new Map(files.map((file) => [fileKey(file, location), file] as const))
    const current = keysOf(snapshot)
    const wanted = keysOf(target)
    const adds = [...wanted].flatMap(([key, file]) => (current.has(key) ? [] : [file]))
    const removes = [...current].flatMap(([key, file]) => (wanted.has(key) ? [] : [file]))
    const metadata = restoredMetadata(snapshot, target)
    if (adds.length === 0 && removes.length === 0 && metadata === snapshot.metadata)
      return undefined
    await checkFilesExist(table.store, adds, target.version)
    return {
      adds,
      removes,
      keepsFiles: true,
      ...(metadata === snapshot.metadata ? {} : { metadata }),
      blindAppend: false,
      operation: 'RESTORE',
      operationParameters: { version: String(target.version) },
      metrics: {
        numRestoredFiles: adds.length,
        numRemovedFiles: removes.length,
        restoredFilesSize: totalSize(adds),
        removedFilesSize: totalSize(removes),
        numOfFilesAfterRestore: wanted.size,
        tableSizeAfterRestore: totalSize(target.files),
      },
    }
  })
}

/** Properties that belong to the protocol, which stays: they are not taken back. */
const protocolProperty = /^delta\.(enableInCommitTimestamps|inCommitTimestamp|columnMapping\.)/

/** The target's metadata, or the same object as now if nothing differs. */
function restoredMetadata(now: Snapshot, target: Snapshot): Metadata {
  const ofProtocol = (keeps: boolean) => (entry: readonly [string, string]) =>
    protocolProperty.test(entry[0]) === keeps
  const configuration = Object.fromEntries([
    ...Object.entries(target.metadata.configuration).filter(ofProtocol(false)),
    ...Object.entries(now.metadata.configuration).filter(ofProtocol(true)),
  ])
  const restored = { ...target.metadata, configuration }
  return comparable(restored) === comparable(now.metadata) ? now.metadata : restored
}

function comparable({ configuration, ...rest }: Metadata): string {
  const properties = Object.entries(configuration).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([Object.entries(rest).toSorted(([a], [b]) => (a < b ? -1 : 1)), properties])
}

function totalSize(files: readonly AddFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0)
}

/** Files outside the table's store are not looked for: another table owns them. */
async function checkFilesExist(
  store: ObjectStore,
  files: readonly AddFile[],
  version: number,
): Promise<void> {
  if (files.length === 0) return
  const present = new Set((await store.list('')).map(({ path }) => path))
  const needed = files.flatMap(({ path, deletionVector }) => {
    const vector = deletionVector && deletionVectorPath(deletionVector, store.location)
    const data = decodeLogPath(path, store.location)
    return vector === undefined ? [data] : [data, vector]
  })
  const missing = needed.filter((path) => !isAbsolutePath(path) && !present.has(path))
  if (missing.length === 0) return
  throw new DataFileMissing({
    table: store.location,
    where: `version ${version}`,
    what: `${missing.length} of its files are gone`,
    found: `no file ${missing[0]}`,
    fix: 'restore a newer version, or bring the files back from a backup',
  })
}
