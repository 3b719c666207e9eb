import type { Host } from './host.ts'
import type { Metadata } from './log/actions.ts'
import { writeCheckpoint } from './log/checkpoint.ts'
import { commitLoop } from './log/commit-loop.ts'
import type { CommitOutcome, CommitRequest } from './log/commit-request.ts'
import type { Change, HistoryEntry } from './log/log-history.ts'
import { changesOf, historyOf, versionAt } from './log/log-history.ts'
import { loadState, newerState } from './log/log-reader.ts'
import { withAddedColumns, withProperties } from './log/metadata-change.ts'
import type { LogState, Snapshot } from './log/replay.ts'
import { snapshotOf } from './log/replay.ts'
import { checkpointInterval, deletedFileRetentionMs } from './log/table-properties.ts'
import type { DeltaField } from './schema/schema.ts'
import type { ObjectStore } from './store/object-store.ts'

/** Which version of a table to look at. Without either field: the newest. */
export interface SnapshotRequest {
  readonly version?: number
  /** The newest version committed at or before this time, milliseconds since 1970. */
  readonly timestampMs?: number
}

/** A Delta table. Methods may be called concurrently; they take turns where they must. */
export interface DeltaTable {
  readonly store: ObjectStore
  readonly host: Host
  /**
   * The table at a version. The newest one costs a listing of new log files only.
   * @throws VersionNotAvailable, LogCorrupt, UnsupportedFeature
   */
  readonly snapshot: (request?: SnapshotRequest) => Promise<Snapshot>
  /**
   * Adds one version to the log, or says why it cannot.
   * @throws InvalidCommit, TableNotWritable
   */
  readonly commit: (request: CommitRequest) => Promise<CommitOutcome>
  /** The changes of versions `fromExclusive`+1 .. `toInclusive`, in order, read as they are asked for. */
  readonly changes: (fromExclusive: number, toInclusive: number) => AsyncIterable<Change>
  /** The newest versions first, at most `limit`. */
  readonly history: (limit?: number) => Promise<readonly HistoryEntry[]>
  /** Adds nullable columns; older rows have null there. Columns that exist alike are left alone. */
  readonly addColumns: (
    fields: readonly DeltaField[],
    options?: { readonly timestampMs?: number },
  ) => Promise<CommitOutcome>
  /** Sets table properties; null takes one away. */
  readonly setProperties: (
    properties: Readonly<Record<string, string | null>>,
    options?: { readonly timestampMs?: number },
  ) => Promise<CommitOutcome>
}

/** The table in a store, held at `initial`, its newest known state. */
export function tableAt(store: ObjectStore, host: Host, initial: LogState): DeltaTable {
  const table = store.location
  let state = initial
  let latest = snapshotOf(initial, table)
  let turn: Promise<unknown> = Promise.resolve()

  const exclusive = <T>(task: () => Promise<T>): Promise<T> => {
    const result = turn.then(task, task)
    turn = result.catch(() => undefined)
    return result
  }
  const adopt = (next: LogState): LogState => {
    if (next !== state) {
      latest = snapshotOf(next, table, latest)
      state = next
    }
    return state
  }
  const refresh = async () => adopt(await newerState(store, state))
  const commit = (request: CommitRequest) =>
    exclusive(async () => {
      const result = await commitLoop(store, host, request, refresh)
      adopt(result.state)
      return await withCheckpoint(store, host, result.outcome, state)
    })
  const newest = () =>
    exclusive(async () => {
      await refresh()
      return latest
    })
  const changeMetadata = async (
    operation: string,
    { version, timestampMs, metadata: current }: Snapshot,
    metadata: Metadata,
    options: { readonly timestampMs?: number },
  ): Promise<CommitOutcome> => {
    if (metadata === current) return { kind: 'committed', version, timestampMs }
    return await commit({ readVersion: version, metadata, operation, ...options })
  }

  return {
    store,
    host,
    commit,
    snapshot: async ({ version, timestampMs } = {}) => {
      if (version === undefined && timestampMs === undefined) return await newest()
      const wanted = version ?? (await versionAt(store, timestampMs ?? 0))
      if (wanted === latest.version) return latest
      return snapshotOf(await loadState(store, wanted), table, latest)
    },
    changes: (fromExclusive, toInclusive) => changesOf(store, fromExclusive, toInclusive),
    history: (limit) => historyOf(store, limit),
    addColumns: async (fields, options = {}) => {
      const snapshot = await newest()
      const metadata = withAddedColumns(snapshot, fields, table)
      return await changeMetadata('ADD COLUMNS', snapshot, metadata, options)
    },
    setProperties: async (properties, options = {}) => {
      const snapshot = await newest()
      const metadata = withProperties(snapshot, properties, table)
      return await changeMetadata('SET TBLPROPERTIES', snapshot, metadata, options)
    },
  }
}

/** Writes the checkpoint that a commit makes due. The commit stands, whatever comes of it. */
async function withCheckpoint(
  store: ObjectStore,
  host: Host,
  outcome: CommitOutcome,
  state: LogState,
): Promise<CommitOutcome> {
  const { metadata, version } = state
  if (outcome.kind !== 'committed' || outcome.version !== version) return outcome
  if (metadata === undefined || version === 0) return outcome
  if (version % checkpointInterval(metadata) !== 0) return outcome
  try {
    const retentionMs = deletedFileRetentionMs(metadata)
    await writeCheckpoint(store, state, { nowMs: host.nowMs(), retentionMs })
    return outcome
  } catch (cause) {
    // A missing checkpoint makes the next opening slower and nothing else; the caller may log it.
    return { ...outcome, checkpointError: cause instanceof Error ? cause.message : String(cause) }
  }
}
