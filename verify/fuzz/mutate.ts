import type { Random } from './random.ts'

/** Bytes that end, begin or overflow something. */
const edgeBytes = [0, 1, 2, 0x0a, 0x20, 0x22, 0x2f, 0x5c, 0x7b, 0x7d, 0x7f, 0x80, 0xc0, 0xfe, 0xff]
const maxBytes = 20_000
const maxSteps = 6

const joined = (...parts: readonly Buffer[]) => Buffer.concat(parts).subarray(0, maxBytes)

type Step = (bytes: Buffer, random: Random, words: readonly Buffer[], other: Buffer) => Buffer

const place = (bytes: Buffer, random: Random) => random.below(bytes.length + 1)

function changed(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes)
  if (at < copy.length) copy[at] = value
  return copy
}

const steps: readonly Step[] = [
  (bytes, random) => {
    const at = place(bytes, random)
    return changed(bytes, at, (bytes[at] ?? 0) ^ (1 << random.below(8)))
  },
  (bytes, random) => changed(bytes, place(bytes, random), random.one(edgeBytes)),
  (bytes, random) => changed(bytes, place(bytes, random), random.below(256)),
  // The first bytes of a packet are its kind and its length.
  (bytes, random) => changed(bytes, random.below(12), random.below(256)),
  (bytes, random) => {
    const at = place(bytes, random)
    return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(8)))
  },
  (bytes, random, words) => {
    const at = place(bytes, random)
    return joined(bytes.subarray(0, at), random.one(words), bytes.subarray(at))
  },
  (bytes, random, words) => {
    const at = place(bytes, random)
    const word = random.one(words)
    return joined(bytes.subarray(0, at), word, bytes.subarray(at + word.length))
  },
  (bytes, random) => {
    const from = place(bytes, random)
    const part = bytes.subarray(from, from + 1 + random.below(40))
    const times = 1 + random.below(random.below(20) === 0 ? 200 : 4)
    const parts = Array.from({ length: times }, () => part)
    return joined(bytes.subarray(0, from), ...parts, bytes.subarray(from))
  },
  (bytes, random, _words, other) =>
    joined(bytes.subarray(0, place(bytes, random)), other.subarray(place(other, random))),
  (bytes, random) => bytes.subarray(0, place(bytes, random)),
]

/** A changed copy of an input: one to six random steps, among them pieces of another input. */
export function mutate(
  bytes: Buffer,
  random: Random,
  words: readonly Buffer[],
  other: Buffer,
): Buffer {
  let result = bytes
  const count = 1 + random.below(maxSteps)
  for (let i = 0; i < count; i++) result = random.one(steps)(result, random, words, other)
  return result
}
