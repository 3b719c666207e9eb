/** Equal-width bins over the range of one column. */
export type Histogram = {
  /** Bins + 1 borders, ascending. */
  readonly edges: Float64Array
  /** Values per bin; a value on a border belongs to the bin above, the last border to the last. */
  readonly counts: Uint32Array
}

/**
 * Counts sorted values in equal-width bins from the smallest to the largest; equal values (up to
 * rounding) get a range of ±0.5 around them. Borders and counts are those of `numpy.histogram`.
 * @param sorted ascending, at least one value
 * Cost O(bins · log values).
 */
export function histogramOfSorted(sorted: Float64Array, binCount: number): Histogram {
  const lowest = sorted[0]!
  const highest = sorted[sorted.length - 1]!
  const largest = Math.max(Math.abs(lowest), Math.abs(highest))
  // Below this range borders would coincide in doubles.
  const isFlat = highest - lowest <= largest * binCount * 2 ** -50
  const margin = isFlat ? Math.max(0.5, largest * binCount * 2 ** -40) : 0
  const start = lowest - margin
  const stop = highest + margin
  const step = (stop - start) / binCount
  const edges = new Float64Array(binCount + 1)
  const counts = new Uint32Array(binCount)
  let below = 0
  for (let bin = 0; bin < binCount; bin++) {
    edges[bin] = bin * step + start
    const next = bin + 1 === binCount ? stop : (bin + 1) * step + start
    const end = bin + 1 === binCount ? sorted.length : firstAtLeast(sorted, next)
    counts[bin] = end - below
    below = end
  }
  edges[binCount] = stop
  return { edges, counts }
}

/**
 * Number of bins by penalised likelihood, from 1 to √n − 1: the first maximum of
 * Σ over bins of [count · ln(bins · count / n + 1) − (bins − 1 + ln(bins)^2.5)].
 * Source: Birgé & Rozenholc 2006 in the form PyOD gives it (`get_optimal_n_bins`): the penalty is
 * taken once per bin and 1 is added in the logarithm, which favours few bins.
 * @param sorted ascending, at least one value
 * Cost O(n · log n): about √n histograms of up to √n bins.
 */
export function likeliestBinCount(sorted: Float64Array): number {
  const valueCount = sorted.length
  const end = Math.max(2, Math.floor(Math.sqrt(valueCount)))
  let best = 1
  let highest = Number.NEGATIVE_INFINITY
  for (let binCount = 1; binCount < end; binCount++) {
    const { counts } = histogramOfSorted(sorted, binCount)
    const penalty = binCount - 1 + Math.log(binCount) ** 2.5
    let likelihood = 0
    for (let bin = 0; bin < binCount; bin++) {
      const count = counts[bin]!
      likelihood += count * Math.log((binCount * count) / valueCount + 1) - penalty
    }
    if (likelihood > highest) {
      highest = likelihood
      best = binCount
    }
  }
  return best
}

/** Index of the first value ≥ `bound`; the length if none is. */
function firstAtLeast(sorted: Float64Array, bound: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < bound) low = middle + 1
    else high = middle
  }
  return low
}
