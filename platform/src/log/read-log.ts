import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LogRecord } from '../contracts/index.ts'
import { indexEntryBytes, indexHeaderBytes, listSegments, type Segment } from './segment-file.ts'
import { segmentOnDisk } from './segment-on-disk.ts'
import { chunkRecordsOf, readChunks } from './segment-reader.ts'

/** Which records to read, ING-21. */
export type RecordRange = {
  /** Received at or after this instant, epoch ms. */
  readonly fromMs: number
  /** Received before this instant, epoch ms. */
  readonly untilMs: number
  /** Only of these devices; default all. */
  readonly deviceIds?: ReadonlySet<string>
}

/**
 * Records of a log on disk by the time they came in, in the order of each partition, without
 * moving any group's position. May run beside the process that appends. Records whose bytes
 * changed on disk are left out: they have neither device nor id; `verifyLog` names them.
 * Cost: the side files of all segments, and every byte of the segments that hold such a time.
 */
export async function* recordsBetween(
  directory: string,
  range: RecordRange,
): AsyncGenerator<readonly LogRecord[]> {
  const partitions = readdirSync(directory)
    .filter((name) => /^p\d+$/.test(name))
    .map((name) => Number(name.slice(1)))
    .sort((a, b) => a - b)
  for (const partition of partitions) {
    const folder = join(directory, `p${partition}`)
    for (const startOffset of listSegments(folder)) {
      const segment = await segmentOnDisk(folder, startOffset)
      const span = await offsetsWithin(segment, range)
      if (span === undefined) continue
      for await (const chunk of readChunks(segment, span.startOffset, span.endOffset)) {
        const damaged = new Set(chunk.damaged)
        const wanted = chunkRecordsOf(chunk, partition).filter(
          (record) => !damaged.has(record.offset) && isWithin(record, range),
        )
        if (wanted.length > 0) yield wanted
      }
    }
  }
}

function isWithin(record: LogRecord, { fromMs, untilMs, deviceIds }: RecordRange): boolean {
  const { ingestedAtMs, deviceId } = record
  const isInTime = ingestedAtMs >= fromMs && ingestedAtMs < untilMs
  return isInTime && (deviceIds === undefined || deviceIds.has(deviceId))
}

/** First and last record of a segment in the time range. Imports may stand out of order. */
async function offsetsWithin(
  segment: Segment,
  { fromMs, untilMs }: RecordRange,
): Promise<{ readonly startOffset: number; readonly endOffset: number } | undefined> {
  const index = await readFile(segment.indexPath)
  let first: number | undefined
  let last = 0
  for (let offset = segment.startOffset; offset < segment.endOffset; offset++) {
    const at = indexHeaderBytes + (offset - segment.startOffset) * indexEntryBytes
    const ingestedAtMs = index.readDoubleLE(at + 8)
    if (!(ingestedAtMs >= fromMs && ingestedAtMs < untilMs)) continue
    first ??= offset
    last = offset
  }
  return first === undefined ? undefined : { startOffset: first, endOffset: last + 1 }
}
