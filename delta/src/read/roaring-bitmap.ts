/** First four bytes, little end first, of the portable form: what engines write. */
const portableMagic = 1_681_511_377

/** First four bytes, big end first, of the native form: the protocol's own example of an inline vector. */
const nativeMagic = 1_681_511_376

/** First four bytes of a 32-bit bitmap without run containers. */
const plainCookie = 12346

/** Low half of the first four bytes of one with run containers; the high half is their count − 1. */
const runCookie = 12347

/** With fewer containers than this, a bitmap with run containers has no offset header. */
const leastOffsets = 4

/** Up to so many values a container is a sorted array, above it a bitmap. */
const longestArray = 4096

const containerBytes = 8192

/** More values than this would take half a gigabyte; a data file has some million rows. */
const mostValues = 2 ** 26

/** What a bitmap holds, or why it cannot be read. */
export type BitmapOutcome =
  | { readonly kind: 'values'; readonly values: Float64Array }
  | { readonly kind: 'damaged'; readonly reason: string }

/**
 * The values of a serialised 64-bit Roaring bitmap, rising. Sources: the Delta protocol's "Deletion
 * Vector Format" and RoaringFormatSpec, "standard 32-bit format" and "extension for 64-bit".
 * @param bytes magic number, count of buckets, then a 32-bit bitmap per bucket
 * @param expectedCount how many values there must be
 * Cost: linear in bytes and values; the counts are checked before memory is taken.
 */
export function valuesOfBitmap(bytes: Uint8Array, expectedCount: number): BitmapOutcome {
  if (!(expectedCount <= mostValues)) return damaged(`${expectedCount} values are too many`)
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), at: 4 }
  try {
    const isPortable = reader.view.getUint32(0, true) === portableMagic
    const isNative = reader.view.getUint32(0) === nativeMagic
    if (!isPortable && !isNative) return damaged(`unknown magic ${reader.view.getUint32(0, true)}`)
    const bucketCount = isPortable ? readUint64(reader) : readUint32BigEndian(reader)
    const parts: Float64Array[] = []
    let total = 0
    let previousKey = -1
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      const key = isPortable ? readUint32(reader) : bucket
      // The native form has the bitmap's size here, which the bitmap itself tells as well.
      if (isNative) reader.at += 4
      if (key <= previousKey) return damaged('bucket keys do not rise')
      if (key >= 2 ** 21) return damaged('a row number above 2^53')
      previousKey = key
      const values = readBucket(reader, key * 2 ** 32, expectedCount - total)
      if (typeof values === 'string') return damaged(values)
      total += values.length
      parts.push(values)
    }
    if (total !== expectedCount) return damaged(`${total} values, expected ${expectedCount}`)
    return { kind: 'values', values: joined(parts, total) }
  } catch (cause) {
    // A DataView answers a read past its end with this error and no other.
    if (cause instanceof RangeError) return damaged(`ends early, after ${bytes.length} bytes`)
    throw cause
  }
}

interface ByteReader {
  readonly view: DataView
  at: number
}

interface ContainerHead {
  readonly key: number
  readonly count: number
  readonly isRuns: boolean
}

function damaged(reason: string): BitmapOutcome {
  return { kind: 'damaged', reason }
}

/** One 32-bit bitmap; a text says why it cannot be read. */
function readBucket(reader: ByteReader, base: number, room: number): Float64Array | string {
  const heads = readHeads(reader)
  if (typeof heads === 'string') return heads
  const total = heads.reduce((sum, { count }) => sum + count, 0)
  if (total > room) return `${total} values, expected at most ${room}`
  const values = new Float64Array(total)
  let filled = 0
  for (const { key, count, isRuns } of heads) {
    const start = base + key * 65536
    const end = isRuns
      ? readRuns(reader, start, values, filled, filled + count)
      : count <= longestArray
        ? readArray(reader, start, values, filled, filled + count)
        : readBits(reader, start, values, filled, filled + count)
    if (end !== filled + count) return 'a container holds another number of values than it says'
    filled = end
  }
  for (let i = 1; i < total; i++) if (values[i]! <= values[i - 1]!) return 'values do not rise'
  return values
}

function readHeads(reader: ByteReader): readonly ContainerHead[] | string {
  const cookie = readUint32(reader)
  const hasRuns = (cookie & 0xffff) === runCookie
  if (!hasRuns && cookie !== plainCookie) return `unknown bitmap form ${cookie}`
  const containerCount = hasRuns ? (cookie >>> 16) + 1 : readUint32(reader)
  if (containerCount > 65536) return `${containerCount} containers, more than 65536`
  const runFlagsAt = reader.at
  if (hasRuns) reader.at += Math.ceil(containerCount / 8)
  const heads: ContainerHead[] = []
  for (let i = 0; i < containerCount; i++) {
    const key = readUint16(reader)
    const count = readUint16(reader) + 1
    const flag = hasRuns ? reader.view.getUint8(runFlagsAt + (i >> 3)) : 0
    heads.push({ key, count, isRuns: ((flag >> (i & 7)) & 1) === 1 })
  }
  // Containers follow one another, so the offsets say nothing new.
  if (!hasRuns || containerCount >= leastOffsets) reader.at += 4 * containerCount
  return heads
}

function readArray(
  reader: ByteReader,
  start: number,
  out: Float64Array,
  from: number,
  end: number,
): number {
  const { view, at } = reader
  reader.at += 2 * (end - from)
  for (let i = from; i < end; i++) out[i] = start + view.getUint16(at + 2 * (i - from), true)
  return end
}

function readBits(
  reader: ByteReader,
  start: number,
  out: Float64Array,
  from: number,
  end: number,
): number {
  const { view, at } = reader
  reader.at += containerBytes
  let filled = from
  for (let word = 0; word < containerBytes / 4; word++) {
    let bits = view.getUint32(at + 4 * word, true)
    while (bits !== 0) {
      if (filled === end) return end + 1
      out[filled++] = start + 32 * word + 31 - Math.clz32(bits & -bits)
      bits &= bits - 1
    }
  }
  return filled
}

function readRuns(
  reader: ByteReader,
  start: number,
  out: Float64Array,
  from: number,
  end: number,
): number {
  const { view, at } = reader
  const runCount = view.getUint16(at, true)
  reader.at += 2 + 4 * runCount
  let filled = from
  for (let run = 0; run < runCount; run++) {
    const first = start + view.getUint16(at + 2 + 4 * run, true)
    const length = view.getUint16(at + 4 + 4 * run, true) + 1
    if (filled + length > end) return end + 1
    for (let i = 0; i < length; i++) out[filled++] = first + i
  }
  return filled
}

function readUint32(reader: ByteReader): number {
  const value = reader.view.getUint32(reader.at, true)
  reader.at += 4
  return value
}

function readUint32BigEndian(reader: ByteReader): number {
  const value = reader.view.getUint32(reader.at)
  reader.at += 4
  return value
}

function readUint64(reader: ByteReader): number {
  const low = readUint32(reader)
  return low + 2 ** 32 * readUint32(reader)
}

function readUint16(reader: ByteReader): number {
  const value = reader.view.getUint16(reader.at, true)
  reader.at += 2
  return value
}

function joined(parts: readonly Float64Array[], total: number): Float64Array {
  if (parts.length === 1 && parts[0] !== undefined) return parts[0]
  const all = new Float64Array(total)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
