/** Numbers that come again with the same seed: a finding can be repeated (xorshift32, Marsaglia 2003). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = (seed | 0) === 0 ? 1 : seed | 0
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x
    return (x >>> 0) % bound
  }

  one<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }
}
