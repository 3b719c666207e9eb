import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import type { NewRecord } from '../contracts/index.ts'
import { lineBound, writeLine } from './record-line.ts'
import { indexEntryBytes, type Segment } from './segment-file.ts'

const lineFeed = 10
/** Longer than any line: 256 KB of payload in base64, with every other field at its limit. */
export const longestLineBytes = 2 << 20
/** Bytes of a changed record that its dead letter keeps, ING-23. */
const keptBytes = 256 << 10

/** A stretch of records read with care, because bytes of it changed on disk. */
export type CarefulRead = {
  readonly bytes: Buffer
  /** Where record i ends in `bytes`. */
  readonly ends: readonly number[]
  /** Offsets of records that stand here as refused ones, because their bytes changed. */
  readonly damaged: readonly number[]
  /** Position in the segment after the last of them. */
  readonly nextPosition: number
}

/**
 * Reads `entries.length / 16` records from `position` on where the plain way met a wrong CRC. A
 * wrong position in the side file is healed by the line breaks. A record whose bytes changed is
 * given as a refused one (`RECORD_DAMAGED`) that carries what is there now, so that it lands as a
 * dead letter with its place in the log and holds up nothing.
 */
export async function readCarefully(
  data: FileHandle,
  segment: Segment,
  firstOffset: number,
  position: number,
  entries: Buffer,
): Promise<CarefulRead> {
  const lines: Buffer[] = []
  const ends: number[] = []
  const damaged: number[] = []
  let filled = 0
  let at = position
  for (let i = 0; i < entries.length / indexEntryBytes; i++) {
    const offset = firstOffset + i
    const rest = await readUpTo(data, at, Math.min(longestLineBytes, segment.sizeBytes - at))
    const crc = entries.readUInt32LE(i * indexEntryBytes)
    const indexedEnd = entries.readUInt32LE(i * indexEntryBytes + 4) - at
    const length = recordLength(rest, crc, indexedEnd, offset)
    let line = rest.subarray(0, length)
    if (crc32(line) !== crc) {
      damaged.push(offset)
      const ingestedAtMs = entries.readDoubleLE(i * indexEntryBytes + 8)
      line = damagedLine(segment, offset, ingestedAtMs, line)
    }
    lines.push(line)
    filled += line.length
    ends.push(filled)
    at += length
  }
  return { bytes: Buffer.concat(lines), ends, damaged, nextPosition: at }
}

/**
 * Length of the record at the front of `rest`: where its CRC says so, else up to where the next
 * record begins.
 */
export function recordLength(
  rest: Buffer,
  crc: number,
  indexedEnd: number,
  offset: number,
): number {
  const isInside = indexedEnd > 0 && indexedEnd <= rest.length
  if (isInside && crc32(rest.subarray(0, indexedEnd)) === crc) return indexedEnd
  const lineEnd = rest.indexOf(lineFeed) + 1
  if (lineEnd > 0 && crc32(rest.subarray(0, lineEnd)) === crc) return lineEnd
  const next = rest.indexOf(`\n{"o":${offset + 1},"t":`, 0, 'latin1') + 1
  if (next > 0) return next
  // Its own line break changed too, or it is the last one of the segment.
  return isInside ? indexedEnd : lineEnd > 0 ? lineEnd : rest.length
}

function damagedLine(
  segment: Segment,
  offset: number,
  ingestedAtMs: number,
  found: Buffer,
): Buffer {
  const record: NewRecord = {
    deviceId: '',
    eventId: '',
    ingestedAtMs: Number.isSafeInteger(ingestedAtMs) ? ingestedAtMs : segment.createdAtMs,
    protocol: 'replay',
    body: {
      kind: 'refused',
      reason: 'RECORD_DAMAGED',
      detail: `bytes of record ${offset} changed on disk in ${segment.path}`,
      payload: found.subarray(0, keptBytes),
    },
  }
  const line = Buffer.allocUnsafe(lineBound(record))
  return line.subarray(0, writeLine(line, 0, offset, record))
}

async function readUpTo(data: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.max(0, length))
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await data.read(buffer, filled, buffer.length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}
