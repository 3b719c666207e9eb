import type { AddFile, Commit } from './actions.ts'
import { fileKey } from './replay.ts'

/** Why a commit cannot follow one that landed before it. Names as in Spark. */
export type ConflictReason =
  | 'ProtocolChanged'
  | 'MetadataChanged'
  | 'ConcurrentAppend'
  | 'ConcurrentDeleteRead'
  | 'ConcurrentDeleteDelete'
  | 'ConcurrentTransaction'
  | 'ConcurrentDomainMetadata'
  | 'TooManyAttempts'

/** A commit that cannot be made any more: plan anew from a fresh snapshot. */
export interface CommitConflict {
  readonly kind: 'conflict'
  readonly reason: ConflictReason
  /** The version that stands in the way. */
  readonly version: number
  readonly message: string
}

/** What a commit has read and will change, as far as rivals matter. */
export interface CommitPlan {
  /** Keys (see `fileKey`) of the files it removes. */
  readonly removedKeys: ReadonlySet<string>
  readonly appIds: ReadonlySet<string>
  /** Domains whose configuration it sets. */
  readonly domains: ReadonlySet<string>
  /** True for the files its rows were derived from; a plain append reads none. */
  readonly readsFile: (file: AddFile) => boolean
  /** False if it only rearranges rows. */
  readonly dataChange: boolean
}

/**
 * The conflict between a plan and a commit `winner` that landed after the plan's read version, or
 * undefined. Concurrent blind appends are as if they came later ("WriteSerializable"), so they never
 * stand in the way; appends of a writer that read the table do, if the plan may have read them.
 * With `isSerializable` (table property `delta.isolationLevel`) blind appends count as the others.
 * Source: the protocol's "Concurrency Control" and the conflict rules of Spark's implementation.
 */
export function conflictBetween(
  plan: CommitPlan,
  winner: Commit,
  table: string,
  isSerializable = false,
): CommitConflict | undefined {
  const { operation = 'a write', engineInfo, txnId } = winner.commitInfo ?? {}
  const by = `${operation}${engineInfo === undefined ? '' : ` by ${engineInfo}`}`
  const name = `version ${winner.version} (${by}${txnId === undefined ? '' : `, ${txnId}`})`
  const conflict = (reason: ConflictReason, detail: string): CommitConflict => ({
    kind: 'conflict',
    reason,
    version: winner.version,
    message: `${table}: ${name} ${detail}; read the table again and repeat`,
  })
  if (winner.protocol) return conflict('ProtocolChanged', 'changed the protocol')
  if (winner.metadata) return conflict('MetadataChanged', 'changed schema or properties')
  const rival = winner.transactions.find(({ appId }) => plan.appIds.has(appId))
  if (rival) {
    const detail = `carries transaction ${rival.appId} up to ${rival.version}`
    return conflict('ConcurrentTransaction', detail)
  }
  for (const remove of winner.removes) {
    const key = fileKey(remove, table)
    if (plan.removedKeys.has(key)) {
      return conflict('ConcurrentDeleteDelete', `removed ${remove.path}, which this commit removes`)
    }
    const size = remove.size ?? 0
    const asAdd = { ...remove, partitionValues: remove.partitionValues ?? {}, size }
    if (plan.dataChange && plan.readsFile({ ...asAdd, modificationTime: 0 })) {
      return conflict('ConcurrentDeleteRead', `removed ${remove.path}, which this commit has read`)
    }
  }
  const domain = winner.domains.find((candidate) => plan.domains.has(candidate.domain))
  if (domain) {
    return conflict('ConcurrentDomainMetadata', `changed the domain ${domain.domain}`)
  }
  const isBlind = winner.commitInfo?.isBlindAppend === true && !isSerializable
  if (!isBlind && plan.dataChange) {
    const added = winner.adds.find((add) => add.dataChange && plan.readsFile(add))
    if (added) return conflict('ConcurrentAppend', `added ${added.path}, which this commit missed`)
  }
  return undefined
}
