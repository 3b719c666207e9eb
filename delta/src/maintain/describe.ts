import type { PartitionValues, Protocol } from '../log/actions.ts'
import { listLog } from '../log/log-listing.ts'
import type { DeltaSchema } from '../schema/schema.ts'
import type { DeltaTable, SnapshotRequest } from '../table.ts'
import { liveRowCount } from '../write/row-counts.ts'

/** A table at one version, in figures. */
export interface TableDescription {
  readonly location: string
  /** Stays for the table's life. */
  readonly id: string
  readonly name: string | undefined
  readonly description: string | undefined
  /** Milliseconds since 1970. */
  readonly createdMs: number | undefined
  readonly version: number
  /** Time of the version, milliseconds since 1970. */
  readonly timestampMs: number
  readonly protocol: Protocol
  /** Features that the protocol lists for readers or writers, by name. */
  readonly features: readonly string[]
  readonly schema: DeltaSchema
  readonly partitionColumns: readonly string[]
  readonly properties: Readonly<Record<string, string>>
  readonly fileCount: number
  readonly sizeBytes: number
  /** Rows by the files' statistics; undefined if a file has none. Deleted rows are left out. */
  readonly rowCount: number | undefined
  /** Different partition values. */
  readonly partitionCount: number
  readonly filesWithDeletedRows: number
  /** Files removed from the table that VACUUM has not been told to forget. */
  readonly tombstoneCount: number
  /** Applications to the version they have committed. */
  readonly transactions: ReadonlyMap<string, number>
  /** Versions with a complete checkpoint, rising. */
  readonly checkpoints: readonly number[]
  /** The oldest and newest version whose commit is in the log; undefined without commits. */
  readonly commits: { readonly oldest: number; readonly newest: number } | undefined
}

/**
 * Describes a table at the newest version or another one. Only the log is read.
 * @throws VersionNotAvailable, LogCorrupt, UnsupportedFeature
 */
export async function describeTable(
  table: DeltaTable,
  at: SnapshotRequest = {},
): Promise<TableDescription> {
  const snapshot = await table.snapshot(at)
  const { metadata, protocol, files } = snapshot
  const { commits, checkpoints } = await listLog(table.store, 0)
  const rowCounts = files.map(liveRowCount)
  const known = rowCounts.filter((count) => count !== undefined)
  const oldest = commits[0]?.version
  const newest = commits.at(-1)?.version
  return {
    location: table.store.location,
    id: metadata.id,
    name: metadata.name,
    description: metadata.description,
    createdMs: metadata.createdTime,
    version: snapshot.version,
    timestampMs: snapshot.timestampMs,
    protocol,
    features: [
      ...new Set([...(protocol.readerFeatures ?? []), ...(protocol.writerFeatures ?? [])]),
    ].toSorted(),
    schema: snapshot.schema,
    partitionColumns: snapshot.partitionColumns,
    properties: metadata.configuration,
    fileCount: files.length,
    sizeBytes: files.reduce((sum, { size }) => sum + size, 0),
    rowCount:
      known.length < files.length ? undefined : known.reduce((sum, count) => sum + count, 0),
    partitionCount:
      snapshot.partitionColumns.length === 0
        ? 0
        : new Set(files.map((file) => partitionKey(file.partitionValues))).size,
    filesWithDeletedRows: files.filter(({ deletionVector }) => deletionVector !== undefined).length,
    tombstoneCount: snapshot.tombstones.length,
    transactions: snapshot.transactions,
    checkpoints: [...new Set(checkpoints.map(({ version }) => version))],
    commits: oldest === undefined || newest === undefined ? undefined : { oldest, newest },
  }
}

/** The partition values as one text, the same for the same values in any order. */
export function partitionKey(values: PartitionValues): string {
  return JSON.stringify(Object.entries(values).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
