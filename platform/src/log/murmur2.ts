const seed = 0x9747b28c
const multiplier = 0x5bd1e995
const encoder = new TextEncoder()

/** MurmurHash2, 32 bit, as Kafka's default partitioner computes it; returns a signed integer. */
export function murmur2(data: Uint8Array): number {
  const length = data.length
  let hash = seed ^ length
  const wordEnd = length & ~3
  for (let at = 0; at < wordEnd; at += 4) {
    let word = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24)
    word = Math.imul(word, multiplier)
    word = Math.imul(word ^ (word >>> 24), multiplier)
    hash = Math.imul(hash, multiplier) ^ word
  }
  const rest = length & 3
  if (rest >= 3) hash ^= data[wordEnd + 2]! << 16
  if (rest >= 2) hash ^= data[wordEnd + 1]! << 8
  if (rest >= 1) hash = Math.imul(hash ^ data[wordEnd]!, multiplier)
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}

/** Partition of a device, ING-15: the same on every log driver, so a device keeps its order. */
export function partitionOf(deviceId: string, partitionCount: number): number {
  if (partitionCount === 1) return 0
  return (murmur2(encoder.encode(deviceId)) & 0x7fffffff) % partitionCount
}
