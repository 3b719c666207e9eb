import type { LogRecord } from '../contracts/index.ts'
import type { PartitionLog } from './partition-log.ts'
import { chunkRecordsOf, readChunks } from './segment-reader.ts'

/**
 * Durable records from an offset on, then live ones, until the signal aborts or the log closes.
 * A follower that keeps up is served from memory, one that fell behind from the files; it pulls,
 * so a slow one costs nothing but its own delay. Offsets that have expired are skipped.
 */
export async function* followPartition(
  log: PartitionLog,
  partition: number,
  startOffset: number,
  signal: AbortSignal,
): AsyncGenerator<readonly LogRecord[]> {
  let next = Math.max(startOffset, log.startOffset)
  log.tail.follow()
  try {
    while (!signal.aborted) {
      if (next >= log.endOffset) {
        if (log.isClosed) return
        await log.tail.changed(signal)
        continue
      }
      const records = await recordsFrom(log, partition, next)
      next += records.length
      if (!signal.aborted) yield records
    }
  } finally {
    log.tail.unfollow()
  }
}

async function recordsFrom(
  log: PartitionLog,
  partition: number,
  offset: number,
): Promise<readonly LogRecord[]> {
  const kept = log.tail.from(offset)
  if (kept !== undefined) {
    return kept.map((record, i) => ({ ...record, partition, offset: offset + i }))
  }
  const segment =
    log.sealed.find((sealed) => offset >= sealed.startOffset && offset < sealed.endOffset) ??
    log.active
  segment.pinCount++
  try {
    for await (const chunk of readChunks(segment, offset, segment.endOffset)) {
      return chunkRecordsOf(chunk, partition)
    }
    return []
  } finally {
    segment.pinCount--
  }
}
