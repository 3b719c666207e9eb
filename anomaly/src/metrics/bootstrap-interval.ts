import { AnomalyError, invalidOption, tooFewRows } from '../errors.ts'
import { quantileOfSorted } from '../statistics/quantile.ts'
import { createRandom, nextIndex } from '../statistics/random.ts'

/** Options of `bootstrapInterval`. */
export type BootstrapOptions = {
  /** Resamples. Default 1,000. */
  readonly resampleCount?: number
  /** Probability that the interval covers the truth, in (0, 1). Default 0.95. */
  readonly confidence?: number
  /** Default 0. */
  readonly seed?: number
  /**
   * Group (device) of each row, in [0, group count). Whole groups are then drawn: rows of one
   * device are alike, and drawn singly they promise a precision that is not there.
   */
  readonly groupOfRow?: ArrayLike<number>
}

/** A figure with its uncertainty. */
export type BootstrapInterval = {
  /** The statistic of all rows. */
  readonly estimate: number
  readonly low: number
  readonly high: number
  /** Standard deviation over resamples. */
  readonly standardError: number
  /** Resamples in which the statistic is not defined, such as AUROC without a positive. */
  readonly undefinedCount: number
}

/**
 * Percentile bootstrap interval of any statistic of rows.
 * @param statistic of the rows with the given indices, which repeat; NaN, or an error with code
 *   ONE_CLASS, says that it is not defined for them
 * @throws TOO_FEW_ROWS without rows, INVALID_OPTION, ONE_CLASS if more than half of all resamples
 *   are undefined, and what `statistic` throws
 * Cost resamples × cost of the statistic. Source: Efron 1979; Davison & Hinkley 1997, section 3.8
 * for groups.
 */
export function bootstrapInterval(
  rowCount: number,
  statistic: (rows: Uint32Array) => number,
  { resampleCount = 1000, confidence = 0.95, seed = 0, groupOfRow }: BootstrapOptions = {},
): BootstrapInterval {
  if (!(rowCount >= 1)) throw tooFewRows('bootstrap', 1, rowCount)
  if (!(Number.isInteger(resampleCount) && resampleCount >= 1)) {
    throw invalidOption('resampleCount', 'an integer ≥ 1', resampleCount)
  }
  if (!(confidence > 0 && confidence < 1))
    throw invalidOption('confidence', 'in (0, 1)', confidence)
  const groups = groupOfRow === undefined ? undefined : rowsOfGroups(groupOfRow, rowCount)
  const found: number[] = []
  for (let resample = 0; resample < resampleCount; resample++) {
    const random = createRandom(seed, resample)
    const rows =
      groups === undefined
        ? Uint32Array.from({ length: rowCount }, () => nextIndex(random, rowCount))
        : joined(groups.map(() => groups[nextIndex(random, groups.length)]!))
    const value = defined(statistic, rows)
    if (!Number.isNaN(value)) found.push(value)
  }
  if (found.length * 2 < resampleCount) {
    throw new AnomalyError(
      'ONE_CLASS',
      `bootstrap: the statistic is undefined in ${resampleCount - found.length} of ${resampleCount} resamples, expected less than half; add rows of the rare class`,
      { undefinedCount: resampleCount - found.length, resampleCount },
    )
  }
  const sorted = Float64Array.from(found).sort()
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length
  const squares = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return {
    estimate: statistic(Uint32Array.from({ length: rowCount }, (_, row) => row)),
    low: quantileOfSorted(sorted, (1 - confidence) / 2),
    high: quantileOfSorted(sorted, (1 + confidence) / 2),
    standardError: Math.sqrt(squares / Math.max(1, sorted.length - 1)),
    undefinedCount: resampleCount - found.length,
  }
}

function defined(statistic: (rows: Uint32Array) => number, rows: Uint32Array): number {
  try {
    return statistic(rows)
  } catch (error) {
    // A resample may miss the rare class; it is counted and left out.
    if (error instanceof AnomalyError && error.code === 'ONE_CLASS') return Number.NaN
    throw error
  }
}

function rowsOfGroups(groupOfRow: ArrayLike<number>, rowCount: number): readonly Uint32Array[] {
  if (groupOfRow.length !== rowCount) {
    throw invalidOption('groupOfRow.length', `${rowCount}`, groupOfRow.length)
  }
  const rows = new Map<number, number[]>()
  for (let row = 0; row < rowCount; row++) {
    const group = groupOfRow[row]!
    const known = rows.get(group)
    if (known === undefined) rows.set(group, [row])
    else known.push(row)
  }
  // By number, so that the draw does not depend on which group comes first.
  return [...rows].sort(([a], [b]) => a - b).map(([, members]) => Uint32Array.from(members))
}

function joined(parts: readonly Uint32Array[]): Uint32Array {
  const out = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let start = 0
  for (const part of parts) {
    out.set(part, start)
    start += part.length
  }
  return out
}
