import { invalidOption, shapeMismatch } from '../errors.ts'

/**
 * Counts of values between fixed edges: mergeable without any error, for values whose range is
 * known beforehand, such as calibrated scores.
 */
export type ValueHistogram = {
  readonly kind: 'value_histogram'
  readonly stateVersion: 1
  /** Inner edges, ascending: bins (−∞, e₀), [e₀, e₁), … [eₙ, ∞). */
  readonly edges: Float64Array
  /** One more than edges. */
  readonly counts: Float64Array
  /** NaN values, which are in no bin. */
  readonly nullCount: number
}

/**
 * A histogram of nothing.
 * @param edges inner edges, strictly ascending, finite
 * @throws INVALID_OPTION
 */
export function emptyValueHistogram(edges: ArrayLike<number>): ValueHistogram {
  const own = Float64Array.from(edges)
  for (let i = 0; i < own.length; i++) {
    if (!Number.isFinite(own[i]) || (i > 0 && !(own[i]! > own[i - 1]!))) {
      throw invalidOption(`edges[${i}]`, 'finite and above the edge before', own[i])
    }
  }
  const counts = new Float64Array(own.length + 1)
  return { kind: 'value_histogram', stateVersion: 1, edges: own, counts, nullCount: 0 }
}

/**
 * Inner edges that cut [low, high] into `binCount` equal bins; values outside fall into the first
 * and the last.
 * @throws INVALID_OPTION
 */
export function equalEdges(low: number, high: number, binCount: number): Float64Array {
  if (!(Number.isInteger(binCount) && binCount >= 1)) {
    throw invalidOption('binCount', 'an integer ≥ 1', binCount)
  }
  if (!(high > low)) throw invalidOption('high', `above ${low}`, high)
  return Float64Array.from(
    { length: binCount - 1 },
    (_, i) => low + ((high - low) * (i + 1)) / binCount,
  )
}

/**
 * The histogram with more values in it; the old one stays as it was.
 * Cost O(n log bins).
 */
export function updateValueHistogram(
  histogram: ValueHistogram,
  values: Float64Array,
): ValueHistogram {
  const { edges } = histogram
  const counts = histogram.counts.slice()
  let nullCount = histogram.nullCount
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (Number.isNaN(value)) {
      nullCount++
      continue
    }
    let low = 0
    let high = edges.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (edges[middle]! <= value) low = middle + 1
      else high = middle
    }
    counts[low] = counts[low]! + 1
  }
  return { ...histogram, counts, nullCount }
}

/**
 * Histogram of the values of both; exact, the same in any order.
 * @throws SHAPE_MISMATCH, INVALID_OPTION if the edges differ
 */
export function mergeValueHistograms(a: ValueHistogram, b: ValueHistogram): ValueHistogram {
  if (a.edges.length !== b.edges.length) {
    throw shapeMismatch('edges.length', a.edges.length, b.edges.length)
  }
  const at = a.edges.findIndex((edge, i) => edge !== b.edges[i])
  if (at >= 0) throw invalidOption(`edges[${at}]`, `${a.edges[at]}`, b.edges[at])
  const counts = a.counts.map((count, i) => count + b.counts[i]!)
  return { ...a, counts, nullCount: a.nullCount + b.nullCount }
}
