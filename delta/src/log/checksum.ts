import type { ObjectStore } from '../store/object-store.ts'
import { metadataJson } from './action-json.ts'
import { logFolder, versionDigits } from './log-names.ts'
import type { LogState } from './replay.ts'
import { hasInCommitTimestamps } from './table-features.ts'

/** Above so many transactions they are left out: the list is optional and grows with every version. */
const maxListedTransactions = 1000

/** Path of a version's checksum. */
export function checksumPath(version: number): string {
  return `${logFolder}${versionDigits(version)}.crc`
}

/**
 * Writes the checksum of a version, from the replayed state; one that is there is left as it is.
 * Readers compare it with their own replay. Delta: "Version Checksum File".
 */
export async function writeChecksum(
  store: ObjectStore,
  state: LogState,
  txnId: string,
): Promise<void> {
  const text = checksumText(state, txnId)
  if (text === undefined) return
  await store.putIfAbsent(checksumPath(state.version), new TextEncoder().encode(text))
}

/** The checksum as text, or undefined for a state without protocol or metadata. */
export function checksumText(state: LogState, txnId: string): string | undefined {
  const { protocol, metadata, files, transactions, domains } = state
  if (protocol === undefined || metadata === undefined) return undefined
  let tableSizeBytes = 0
  for (const { size } of files.values()) tableSizeBytes += size
  return JSON.stringify({
    txnId,
    tableSizeBytes,
    numFiles: files.size,
    numMetadata: 1,
    numProtocol: 1,
    ...(hasInCommitTimestamps(metadata.configuration)
      ? { inCommitTimestampOpt: state.timestampMs }
      : {}),
    ...(transactions.size > maxListedTransactions
      ? {}
      : { setTransactions: [...transactions.values()] }),
    domainMetadata: [...domains.values()],
    metadata: metadataJson(metadata),
    protocol,
  })
}
