/**
 * Incremental forms of the aggregates of FEA-18. Each is plain data with `empty`, `update`, `merge`
 * and `finish`; merging parts gives what one pass gives, up to rounding.
 */

/** Count, centre and spread. `min` and `max` are null while empty. */
export type Moments = {
  readonly n: number
  readonly mean: number
  /** Sum of squared deviations from the mean. */
  readonly m2: number
  readonly min: number | null
  readonly max: number | null
}

export const emptyMoments: Moments = { n: 0, mean: 0, m2: 0, min: null, max: null }

/** Welford's update. */
export function updateMoments(state: Moments, y: number): Moments {
  const n = state.n + 1
  const delta = y - state.mean
  const mean = state.mean + delta / n
  return {
    n,
    mean,
    m2: state.m2 + delta * (y - mean),
    min: state.min === null ? y : Math.min(state.min, y),
    max: state.max === null ? y : Math.max(state.max, y),
  }
}

function extreme(
  pick: (a: number, b: number) => number,
  a: number | null,
  b: number | null,
): number | null {
  if (a === null) return b
  return b === null ? a : pick(a, b)
}

/** Chan, Golub & LeVeque 1979, eq. 2.1. */
export function mergeMoments(a: Moments, b: Moments): Moments {
  if (a.n === 0) return b
  if (b.n === 0) return a
  const n = a.n + b.n
  const delta = b.mean - a.mean
  return {
    n,
    mean: a.mean + (delta * b.n) / n,
    m2: a.m2 + b.m2 + (delta * delta * a.n * b.n) / n,
    min: extreme(Math.min, a.min, b.min),
    max: extreme(Math.max, a.max, b.max),
  }
}

/** Sample standard deviation; null for fewer than two values. */
export function standardDeviation({ n, m2 }: Moments): number | null {
  return n < 2 ? null : Math.sqrt(Math.max(0, m2) / (n - 1))
}

/** Centred sums of a line through (x, y), x in minutes. */
export type Trend = {
  readonly n: number
  readonly meanX: number
  readonly meanY: number
  readonly sxx: number
  readonly sxy: number
}

export const emptyTrend: Trend = { n: 0, meanX: 0, meanY: 0, sxx: 0, sxy: 0 }

export function updateTrend(state: Trend, x: number, y: number): Trend {
  return mergeTrend(state, { n: 1, meanX: x, meanY: y, sxx: 0, sxy: 0 })
}

/** The same pairwise update for a product of deviations. */
export function mergeTrend(a: Trend, b: Trend): Trend {
  if (a.n === 0) return b
  if (b.n === 0) return a
  const n = a.n + b.n
  const deltaX = b.meanX - a.meanX
  const deltaY = b.meanY - a.meanY
  const weight = (a.n * b.n) / n
  return {
    n,
    meanX: a.meanX + (deltaX * b.n) / n,
    meanY: a.meanY + (deltaY * b.n) / n,
    sxx: a.sxx + b.sxx + deltaX * deltaX * weight,
    sxy: a.sxy + b.sxy + deltaX * deltaY * weight,
  }
}

/** Slope per minute; null for fewer than two rows or no spread in time. */
export function slope({ n, sxx, sxy }: Trend): number | null {
  return n < 2 || sxx === 0 ? null : sxy / sxx
}

/** Exact quantile by linear interpolation at rank q·(n−1); null without values. */
export function quantile(values: readonly number[], q: number): number | null {
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  const rank = q * (sorted.length - 1)
  const low = sorted[Math.floor(rank)] ?? 0
  const high = sorted[Math.ceil(rank)] ?? low
  return low + (high - low) * (rank - Math.floor(rank))
}
