// Writes Roaring bitmaps and deletion-vector files as the Delta protocol describes them, so that the
// reader has an independent twin. Not fast, and not part of the library.
import { crc32 } from 'node:zlib'

/** Which containers a bitmap may use. */
export type ContainerChoice = 'array-or-bits' | 'runs' | 'smallest'

/** The payload of a deletion vector: magic, then a 64-bit Roaring bitmap of the rising values. */
export function vectorPayload(values: readonly number[], choice: ContainerChoice): Buffer {
  const buckets = Map.groupBy(values, (value) => Math.floor(value / 2 ** 32))
  const parts: Buffer[] = [u32(1_681_511_377), u32(buckets.size), u32(0)]
  for (const [key, members] of buckets) {
    parts.push(
      u32(key),
      bitmap32(
        members.map((value) => value % 2 ** 32),
        choice,
      ),
    )
  }
  return Buffer.concat(parts)
}

/** A deletion-vector file of several payloads, and where each begins. */
export function vectorFile(payloads: readonly Buffer[]) {
  const parts: Buffer[] = [Buffer.from([1])]
  const offsets: number[] = []
  let at = 1
  for (const payload of payloads) {
    offsets.push(at)
    const size = Buffer.alloc(4)
    size.writeUInt32BE(payload.length)
    const checksum = Buffer.alloc(4)
    checksum.writeUInt32BE(crc32(payload))
    parts.push(size, payload, checksum)
    at += payload.length + 8
  }
  return { bytes: Buffer.concat(parts), offsets }
}

function bitmap32(values: readonly number[], choice: ContainerChoice): Buffer {
  const groups = [...Map.groupBy(values, (value) => Math.floor(value / 65536))]
  const containers = groups.map(([key, members]) => {
    const lows = members.map((value) => value % 65536)
    const plain = lows.length <= 4096 ? arrayOf(lows) : bitsOf(lows)
    const runs = runsOf(lows)
    const isRuns = choice === 'runs' || (choice === 'smallest' && runs.length < plain.length)
    return { key, count: lows.length, isRuns, body: isRuns ? runs : plain }
  })
  const hasRuns = containers.some(({ isRuns }) => isRuns)
  const parts: Buffer[] = hasRuns
    ? [u32(12347 + (containers.length - 1) * 65536), flagsOf(containers)]
    : [u32(12346), u32(containers.length)]
  for (const { key, count } of containers) parts.push(u16(key), u16(count - 1))
  if (!hasRuns || containers.length >= 4) {
    let at = parts.reduce((sum, { length }) => sum + length, 0) + 4 * containers.length
    for (const { body } of containers) {
      parts.push(u32(at))
      at += body.length
    }
  }
  return Buffer.concat([...parts, ...containers.map(({ body }) => body)])
}

function flagsOf(containers: readonly { readonly isRuns: boolean }[]): Buffer {
  const flags = Buffer.alloc(Math.ceil(containers.length / 8))
  containers.forEach(({ isRuns }, i) => {
    if (isRuns) flags[i >> 3] = (flags[i >> 3] ?? 0) | (1 << (i & 7))
  })
  return flags
}

function arrayOf(lows: readonly number[]): Buffer {
  return Buffer.concat(lows.map(u16))
}

function bitsOf(lows: readonly number[]): Buffer {
  const bits = Buffer.alloc(8192)
  for (const low of lows) bits[low >> 3] = (bits[low >> 3] ?? 0) | (1 << (low & 7))
  return bits
}

function runsOf(lows: readonly number[]): Buffer {
  const runs: { first: number; length: number }[] = []
  for (const low of lows) {
    const last = runs.at(-1)
    if (last !== undefined && last.first + last.length === low) last.length++
    else runs.push({ first: low, length: 1 })
  }
  const pairs = runs.flatMap(({ first, length }) => [u16(first), u16(length - 1)])
  return Buffer.concat([u16(runs.length), ...pairs])
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
