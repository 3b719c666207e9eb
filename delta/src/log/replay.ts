import { decodeLogPath } from '../data/file-path.ts'
import { LogCorrupt } from '../errors.ts'
import type { DeltaSchema } from '../schema/schema.ts'
import { parseSchema } from '../schema/schema.ts'
import type {
  Actions,
  AddFile,
  Commit,
  DomainMetadata,
  Metadata,
  Protocol,
  RemoveFile,
  Transaction,
} from './actions.ts'
import { LayeredMap } from './layered-map.ts'
import { checkReadable, checkWallClockColumns } from './protocol.ts'

/** What the log says up to a version. Delta: "Action Reconciliation". */
export interface LogState {
  readonly version: number
  readonly timestampMs: number
  readonly protocol?: Protocol
  readonly metadata?: Metadata
  readonly transactions: LayeredMap<Transaction>
  readonly domains: LayeredMap<DomainMetadata>
  /** Live files by `fileKey`. */
  readonly files: LayeredMap<AddFile>
  /** Removed files by `fileKey`, for VACUUM and checkpoints. */
  readonly tombstones: LayeredMap<RemoveFile>
}

/** A table at one version, as plain data. */
export interface Snapshot {
  readonly version: number
  /** Time of the version's commit, milliseconds since 1970. */
  readonly timestampMs: number
  readonly protocol: Protocol
  readonly metadata: Metadata
  readonly schema: DeltaSchema
  readonly partitionColumns: readonly string[]
  /** The data files of the table. */
  readonly files: readonly AddFile[]
  /** Files removed from the table that VACUUM may not have deleted yet. */
  readonly tombstones: readonly RemoveFile[]
  /** Application to the version it has committed; see `Transaction`. */
  readonly transactions: ReadonlyMap<string, number>
}

/** The state before version 0. */
export const emptyState: LogState = {
  version: -1,
  timestampMs: 0,
  transactions: new LayeredMap(),
  domains: new LayeredMap(),
  files: new LayeredMap(),
  tombstones: new LayeredMap(),
}

/** The state after further commits, given in order of version. */
export function advance(state: LogState, commits: readonly Commit[], table: string): LogState {
  const last = commits.at(-1)
  if (last === undefined) return state
  return { ...replay(state, commits, table), version: last.version, timestampMs: last.timestampMs }
}

/** The state that a checkpoint of this version holds. */
export function stateOfCheckpoint(
  actions: Actions,
  version: number,
  timestampMs: number,
  table: string,
): LogState {
  return { ...replay(emptyState, [actions], table), version, timestampMs }
}

/**
 * The state as a snapshot.
 * @param previous snapshot whose parsed schema is reused if the metadata is the same object
 * @throws LogCorrupt without protocol or metadata, UnsupportedFeature, InvalidSchema
 */
export function snapshotOf(state: LogState, table: string, previous?: Snapshot): Snapshot {
  const { protocol, metadata } = state
  if (protocol === undefined || metadata === undefined) {
    throw new LogCorrupt({
      table,
      where: `version ${state.version}`,
      what: `no ${protocol === undefined ? 'protocol' : 'metaData'} action`,
      fix: 'restore the first commit or the checkpoint from a backup',
    })
  }
  checkReadable(protocol, table)
  const schema =
    previous?.metadata === metadata ? previous.schema : parseSchema(metadata.schemaString, table)
  checkWallClockColumns(protocol, schema, table)
  let files: readonly AddFile[] | undefined
  let tombstones: readonly RemoveFile[] | undefined
  let transactions: ReadonlyMap<string, number> | undefined
  return {
    version: state.version,
    timestampMs: state.timestampMs,
    protocol,
    metadata,
    schema,
    partitionColumns: metadata.partitionColumns,
    // Lists of all files are made when somebody asks: a writer that only appends never does.
    get files() {
      files ??= [...state.files.values()]
      return files
    },
    get tombstones() {
      tombstones ??= [...state.tombstones.values()]
      return tombstones
    },
    get transactions() {
      transactions ??= new Map(
        Array.from(state.transactions, ([appId, { version }]) => [appId, version]),
      )
      return transactions
    },
  }
}

/** Identity of a file in the log: its decoded path and deletion vector. */
export function fileKey(file: AddFile | RemoveFile, table: string): string {
  const path = decodeLogPath(file.path, table)
  const vector = file.deletionVector
  if (vector === undefined) return path
  const offset = vector.offset === undefined ? '' : `@${vector.offset}`
  return `${path}\n${vector.storageType}${vector.pathOrInlineDv}${offset}`
}

function replay(state: LogState, batches: readonly Actions[], table: string): LogState {
  const files: [string, AddFile | undefined][] = []
  const tombstones: [string, RemoveFile | undefined][] = []
  const transactions: [string, Transaction][] = []
  const domains: [string, DomainMetadata | undefined][] = []
  let { protocol, metadata } = state
  let hasTombstones = state.tombstones.size > 0
  for (const actions of batches) {
    protocol = actions.protocol ?? protocol
    metadata = actions.metadata ?? metadata
    for (const transaction of actions.transactions) {
      transactions.push([transaction.appId, transaction])
    }
    for (const domain of actions.domains) {
      domains.push([domain.domain, domain.removed ? undefined : domain])
    }
    for (const remove of actions.removes) {
      const key = fileKey(remove, table)
      files.push([key, undefined])
      tombstones.push([key, remove])
      hasTombstones = true
    }
    for (const add of actions.adds) {
      const key = fileKey(add, table)
      if (hasTombstones) tombstones.push([key, undefined])
      files.push([key, add])
    }
  }
  return {
    ...state,
    ...(protocol === undefined ? {} : { protocol }),
    ...(metadata === undefined ? {} : { metadata }),
    transactions: state.transactions.with(transactions),
    domains: state.domains.with(domains),
    files: state.files.with(files),
    tombstones: state.tombstones.with(tombstones),
  }
}
