import { InvalidCommit } from '../errors.ts'
import type {
  Actions,
  AddFile,
  CommitInfo,
  DomainMetadata,
  Metadata,
  Protocol,
  RemoveFile,
  Transaction,
} from './actions.ts'
import type { CommitConflict, CommitPlan } from './conflict.ts'
import type { LogState, Snapshot } from './replay.ts'
import { fileKey } from './replay.ts'

/** What one commit shall change. */
export interface CommitRequest {
  /**
   * Version of the snapshot the change was planned on; commits since then are checked for conflicts.
   * Default: the newest version at the call, which checks nothing that happened before.
   */
  readonly readVersion?: number
  readonly adds?: readonly AddFile[]
  /** Live files to take out of the table. */
  readonly removes?: readonly AddFile[]
  /**
   * Progress of exactly-once writers, one per appId. A version at or below the one in the table is a
   * `ConcurrentTransaction` conflict: the work was done already.
   */
  readonly transactions?: readonly { readonly appId: string; readonly version: number }[]
  readonly protocol?: Protocol
  readonly metadata?: Metadata
  /** Configuration of features; needs the feature domainMetadata. */
  readonly domains?: readonly DomainMetadata[]
  /** Name for the history, for instance `WRITE` or `OPTIMIZE`. */
  readonly operation: string
  readonly operationParameters?: Readonly<Record<string, string>>
  /** Further counts for the history, for instance `numOutputRows`; file counts are added. */
  readonly operationMetrics?: Readonly<Record<string, string>>
  /** False if the rows of the table stay the same (compaction). Default true. */
  readonly dataChange?: boolean
  /** True if the adds do not depend on rows of the table. Default: true if nothing is removed. */
  readonly blindAppend?: boolean
  /** The files whose rows the change depends on. Default: all, or none for a blind append. */
  readonly readsFile?: (file: AddFile) => boolean
  /**
   * Time of the commit, milliseconds since 1970. Raised to 1 ms after the previous commit where it
   * is not later. Default: the clock of the table's host.
   */
  readonly timestampMs?: number
}

/** How a commit ended. */
export type CommitOutcome =
  | {
      readonly kind: 'committed'
      readonly version: number
      readonly timestampMs: number
      /** Why its checksum or a due checkpoint could not be written; the commit stands without. */
      readonly upkeepError?: string
    }
  | CommitConflict

/** What the request reads and changes, for the conflict check. */
export function planOf(request: CommitRequest, table: string): CommitPlan {
  const removes = request.removes ?? []
  const isBlind = isBlindAppend(request)
  return {
    removedKeys: new Set(removes.map((file) => fileKey(file, table))),
    appIds: new Set((request.transactions ?? []).map(({ appId }) => appId)),
    domains: new Set((request.domains ?? []).map(({ domain }) => domain)),
    readsFile: request.readsFile ?? (isBlind ? () => false : () => true),
    dataChange: request.dataChange ?? true,
  }
}

/** True if the commit only adds rows that do not depend on others. */
export function isBlindAppend(request: CommitRequest): boolean {
  return request.blindAppend ?? (request.removes ?? []).length === 0
}

/**
 * Checks the request against itself and the table's state.
 * @throws InvalidCommit
 */
export function checkRequest(
  request: CommitRequest,
  state: LogState,
  snapshot: Snapshot,
  table: string,
): void {
  const invalid = (where: string, what: string, fix: string) =>
    new InvalidCommit({ table, where, what, fix })
  const { readVersion } = request
  if (readVersion !== undefined && readVersion > state.version) {
    const what = `read version ${readVersion} is newer than the table (${state.version})`
    throw invalid('readVersion', what, 'pass the version of a snapshot of this table')
  }
  const { writerFeatures = [] } = request.protocol ?? snapshot.protocol
  if ((request.domains ?? []).length > 0 && !writerFeatures.includes('domainMetadata')) {
    const fix = 'add the feature to the protocol in the same commit'
    throw invalid('domains', 'the table lacks the feature domainMetadata', fix)
  }
  const appIds = (request.transactions ?? []).map(({ appId }) => appId)
  if (new Set(appIds).size !== appIds.length) {
    throw invalid('transactions', 'one appId twice', 'keep one transaction per appId')
  }
  const added = new Set<string>()
  const expected = snapshot.partitionColumns.toSorted().join(', ')
  for (const add of request.adds ?? []) {
    const key = fileKey(add, table)
    if (added.has(key)) throw invalid(`file ${add.path}`, 'added twice', 'add each file once')
    added.add(key)
    const found = Object.keys(add.partitionValues).toSorted().join(', ')
    if (found !== expected && request.metadata === undefined) {
      const what = `partition values for (${found}), table is partitioned by (${expected})`
      throw invalid(`file ${add.path}`, what, 'give one value, or null, per partition column')
    }
  }
  for (const remove of request.removes ?? []) {
    const key = fileKey(remove, table)
    if (added.has(key)) {
      throw invalid(`file ${remove.path}`, 'added and removed in one commit', 'use a new name')
    }
  }
}

/** The actions to write, in the form of the log. */
export function actionsOf(
  request: CommitRequest,
  context: {
    readonly readVersion: number
    readonly timestampMs: number
    readonly txnId: string
    readonly engineInfo: string
    /** True if the table's commits carry their own time. */
    readonly isInCommit: boolean
  },
): Actions {
  const dataChange = request.dataChange ?? true
  const { timestampMs } = context
  const removes = (request.removes ?? []).map(
    (file): RemoveFile => ({
      path: file.path,
      deletionTimestamp: timestampMs,
      dataChange,
      partitionValues: file.partitionValues,
      size: file.size,
      ...(file.deletionVector === undefined ? {} : { deletionVector: file.deletionVector }),
    }),
  )
  const transactions = (request.transactions ?? []).map(
    ({ appId, version }): Transaction => ({ appId, version, lastUpdated: timestampMs }),
  )
  return {
    commitInfo: commitInfoOf(request, context),
    ...(request.protocol === undefined ? {} : { protocol: request.protocol }),
    ...(request.metadata === undefined ? {} : { metadata: request.metadata }),
    transactions,
    domains: request.domains ?? [],
    removes,
    adds: (request.adds ?? []).map((add) => ({ ...add, dataChange })),
  }
}

function commitInfoOf(
  request: CommitRequest,
  context: {
    readonly readVersion: number
    readonly timestampMs: number
    readonly txnId: string
    readonly engineInfo: string
    readonly isInCommit: boolean
  },
): CommitInfo {
  const adds = request.adds ?? []
  const removes = request.removes ?? []
  const bytes = adds.reduce((sum, add) => sum + add.size, 0)
  const metrics = {
    numFiles: String(adds.length),
    numOutputBytes: String(bytes),
    ...(removes.length === 0 ? {} : { numRemovedFiles: String(removes.length) }),
    ...request.operationMetrics,
  }
  return {
    ...(context.isInCommit ? { inCommitTimestamp: context.timestampMs } : {}),
    timestamp: context.timestampMs,
    operation: request.operation,
    operationParameters: request.operationParameters ?? {},
    ...(context.readVersion < 0 ? {} : { readVersion: context.readVersion }),
    isBlindAppend: isBlindAppend(request) && adds.length > 0,
    operationMetrics: metrics,
    engineInfo: context.engineInfo,
    txnId: context.txnId,
  }
}
