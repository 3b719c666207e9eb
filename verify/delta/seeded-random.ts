/** A source of random choices that a seed repeats. */
export type Random = {
  /** A number in [0, 1). */
  readonly share: () => number
  /** A whole number in [0, end). */
  readonly below: (end: number) => number
  /** A whole number in [low, high]. */
  readonly between: (low: bigint, high: bigint) => bigint
  readonly chance: (share: number) => boolean
  readonly pick: <T>(from: readonly T[]) => T
  /** `count` different members in random order, or all of them where there are fewer. */
  readonly sample: <T>(from: readonly T[], count: number) => readonly T[]
}

/** Random choices of a seed: mulberry32, which is good enough to choose test data. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const word = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const share = () => word() / 2 ** 32
  const below = (end: number) => Math.floor(share() * end)
  const pick = <T>(from: readonly T[]): T => {
    const chosen = from[below(from.length)]
    if (chosen === undefined) throw new Error('nothing to pick from')
    return chosen
  }
  return {
    share,
    below,
    between: (low, high) => {
      const span = high - low + 1n
      // 256 bits make the bias of the remainder too small to matter.
      let wide = 0n
      for (let i = 0; i < 8; i++) wide = (wide << 32n) | BigInt(word())
      return low + (wide % span)
    },
    chance: (limit) => share() < limit,
    pick,
    sample: (from, count) => {
      const rest = [...from]
      const chosen = []
      while (chosen.length < count && rest.length > 0) {
        chosen.push(...rest.splice(below(rest.length), 1))
      }
      return chosen
    },
  }
}
