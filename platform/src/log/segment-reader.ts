import { type FileHandle, open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { IsothermError, type LogRecord } from '../contracts/index.ts'
import { readCarefully } from './damaged-records.ts'
import { readLine } from './record-line.ts'
import { indexEntryBytes, indexHeaderBytes, type Segment } from './segment-file.ts'

/** Records and bytes read at a time; verification stays off the event loop between chunks. */
const chunkRecords = 8_192
const chunkBytes = 4 << 20
/** Records read with care at a time: each costs a read of its own. */
const carefulRecords = 64

/** Whole records of one chunk: `ends[i]` is where record i ends in `bytes`. */
export type Chunk = {
  readonly firstOffset: number
  readonly bytes: Buffer
  readonly ends: readonly number[]
  /** Offsets of records whose bytes changed on disk; they stand here as refused ones. */
  readonly damaged: readonly number[]
}

async function readExactly(
  file: FileHandle,
  length: number,
  position: number,
  path: string,
): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled)
    if (bytesRead === 0) {
      throw new IsothermError(
        'LOG_DAMAGED',
        `log segment ${path}: it ends at byte ${position + filled}, expected at least ` +
          `${position + length}; restore the file from a backup`,
      )
    }
    filled += bytesRead
  }
  return buffer
}

/**
 * Reads records [startOffset, endOffset) of one segment in chunks, each record checked by its CRC.
 * One that fails is given as a refused record, `RECORD_DAMAGED`: see `readCarefully`.
 * @throws IsothermError LOG_DAMAGED if the files are shorter than the segment
 */
export async function* readChunks(
  segment: Segment,
  startOffset: number,
  endOffset: number,
): AsyncGenerator<Chunk> {
  const [data, index] = await Promise.all([open(segment.path, 'r'), open(segment.indexPath, 'r')])
  try {
    let offset = startOffset
    let position = await positionOf(data, index, segment, startOffset)
    while (offset < endOffset) {
      const read = await readChunk(data, index, segment, offset, position, endOffset)
      yield read.chunk
      offset += read.chunk.ends.length
      position = read.nextPosition
    }
  } finally {
    await Promise.all([data.close(), index.close()])
  }
}

/** Where a record begins: where the one before it ends, which a changed side file may deny. */
async function positionOf(
  data: FileHandle,
  index: FileHandle,
  segment: Segment,
  offset: number,
): Promise<number> {
  if (offset === segment.startOffset) return 0
  const before = await readEntries(index, segment, offset - 1, 1)
  const position = before.readUInt32LE(4)
  const head = `{"o":${offset},"t":`
  const found = Buffer.alloc(head.length)
  if (position > 0 && position < segment.sizeBytes) await data.read(found, 0, head.length, position)
  if (found.toString('latin1') === head) return position
  // Either this record or the entry before it changed: reading from the front finds the place.
  let at = 0
  for (let next = segment.startOffset; next < offset; ) {
    const read = await readChunk(data, index, segment, next, at, offset)
    next += read.chunk.ends.length
    at = read.nextPosition
  }
  return at
}

function readEntries(
  index: FileHandle,
  segment: Segment,
  offset: number,
  count: number,
): Promise<Buffer> {
  const at = indexHeaderBytes + (offset - segment.startOffset) * indexEntryBytes
  return readExactly(index, count * indexEntryBytes, at, segment.indexPath)
}

type ChunkRead = { readonly chunk: Chunk; readonly nextPosition: number }

async function readChunk(
  data: FileHandle,
  index: FileHandle,
  segment: Segment,
  offset: number,
  position: number,
  endOffset: number,
): Promise<ChunkRead> {
  const count = Math.min(chunkRecords, endOffset - offset)
  const entries = await readEntries(index, segment, offset, count)
  const ends = endsOf(entries, position)
  const size = ends.at(-1) ?? 0
  if (size > 0 && position + size <= segment.sizeBytes) {
    const bytes = await readExactly(data, size, position, segment.path)
    if (isIntact(bytes, ends, entries)) {
      const chunk = { firstOffset: offset, bytes, ends, damaged: [] }
      return { chunk, nextPosition: position + size }
    }
  }
  const few = entries.subarray(0, Math.min(carefulRecords, count) * indexEntryBytes)
  const { nextPosition, ...read } = await readCarefully(data, segment, offset, position, few)
  return { chunk: { firstOffset: offset, ...read }, nextPosition }
}

/** Ends of as many records as fit a chunk, relative to `position`. */
function endsOf(entries: Buffer, position: number): readonly number[] {
  const ends: number[] = []
  for (let at = 0; at < entries.length; at += indexEntryBytes) {
    const end = entries.readUInt32LE(at + 4) - position
    if (at > 0 && end > chunkBytes) break
    ends.push(end)
  }
  return ends
}

function isIntact(bytes: Buffer, ends: readonly number[], entries: Buffer): boolean {
  let start = 0
  for (let i = 0; i < ends.length; i++) {
    const end = ends[i]!
    if (end <= start || end > bytes.length) return false
    if (crc32(bytes.subarray(start, end)) !== entries.readUInt32LE(i * indexEntryBytes)) {
      return false
    }
    start = end
  }
  return true
}

/** The records of a chunk; their payloads are views of its bytes. */
export function chunkRecordsOf(chunk: Chunk, partition: number): readonly LogRecord[] {
  return chunk.ends.map((end, i) =>
    readLine(chunk.bytes.subarray(i === 0 ? 0 : chunk.ends[i - 1], end), partition),
  )
}
