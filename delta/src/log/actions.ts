/** Partition column to value as text; null is the null value. */
export type PartitionValues = Readonly<Record<string, string | null>>

/** Rows of a file that were deleted without rewriting it. */
export interface DeletionVector {
  readonly storageType: string
  readonly pathOrInlineDv: string
  readonly offset?: number
  readonly sizeInBytes: number
  readonly cardinality: number
}

/** A data file that is part of the table. Names are those of the log. Delta: "Add File". */
export interface AddFile {
  /** As in the log: relative to the table and URI-encoded, or absolute. */
  readonly path: string
  readonly partitionValues: PartitionValues
  /** Bytes on disk. */
  readonly size: number
  /** Milliseconds since 1970; some writers give seconds, so it is information only. */
  readonly modificationTime: number
  /** False if the file only rearranges rows that the table already had. */
  readonly dataChange: boolean
  /** Row count and column bounds as JSON text; `parseStatistics` reads it. */
  readonly stats?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly deletionVector?: DeletionVector
  readonly baseRowId?: number
  readonly defaultRowCommitVersion?: number
  /** Who clustered the file's rows, as another engine noted it. */
  readonly clusteringProvider?: string
}

/** A data file that is no longer part of the table. Delta: "Remove File". */
export interface RemoveFile {
  readonly path: string
  readonly dataChange: boolean
  /** Milliseconds since 1970; VACUUM may delete the file when it is old enough. */
  readonly deletionTimestamp?: number
  readonly partitionValues?: PartitionValues
  readonly size?: number
  readonly deletionVector?: DeletionVector
}

/** How far an application has come, for exactly-once writers. Delta: "Transaction Identifiers". */
export interface Transaction {
  readonly appId: string
  readonly version: number
  /** Milliseconds since 1970. */
  readonly lastUpdated?: number
}

/** What reading and writing the table demands. */
export interface Protocol {
  readonly minReaderVersion: number
  readonly minWriterVersion: number
  readonly readerFeatures?: readonly string[]
  readonly writerFeatures?: readonly string[]
}

/** Description of the table. Delta: "Change Metadata". */
export interface Metadata {
  readonly id: string
  readonly name?: string
  readonly description?: string
  readonly schemaString: string
  readonly partitionColumns: readonly string[]
  readonly configuration: Readonly<Record<string, string>>
  /** Milliseconds since 1970. */
  readonly createdTime?: number
}

/** A named piece of configuration that belongs to a feature. */
export interface DomainMetadata {
  readonly domain: string
  readonly configuration: string
  readonly removed: boolean
}

/** Provenance of a commit; free-form, so only the fields used here are typed. */
export interface CommitInfo {
  readonly timestamp?: number
  readonly inCommitTimestamp?: number
  readonly operation?: string
  readonly operationParameters?: Readonly<Record<string, unknown>>
  readonly readVersion?: number
  readonly isBlindAppend?: boolean
  readonly operationMetrics?: Readonly<Record<string, unknown>>
  readonly engineInfo?: string
  readonly txnId?: string
}

/** The actions of one commit, or of a checkpoint, by kind. */
export interface Actions {
  readonly commitInfo?: CommitInfo
  readonly protocol?: Protocol
  readonly metadata?: Metadata
  readonly transactions: readonly Transaction[]
  readonly domains: readonly DomainMetadata[]
  readonly removes: readonly RemoveFile[]
  readonly adds: readonly AddFile[]
  /** Files of changed rows, for change feeds only. Delta: "Add CDC File". */
  readonly changeFiles?: readonly AddFile[]
  /** Names of further files that belong to a V2 checkpoint; never in a commit. */
  readonly sidecars?: readonly string[]
}

/** A commit of the log. */
export interface Commit extends Actions {
  readonly version: number
  /** Milliseconds since 1970; strictly rising from version to version. */
  readonly timestampMs: number
}
