/**
 * Definition levels of a page of a column of one level: which rows have a value. The run-length and
 * bit-packing hybrid with its length before it. Source: parquet-format, Encodings.md.
 * @param valid 1 for a value, 0 for a null; undefined if no row is null
 */
export function definitionLevels(
  valid: Uint8Array | undefined,
  start: number,
  end: number,
): Uint8Array {
  const rowCount = end - start
  if (valid === undefined) return withLength([...varint(rowCount * 2), 1], new Uint8Array(0))
  return withLength(varint(Math.ceil(rowCount / 8) * 2 + 1), packedBits(valid, start, end))
}

/** Flags of 0 and 1 as bits, the first in the lowest bit. */
export function packedBits(flags: Uint8Array, start: number, end: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil((end - start) / 8))
  for (let i = start; i < end; i++) bits[(i - start) >>> 3]! |= flags[i]! << ((i - start) & 7)
  return bits
}

/** Indices into a dictionary: their width in bits, then one bit-packed run. */
export function packedIndices(
  codes: Uint32Array,
  start: number,
  end: number,
  bitWidth: number,
): Uint8Array {
  const groupCount = Math.ceil((end - start) / 8)
  const header = [bitWidth, ...varint(groupCount * 2 + 1)]
  const bytes = new Uint8Array(header.length + groupCount * bitWidth)
  bytes.set(header)
  let at = header.length
  let buffer = 0
  let bitCount = 0
  for (let i = start; i < end; i++) {
    buffer |= codes[i]! << bitCount
    bitCount += bitWidth
    while (bitCount >= 8) {
      bytes[at++] = buffer & 0xff
      buffer >>>= 8
      bitCount -= 8
    }
  }
  if (bitCount > 0) bytes[at] = buffer
  return bytes
}

function withLength(header: readonly number[], body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + header.length + body.length)
  new DataView(bytes.buffer).setUint32(0, header.length + body.length, true)
  bytes.set(header, 4)
  bytes.set(body, 4 + header.length)
  return bytes
}

function varint(value: number): readonly number[] {
  const bytes: number[] = []
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return bytes
}
