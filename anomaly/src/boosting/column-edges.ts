/** Most value bins a column can have; one code of a byte stays free for missing cells. */
export const MAX_BINS = 255

/**
 * Cuts one column's values into at most `maxBins` bins of about equal row counts.
 *
 * With few distinct values every value gets a bin of its own. Else a value that alone fills a bin
 * gets one, so that ties (zeros, limits, set points) take no resolution from the rest, and the
 * others share what is left evenly. An edge lies half-way between the values it parts.
 * @param sorted finite values in rising order
 * @param edges receives the rising edges; a value x lies in bin #{edges ≤ x}
 * @returns number of edges, 0 for a constant column
 * Cost O(values). Source: the greedy equal-count binning of LightGBM (Ke et al. 2017, section 5).
 */
export function writeColumnEdges(
  sorted: Float64Array,
  maxBins: number,
  edges: Float64Array,
): number {
  const distinctCount = countDistinct(sorted)
  const binOf = distinctCount <= maxBins ? separateBins : fillBins
  return binOf(sorted, maxBins, edges)
}

/** Bin of a value: the number of edges at or below it. NaN falls into bin 0; ask for it before. */
export function binOfValue(value: number, edges: Float64Array, start: number, end: number): number {
  let low = start
  let high = end
  while (low < high) {
    const middle = (low + high) >>> 1
    if (value >= edges[middle]!) low = middle + 1
    else high = middle
  }
  return low - start
}

function countDistinct(sorted: Float64Array): number {
  let count = sorted.length === 0 ? 0 : 1
  for (let i = 1; i < sorted.length; i++) count += Number(sorted[i] !== sorted[i - 1])
  return count
}

function separateBins(sorted: Float64Array, _: number, edges: Float64Array): number {
  let count = 0
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i] === sorted[i - 1]) continue
    edges[count] = edgeBetween(sorted[i - 1]!, sorted[i]!)
    count++
  }
  return count
}

/** One walk over runs of equal values, after a first one that counts the big runs. */
function fillBins(sorted: Float64Array, maxBins: number, edges: Float64Array): number {
  const bigRun = sorted.length / maxBins
  let binsLeft = maxBins
  let rowsLeft = sorted.length
  for (let start = 0; start < sorted.length; ) {
    const end = endOfRun(sorted, start)
    if (end - start >= bigRun) {
      binsLeft--
      rowsLeft -= end - start
    }
    start = end
  }
  let target = rowsLeft / Math.max(1, binsLeft)
  let count = 0
  let inBin = 0
  for (let start = 0; start < sorted.length; ) {
    const end = endOfRun(sorted, start)
    if (end === sorted.length) break
    const size = end - start
    const isBig = size >= bigRun
    inBin += size
    if (!isBig) rowsLeft -= size
    const nextSize = endOfRun(sorted, end) - end
    // A bin ends with a big run, when full, or half-full before a big run.
    const isFull = inBin >= target || (nextSize >= bigRun && inBin >= target / 2)
    if ((isBig || isFull) && count < maxBins - 1) {
      edges[count] = edgeBetween(sorted[end - 1]!, sorted[end]!)
      count++
      inBin = 0
      if (!isBig) {
        binsLeft--
        target = rowsLeft / Math.max(1, binsLeft)
      }
    }
    start = end
  }
  return count
}

function endOfRun(sorted: Float64Array, start: number): number {
  const value = sorted[start]
  let end = start + 1
  while (end < sorted.length && sorted[end] === value) end++
  return end
}

/** A number t with lower < t ≤ upper, half-way where the numbers allow it. */
function edgeBetween(lower: number, upper: number): number {
  const middle = lower / 2 + upper / 2
  return middle > lower && middle <= upper ? middle : upper
}
