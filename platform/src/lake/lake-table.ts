import type { DuckDBConnection } from '@duckdb/node-api'
import type { AddFile, Snapshot } from '@isotherm/delta'
import type { FleetDefinition, TableContract } from '../contracts/index.ts'
import type { QueryOptions, QueryResult } from './query-engine.ts'

/** One commit to a table: rows from a query, files it replaces, and the writer's position. */
export type TableWrite = {
  readonly connection: DuckDBConnection
  /** SELECT that yields exactly the contract's columns, in any order. */
  readonly query: string
  /** Files of the snapshot read that these rows replace; empty for an append. */
  readonly replaces?: readonly AddFile[]
  /** Version of the snapshot that `replaces` comes from. */
  readonly readVersion?: number
  /** Positions stored in the same commit: a second run sees them and does nothing. */
  readonly positions?: readonly { readonly appId: string; readonly version: number }[]
  /**
   * Keep the query's own row order instead of the contract's `sortColumns`; compaction sorts later.
   * For large commits: a sorted, partitioned copy takes twice as long.
   */
  readonly keepsOrder?: boolean
  /** Short name in the table history: `LAND`, `CLEAN`, `FEATURES`. */
  readonly operation: string
  readonly nowMs: number
  /** Called with the number of rows written, before they are committed; throwing commits nothing. */
  readonly beforeCommit?: (rowCount: number) => Promise<void>
}

/** What a commit did. `repeated`: a position was already there, nothing was written. */
export type WriteOutcome =
  | { readonly kind: 'written'; readonly version: number; readonly rowCount: number }
  | { readonly kind: 'repeated' }

/** A Delta table of the lake with its contract. */
export type LakeTable = {
  readonly contract: TableContract
  /** The newest snapshot, or the one at a version or instant. */
  readonly snapshot: (at?: {
    readonly version?: number
    readonly timestampMs?: number
  }) => Promise<Snapshot>
  /** SQL for a FROM clause over all live files of a snapshot, or over the given ones. */
  readonly relation: (snapshot: Snapshot, files?: readonly AddFile[]) => string
  /**
   * Data files that versions (from, to] added and that are live at `to`; compaction is left out.
   */
  readonly addedFiles: (
    fromVersionExclusive: number,
    toVersionInclusive: number,
  ) => Promise<readonly AddFile[]>
  /** Position stored by a writer, or undefined if it never wrote. */
  readonly position: (appId: string) => Promise<number | undefined>
  /**
   * Writes the query's rows and commits once. With a `positions` entry at or below the stored one
   * the outcome is `repeated`. A query of zero rows still commits its positions.
   * @throws IsothermError COMMIT_FAILED after bounded retries; only orphan files are left
   */
  readonly write: (write: TableWrite) => Promise<WriteOutcome>
  /** Packs small files together and deletes what no version of the last 90 days needs, ING-38. */
  readonly maintain: (connection: DuckDBConnection, nowMs: number) => Promise<MaintenanceOutcome>
}

/** What a maintenance run did to one table. */
export type MaintenanceOutcome = {
  readonly removedFileCount: number
  readonly addedFileCount: number
  readonly deletedFileCount: number
}

/** The tables of one data folder and the SQL engine that reads them. */
export type Lake = {
  readonly directory: string
  readonly fleet: FleetDefinition
  /** @throws IsothermError TABLE_UNKNOWN, naming the tables there are */
  readonly table: (name: string) => LakeTable
  readonly tableNames: readonly string[]
  /**
   * Runs work on a connection of its own from a bounded pool: `TimeZone` is UTC, temporary tables
   * and views are dropped afterwards.
   */
  readonly withConnection: <T>(work: (connection: DuckDBConnection) => Promise<T>) => Promise<T>
  /** Folder for temporary files, emptied at start. */
  readonly temporaryDirectory: string
  /** Runs one SELECT of a person's over the tables by name, also `AS OF` a version or instant. */
  readonly query: (sql: string, options?: QueryOptions) => Promise<QueryResult>
  readonly close: () => Promise<void>
}

/** What every job gets: the tables, the time (a parameter, so that runs can be repeated). */
export type JobContext = {
  readonly lake: Lake
  readonly nowMs: number
  /** Told about long work: a label, rows or units done, and the total if known. */
  readonly onProgress?: (label: string, done: number, total?: number) => void
}
