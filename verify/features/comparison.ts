/** Counts what was compared and keeps the first differences. */
export type Comparison = {
  readonly close: (
    what: string,
    found: unknown,
    wanted: number | null | undefined,
    size?: number,
  ) => void
  readonly same: (what: string, found: unknown, wanted: unknown) => void
  readonly result: () => Outcome
}

type Outcome = {
  readonly compared: number
  readonly nulls: number
  readonly different: number
  readonly examples: readonly string[]
  /** What was null in every window: such a feature was not compared at all. */
  readonly alwaysNull: readonly string[]
}

export function newComparison(): Comparison {
  let [compared, nulls, different] = [0, 0, 0]
  const examples: string[] = []
  const hasValue = new Map<string, boolean>()
  const take = (what: string, found: unknown, wanted: unknown, isEqual: boolean) => {
    compared++
    if (found === null) nulls++
    const name = what.split(', D-')[0] ?? what
    hasValue.set(name, hasValue.get(name) === true || found !== null)
    if (isEqual) return
    different++
    if (examples.length < 10) examples.push(`${what}: ${String(found)}, expected ${String(wanted)}`)
  }
  return {
    /**
     * Equal up to 1e-9 of the value, or up to 1e-12 of the readings it was made of: the naive form
     * rounds at each addition and cannot do better near zero.
     */
    close: (what, found, wanted, size = 0) => {
      const isEqual =
        wanted === null || wanted === undefined || typeof found !== 'number'
          ? (found ?? null) === (wanted ?? null)
          : Math.abs(found - wanted) <= Math.max(1e-9 * Math.abs(wanted), 1e-12 * size)
      take(what, found ?? null, wanted ?? null, isEqual)
    },
    same: (what, found, wanted) =>
      take(what, found ?? null, wanted ?? null, Object.is(found ?? null, wanted ?? null)),
    result: () => ({
      ...{ compared, nulls, different, examples },
      alwaysNull: [...hasValue].flatMap(([name, has]) => (has ? [] : [name])),
    }),
  }
}
