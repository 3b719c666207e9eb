import { invalidOption } from '../errors.ts'

/** Name of the generator, to be recorded beside a seed. */
export const RANDOM_ALGORITHM = 'xoshiro128**'

/** State of one pseudo-random stream: four 32-bit words, changed by every draw. */
export type Random = { readonly algorithm: typeof RANDOM_ALGORITHM; readonly words: Uint32Array }

/**
 * A stream of pseudo-random numbers; the same seed and stream give the same numbers everywhere.
 * Streams of one seed are independent, so that work can be split among threads without changing
 * its result: one stream per tree, per fold, per restart.
 * @param seed safe integer ≥ 0
 * @param stream safe integer ≥ 0
 * @throws INVALID_OPTION for other seeds
 * Source: xoshiro128** 1.1, Blackman & Vigna 2018; seeded by murmur3's finaliser (Appleby 2011).
 */
export function createRandom(seed: number, stream = 0): Random {
  requireSeed('seed', seed)
  requireSeed('stream', stream)
  const words = new Uint32Array(4)
  for (let lane = 0; lane < 4; lane++) {
    let word = mix32(0x9e3779b9 * (lane + 1))
    for (const part of [seed, Math.floor(seed / 2 ** 32), stream, Math.floor(stream / 2 ** 32)]) {
      word = mix32((word ^ part) + 0x9e3779b9)
    }
    words[lane] = word
  }
  // All zero is the one state the generator cannot leave.
  if (words.every((word) => word === 0)) words[0] = 1
  return { algorithm: RANDOM_ALGORITHM, words }
}

/** A seed for stream `stream` of `seed`, for handing on to something that takes a seed. */
export function splitSeed(seed: number, stream: number): number {
  const random = createRandom(seed, stream)
  return (nextUint32(random) >>> 11) * 2 ** 32 + nextUint32(random)
}

/** Uniform integer in [0, 2³²). */
export function nextUint32(random: Random): number {
  const words = random.words
  const word0 = words[0]!
  const word1 = words[1]!
  const scrambled = Math.imul(rotateLeft(Math.imul(word1, 5), 7), 9)
  const word2 = words[2]! ^ word0
  const word3 = words[3]! ^ word1
  words[1] = word1 ^ word2
  words[0] = word0 ^ word3
  words[2] = word2 ^ (word1 << 9)
  words[3] = rotateLeft(word3, 11)
  return scrambled >>> 0
}

/** Uniform number in the open interval (0, 1), 52 random bits. */
export function nextOpenUnit(random: Random): number {
  const high = nextUint32(random) >>> 6
  const low = nextUint32(random) >>> 6
  return (high * 2 ** 26 + low + 0.5) * 2 ** -52
}

/** Uniform integer in [0, bound), without bias; `bound` in [1, 2³²]. */
export function nextIndex(random: Random, bound: number): number {
  const limit = 2 ** 32 - (2 ** 32 % bound)
  let draw = nextUint32(random)
  while (draw >= limit) draw = nextUint32(random)
  return draw % bound
}

/** Standard normal draw. Source: Marsaglia's polar method, 1964. */
export function nextNormal(random: Random): number {
  for (;;) {
    const x = 2 * nextOpenUnit(random) - 1
    const y = 2 * nextOpenUnit(random) - 1
    const square = x * x + y * y
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square)
  }
}

/**
 * `count` distinct indices of [0, populationSize), in random order (partial Fisher–Yates).
 * @throws INVALID_OPTION if count > populationSize
 * Cost O(populationSize).
 */
export function sampleIndices(random: Random, populationSize: number, count: number): Uint32Array {
  if (count > populationSize) throw invalidOption('count', `at most ${populationSize}`, count)
  const indices = new Uint32Array(populationSize)
  for (let i = 0; i < populationSize; i++) indices[i] = i
  for (let i = 0; i < count; i++) {
    const other = i + nextIndex(random, populationSize - i)
    const kept = indices[other]!
    indices[other] = indices[i]!
    indices[i] = kept
  }
  return indices.slice(0, count)
}

function rotateLeft(word: number, count: number): number {
  return (word << count) | (word >>> (32 - count))
}

function mix32(word: number): number {
  let mixed = word | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

function requireSeed(name: string, seed: number): void {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw invalidOption(name, 'a safe integer ≥ 0', seed)
  }
}
