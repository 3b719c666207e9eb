import { type FileHandle, open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { IsothermError, type LogRecord } from '../contracts/index.ts'
import { readLine } from './record-line.ts'
import { indexEntryBytes, indexHeaderBytes, type Segment } from './segment-file.ts'

/** Records and bytes read at a time; verification stays off the event loop between chunks. */
const chunkRecords = 8_192
const chunkBytes = 4 << 20

/** Whole records of one chunk: `ends[i]` is where record i ends in `bytes`. */
export type Chunk = {
  readonly firstOffset: number
  readonly bytes: Buffer
  readonly ends: readonly number[]
}

async function readExactly(
  file: FileHandle,
  length: number,
  position: number,
  segment: Segment,
): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled)
    if (bytesRead === 0) {
      throw new IsothermError(
        'LOG_DAMAGED',
        `log segment ${segment.path}: it ends at byte ${position + filled}, expected at least ` +
          `${position + length}; restore the file from a backup`,
      )
    }
    filled += bytesRead
  }
  return buffer
}

function checkRecord(record: Buffer, expected: number, offset: number, segment: Segment): void {
  const found = crc32(record)
  if (found === expected) return
  const hex = (value: number): string => value.toString(16).padStart(8, '0')
  throw new IsothermError(
    'LOG_DAMAGED',
    `log segment ${segment.path}: record ${offset} has CRC ${hex(found)}, expected ` +
      `${hex(expected)}; its bytes changed on disk: restore the file from a backup`,
  )
}

/**
 * Reads records [startOffset, endOffset) of one segment in chunks, each record checked by its CRC.
 * @throws IsothermError LOG_DAMAGED naming segment and record
 */
export async function* readChunks(
  segment: Segment,
  startOffset: number,
  endOffset: number,
): AsyncGenerator<Chunk> {
  const [data, index] = await Promise.all([open(segment.path, 'r'), open(segment.indexPath, 'r')])
  try {
    let offset = startOffset
    while (offset < endOffset) {
      const chunk = await readChunk(data, index, segment, offset, endOffset)
      yield chunk
      offset += chunk.ends.length
    }
  } finally {
    await Promise.all([data.close(), index.close()])
  }
}

async function readChunk(
  data: FileHandle,
  index: FileHandle,
  segment: Segment,
  offset: number,
  endOffset: number,
): Promise<Chunk> {
  const record = offset - segment.startOffset
  const count = Math.min(chunkRecords, endOffset - offset)
  // One entry more in front tells where the first record begins.
  const before = record === 0 ? 0 : 1
  const entries = await readExactly(
    index,
    (count + before) * indexEntryBytes,
    indexHeaderBytes + (record - before) * indexEntryBytes,
    segment,
  )
  const start = before === 0 ? 0 : entries.readUInt32LE(4)
  const ends: number[] = []
  for (let i = 0; i < count; i++) {
    const end = entries.readUInt32LE((i + before) * indexEntryBytes + 4) - start
    if (i > 0 && end > chunkBytes) break
    ends.push(end)
  }
  const bytes = await readExactly(data, ends.at(-1) ?? 0, start, segment)
  for (let i = 0; i < ends.length; i++) {
    const expected = entries.readUInt32LE((i + before) * indexEntryBytes)
    const from = i === 0 ? 0 : (ends[i - 1] ?? 0)
    checkRecord(bytes.subarray(from, ends[i]), expected, offset + i, segment)
  }
  return { firstOffset: offset, bytes, ends }
}

/** The records of a chunk; their payloads are views of its bytes. */
export function chunkRecordsOf(chunk: Chunk, partition: number): readonly LogRecord[] {
  return chunk.ends.map((end, i) =>
    readLine(chunk.bytes.subarray(i === 0 ? 0 : chunk.ends[i - 1], end), partition),
  )
}
