import { shapeMismatch } from '../errors.ts'
import { sortValues } from '../sketches/value-sort.ts'
import { weightedRank, weightedValuesOfSorted } from '../sketches/weighted-values.ts'

/** Longest lag looked at: beyond it, correlated readings count as drift, not as noise. */
const MAX_LAG = 1000

/** Rows after which the estimate changes no more; the lags are counted on this many. */
const MAX_ROWS = 20_000

/**
 * How many independent values a series is worth: n divided by 1 + 2 Σ ρ_k, with ρ the
 * autocorrelation of the ranks. Readings of one device follow each other closely, and a test that
 * takes them for independent alarms far too often.
 * @param values in time order, group by group; NaN is left out
 * @param groupStarts index of the first value of each group (device), ascending from 0; values of
 *   different groups are never paired. Default: one group
 * @returns in [1, n]; n for independent values, 0 without values
 * @throws SHAPE_MISMATCH if a group starts past the end
 * Cost O(n log n + n · lags), lags ≤ 1,000, n ≤ 20,000. Source: Geyer 1992, the initial positive
 * sequence, which stops the sum where pairs of lags no longer add.
 */
export function effectiveCount(values: Float64Array, groupStarts: ArrayLike<number> = [0]): number {
  const lastStart = groupStarts[groupStarts.length - 1] ?? 0
  if (lastStart > values.length) throw shapeMismatch('groupStarts', values.length, lastStart)
  const present = values.filter((value) => !Number.isNaN(value))
  if (present.length < 2) return present.length
  const ranks = centredRanks(values, present)
  const groupOfRow = groupsOfRows(groupStarts, values.length)
  const rowCount = Math.min(values.length, MAX_ROWS)
  const variance = meanProduct(ranks, groupOfRow, 0, rowCount)
  if (!(variance > 0)) return 1
  const maxLag = Math.min(MAX_LAG, rowCount - 2)
  let timeScale = -1
  for (let lag = 0; lag <= maxLag; lag += 2) {
    const even = meanProduct(ranks, groupOfRow, lag, rowCount)
    const odd = meanProduct(ranks, groupOfRow, lag + 1, rowCount)
    const pair = (even + odd) / variance
    if (!(pair > 0)) break
    timeScale += 2 * pair
  }
  return Math.min(present.length, Math.max(1, present.length / Math.max(1, timeScale)))
}

/** Ranks in [−0.5, 0.5] around their mean; NaN stays. Ranks give outliers no weight of their own. */
function centredRanks(values: Float64Array, present: Float64Array): Float64Array {
  const distribution = weightedValuesOfSorted(sortValues(present))
  const ranks = values.map((value) =>
    Number.isNaN(value) ? Number.NaN : weightedRank(distribution, value),
  )
  let sum = 0
  for (let i = 0; i < ranks.length; i++) if (!Number.isNaN(ranks[i]!)) sum += ranks[i]!
  const mean = sum / present.length
  return ranks.map((rank) => rank - mean)
}

function groupsOfRows(groupStarts: ArrayLike<number>, rowCount: number): Uint32Array {
  const groupOfRow = new Uint32Array(rowCount)
  for (let group = 0; group < groupStarts.length; group++) {
    const end = group + 1 < groupStarts.length ? groupStarts[group + 1]! : rowCount
    groupOfRow.fill(group, groupStarts[group]!, end)
  }
  return groupOfRow
}

/** Mean of x_t · x_{t+lag} within groups, NaN left out; divided by all pairs, which damps far lags. */
function meanProduct(
  ranks: Float64Array,
  groupOfRow: Uint32Array,
  lag: number,
  rowCount: number,
): number {
  let sum = 0
  let count = 0
  for (let row = lag; row < rowCount; row++) {
    if (groupOfRow[row - lag] !== groupOfRow[row]) continue
    const product = ranks[row]! * ranks[row - lag]!
    if (Number.isNaN(product)) continue
    sum += product
    count++
  }
  return count === 0 ? 0 : sum / count
}
