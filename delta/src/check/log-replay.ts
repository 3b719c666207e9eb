import type { Actions, AddFile, DomainMetadata, Metadata, Protocol } from '../log/actions.ts'
import { fileKey } from '../log/replay.ts'

/**
 * A replay of its own, one commit after the other in place, apart from the one that readers use: what
 * the check compares checkpoints and checksums with.
 */
export interface LogReplay {
  readonly files: Map<string, AddFile>
  readonly transactions: Map<string, number>
  readonly domains: Map<string, DomainMetadata>
  sizeBytes: number
  protocol: Protocol | undefined
  metadata: Metadata | undefined
}

/** The replay before version 0. */
export function emptyReplay(): LogReplay {
  return {
    files: new Map(),
    transactions: new Map(),
    domains: new Map(),
    sizeBytes: 0,
    protocol: undefined,
    metadata: undefined,
  }
}

/** Takes in one commit, or a checkpoint into an empty replay. */
export function replayActions(replay: LogReplay, actions: Actions, table: string): void {
  replay.protocol = actions.protocol ?? replay.protocol
  replay.metadata = actions.metadata ?? replay.metadata
  for (const { appId, version } of actions.transactions) replay.transactions.set(appId, version)
  for (const domain of actions.domains) {
    if (domain.removed) replay.domains.delete(domain.domain)
    else replay.domains.set(domain.domain, domain)
  }
  for (const remove of actions.removes) takeOut(replay, fileKey(remove, table))
  for (const add of actions.adds) {
    const key = fileKey(add, table)
    takeOut(replay, key)
    replay.files.set(key, add)
    replay.sizeBytes += add.size
  }
}

function takeOut(replay: LogReplay, key: string): void {
  const known = replay.files.get(key)
  if (known === undefined) return
  replay.files.delete(key)
  replay.sizeBytes -= known.size
}

/** What one commit must not hold. Delta: "Action Reconciliation". */
export function contradictions(
  actions: Actions,
  version: number,
  table: string,
): readonly string[] {
  const found: string[] = []
  if (version === 0 && actions.protocol === undefined) found.push('version 0 has no protocol')
  if (version === 0 && actions.metadata === undefined) found.push('version 0 has no metaData')
  const twice = (label: string, keys: readonly string[]) => {
    const seen = new Set<string>()
    for (const key of keys) {
      if (seen.has(key)) found.push(`two ${label} actions for ${key}`)
      seen.add(key)
    }
    return seen
  }
  const added = twice(
    'add',
    actions.adds.map((file) => fileKey(file, table)),
  )
  const removed = twice(
    'remove',
    actions.removes.map((file) => fileKey(file, table)),
  )
  for (const key of added) if (removed.has(key)) found.push(`add and remove of ${key}`)
  twice(
    'txn',
    actions.transactions.map(({ appId }) => appId),
  )
  return found
}
