import type { Host } from './host.ts'
import type { Metadata, Protocol } from './log/actions.ts'
import { writeCheckpoint } from './log/checkpoint.ts'
import { writeChecksum } from './log/checksum.ts'
import type { LoopResult } from './log/commit-loop.ts'
import { commitLoop } from './log/commit-loop.ts'
import type { CommitOutcome, CommitRequest } from './log/commit-request.ts'
import type { Change, HistoryEntry } from './log/log-history.ts'
import { changesOf, historyOf, versionAt } from './log/log-history.ts'
import { loadState, newerState } from './log/log-reader.ts'
import { withAddedColumns, withProperties } from './log/metadata-change.ts'
import type { LogState, Snapshot } from './log/replay.ts'
import { snapshotOf } from './log/replay.ts'
import type { TableFeature } from './log/table-features.ts'
import { featuresOfProperties, withFeatures } from './log/table-features.ts'
import { checkpointInterval, deletedFileRetentionMs } from './log/table-properties.ts'
import { checkWriterFeatures } from './log/writable.ts'
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
   * Adds one version to the log, or says why it cannot. The checksum of the version, and a checkpoint
   * every `delta.checkpointInterval` versions, follow it; their failure leaves the commit as it is.
   * @throws InvalidCommit, TableNotWritable; an error of the store if it is not known whether the
   * commit landed (repeat it with a transaction)
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
  /**
   * Sets table properties; null takes one away. A property that needs a feature
   * (`delta.enableInCommitTimestamps`) raises the protocol in the same commit.
   * @throws InvalidProperty
   */
  readonly setProperties: (
    properties: Readonly<Record<string, string | null>>,
    options?: { readonly timestampMs?: number },
  ) => Promise<CommitOutcome>
  /**
   * Raises the protocol so that the features may be used. `timestampNtz` locks out readers that lack
   * it; there is no way back.
   */
  readonly allowFeatures: (
    features: readonly TableFeature[],
    options?: { readonly timestampMs?: number },
  ) => Promise<CommitOutcome>
  /**
   * Writes a checkpoint of the newest version now, due or not.
   * @throws TableNotWritable
   */
  readonly checkpoint: () => Promise<void>
  /** Waits for checksums and checkpoints that are being written in the background. */
  readonly settled: () => Promise<void>
}

/** How a table object does its work. */
export interface TableSettings {
  readonly host: Host
  /**
   * When the checksum and the checkpoint that a commit makes due are written: `before-return` of
   * `commit`, in the `background` (see `settled`), or `never` by this object.
   */
  readonly upkeep: 'before-return' | 'background' | 'never'
}

/** The table in a store, held at `initial`, its newest known state. */
export function tableAt(
  store: ObjectStore,
  { host, upkeep }: TableSettings,
  initial: LogState,
): DeltaTable {
  const table = store.location
  let state = initial
  let latest = snapshotOf(initial, table)
  let turn: Promise<unknown> = Promise.resolve()
  let background: Promise<unknown> = Promise.resolve()

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
  const newest = () =>
    exclusive(async () => {
      await refresh()
      return latest
    })
  const commit = async (request: CommitRequest): Promise<CommitOutcome> => {
    const result = await exclusive(async () => {
      const looped = await commitLoop(store, host, request, refresh)
      adopt(looped.state)
      return looped
    })
    if (upkeep === 'never') return result.outcome
    if (upkeep === 'before-return') return await withUpkeep(store, host, result)
    background = background.then(() => withUpkeep(store, host, result))
    return result.outcome
  }
  const change = async (
    operation: string,
    snapshot: Snapshot,
    next: { readonly metadata?: Metadata; readonly protocol?: Protocol },
    options: { readonly timestampMs?: number },
  ): Promise<CommitOutcome> => {
    const { version, timestampMs } = snapshot
    const { metadata = snapshot.metadata, protocol = snapshot.protocol } = next
    const changed = {
      ...(metadata === snapshot.metadata ? {} : { metadata }),
      ...(protocol === snapshot.protocol ? {} : { protocol }),
    }
    if (Object.keys(changed).length === 0) return { kind: 'committed', version, timestampMs }
    return await commit({ readVersion: version, ...changed, operation, ...options })
  }

  return {
    store,
    host,
    commit,
    snapshot: async ({ version, timestampMs } = {}) => {
      if (version === undefined && timestampMs === undefined) return await newest()
      if (version === undefined) await newest()
      const wanted = version ?? (await versionAt(store, timestampMs ?? 0, latest.metadata))
      if (wanted === latest.version) return latest
      return snapshotOf(await loadState(store, wanted), table, latest)
    },
    changes: (fromExclusive, toInclusive) => changesOf(store, fromExclusive, toInclusive),
    history: (limit) => historyOf(store, limit),
    addColumns: async (fields, options = {}) => {
      const snapshot = await newest()
      const metadata = withAddedColumns(snapshot, fields, table)
      return await change('ADD COLUMNS', snapshot, { metadata }, options)
    },
    setProperties: async (properties, options = {}) => {
      const snapshot = await newest()
      const metadata = withProperties(snapshot, properties, table)
      const features = featuresOfProperties(metadata.configuration)
      const protocol = withFeatures(snapshot.protocol, features)
      return await change('SET TBLPROPERTIES', snapshot, { metadata, protocol }, options)
    },
    allowFeatures: async (features, options = {}) => {
      const snapshot = await newest()
      const protocol = withFeatures(snapshot.protocol, features)
      return await change('UPGRADE PROTOCOL', snapshot, { protocol }, options)
    },
    checkpoint: async () => {
      await newest()
      await checkpointOf(store, host, state)
    },
    settled: async () => {
      await background
    },
  }
}

/** Writes the checksum of a commit and the checkpoint it makes due. The commit stands all the same. */
async function withUpkeep(
  store: ObjectStore,
  host: Host,
  { outcome, state, txnId }: LoopResult,
): Promise<CommitOutcome> {
  if (outcome.kind !== 'committed' || outcome.version !== state.version) return outcome
  const { metadata, version } = state
  try {
    await writeChecksum(store, state, txnId)
    const isDue = metadata !== undefined && version % checkpointInterval(metadata) === 0
    if (isDue && version > 0) await checkpointOf(store, host, state)
    return outcome
  } catch (cause) {
    // Without them the next opening is slower and nothing else; the caller may log it.
    return { ...outcome, upkeepError: cause instanceof Error ? cause.message : String(cause) }
  }
}

async function checkpointOf(store: ObjectStore, host: Host, state: LogState): Promise<void> {
  if (state.metadata === undefined || state.protocol === undefined) return
  checkWriterFeatures(state.protocol, store.location)
  const retentionMs = deletedFileRetentionMs(state.metadata)
  await writeCheckpoint(store, state, { nowMs: host.nowMs(), retentionMs })
}
