import { createHash, type Hash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** First bytes of an index file; the digit is the format version. */
export const indexMagic = 'ISOLOG01'
export const indexHeaderBytes = 32
/** Per record: CRC-32 (u32), end position in the segment (u32), `ingestedAtMs` (f64). */
export const indexEntryBytes = 16

/** A segment on disk: records [startOffset, endOffset) in `sizeBytes` bytes. */
export type Segment = {
  readonly startOffset: number
  readonly createdAtMs: number
  readonly path: string
  readonly indexPath: string
  endOffset: number
  sizeBytes: number
  /** When the next segment took over; undefined while this one is written. */
  sealedAtMs: number | undefined
  /** Slices that still use the file; it is not removed before they are released. */
  pinCount: number
}

/** A segment with its open files, ready to take appends. */
export type OpenSegment = {
  readonly segment: Segment
  readonly dataFd: number
  readonly indexFd: number
  readonly hashes: SegmentHashes
}

/** Running SHA-256 of a segment that is being written: of its bytes and of its side file's. */
export type SegmentHashes = { readonly data: Hash; readonly index: Hash }

/** Hashes of a segment with these first bytes. */
export function segmentHashes(data: Uint8Array, index: Uint8Array): SegmentHashes {
  return { data: createHash('sha256').update(data), index: createHash('sha256').update(index) }
}

/** File names carry the first offset, so that a directory listing is the list of segments. */
export function segmentPaths(
  directory: string,
  startOffset: number,
): { readonly path: string; readonly indexPath: string } {
  const base = join(directory, startOffset.toString().padStart(20, '0'))
  return { path: `${base}.ndjson`, indexPath: `${base}.index` }
}

/** First offsets of the segments in a partition directory, ascending. */
export function listSegments(directory: string): readonly number[] {
  return readdirSync(directory)
    .filter((name) => /^\d{20}\.ndjson$/.test(name))
    .map((name) => Number(name.slice(0, 20)))
    .sort((a, b) => a - b)
}

/** Makes the names in a directory durable: without it a crash may forget a created file. */
export function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

export function indexHeader(startOffset: number, createdAtMs: number): Buffer {
  const header = Buffer.alloc(indexHeaderBytes)
  header.write(indexMagic, 0, 'latin1')
  header.writeDoubleLE(startOffset, 8)
  header.writeDoubleLE(createdAtMs, 16)
  return header
}

/**
 * Creates an empty segment, durably. The index comes first: a segment without an index would look
 * like damage, an index without a segment is overwritten.
 */
export function createSegment(
  directory: string,
  startOffset: number,
  createdAtMs: number,
): OpenSegment {
  const { path, indexPath } = segmentPaths(directory, startOffset)
  const indexFd = openSync(indexPath, 'w+')
  try {
    const header = indexHeader(startOffset, createdAtMs)
    writeSync(indexFd, header, 0, indexHeaderBytes, 0)
    fsyncSync(indexFd)
    const dataFd = openSync(path, 'w+')
    syncDirectory(directory)
    const segment: Segment = {
      startOffset,
      createdAtMs,
      path,
      indexPath,
      endOffset: startOffset,
      sizeBytes: 0,
      sealedAtMs: undefined,
      pinCount: 0,
    }
    return { segment, dataFd, indexFd, hashes: segmentHashes(Buffer.alloc(0), header) }
  } catch (error) {
    closeSync(indexFd)
    throw error
  }
}
