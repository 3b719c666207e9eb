/** Rows of one kind: calendar week × equipment model × operating mode, MOD-33. */
export type Stratum = {
  readonly week: string
  readonly equipment: string
  readonly mode: string
  readonly rowCount: number
}

/**
 * How many rows to draw from each stratum (MOD-33): weeks equally, so that a season of many
 * readings does not outvote another; inside a week in proportion. A week with less than its share
 * gives all it has and the others take the rest.
 * @returns one quota per stratum, in their order, summing to min(limit, all rows)
 */
export function stratumQuotas(strata: readonly Stratum[], limit: number): Float64Array {
  const rowsOfWeek = new Map<string, number>()
  for (const { week, rowCount } of strata) {
    rowsOfWeek.set(week, (rowsOfWeek.get(week) ?? 0) + rowCount)
  }
  const shareOfWeek = equalShares(rowsOfWeek, limit)
  const quotas = new Float64Array(strata.length)
  for (const [week, share] of shareOfWeek) {
    const members = strata.flatMap((stratum, index) => (stratum.week === week ? [index] : []))
    const total = rowsOfWeek.get(week) ?? 0
    proportion(
      members.map((index) => strata[index]?.rowCount ?? 0),
      total,
      share,
    ).forEach((quota, position) => {
      quotas[members[position]!] = quota
    })
  }
  return quotas
}

/** Shares as equal as the supply allows, whole numbers; weeks in ascending order get the rest. */
function equalShares(supply: ReadonlyMap<string, number>, limit: number): Map<string, number> {
  const shares = new Map<string, number>()
  let left = limit
  const bySupply = [...supply].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
  for (const [index, [name, available]] of bySupply.entries()) {
    const share = Math.min(available, Math.floor(left / (bySupply.length - index)))
    shares.set(name, share)
    left -= share
  }
  return shares
}

/** Splits `share` in proportion to the counts by largest remainder; never above a count. */
function proportion(counts: readonly number[], total: number, share: number): number[] {
  if (total === 0) return counts.map(() => 0)
  const exact = counts.map((count) => (count * share) / total)
  const quotas = exact.map(Math.floor)
  let left = share - quotas.reduce((sum, quota) => sum + quota, 0)
  const byRemainder = exact
    .map((value, index) => ({ index, remainder: value - Math.floor(value) }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index)
  for (const { index } of byRemainder) {
    if (left <= 0) break
    if (quotas[index]! >= counts[index]!) continue
    quotas[index] = quotas[index]! + 1
    left--
  }
  return quotas
}
