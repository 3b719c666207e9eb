import { countAbove, countAtLeast } from '../sketches/sorted-counts.ts'
import { cellOf, cellsBetween } from '../sketches/value-cells.ts'
import { type WeightedValues, weightedRank } from '../sketches/weighted-values.ts'

/** How values fall into bins. */
export type PsiBins =
  /** Bins (−∞, e₀), [e₀, e₁), … [eₙ, ∞). */
  | { readonly kind: 'edges'; readonly edges: Float64Array }
  /** Two bins: the modal value, and anything else. */
  | { readonly kind: 'modal'; readonly value: number }

/** Probabilities of the edges, the outer two included. */
export const DECILES: readonly number[] = Array.from({ length: 11 }, (_, i) => i / 10)

/** Cells in which a value finds its bin; those without an edge need no comparison. */
const LOOKUP_CELLS = 1024

/** Marks a cell that holds an edge. */
const HOLDS_EDGE = 255

/** Inner edges with equal ones merged, or undefined if fewer than 3 bins remain. */
export function edgesOfDeciles(deciles: Float64Array): Float64Array | undefined {
  const distinct = [...new Set(deciles)]
  return distinct.length < 4 ? undefined : Float64Array.from(distinct.slice(1, -1))
}

/** Shares of the bins between inner edges, from the number of values below each decile. */
export function fractionsOfDeciles(
  deciles: Float64Array,
  countsBelow: Float64Array,
  rowCount: number,
): Float64Array {
  const fractions: number[] = []
  let before = 0
  for (let i = 1; i < deciles.length; i++) {
    const isLast = i === deciles.length - 1
    // Equal deciles are one edge, as are the outer ones with those equal to them.
    if (!isLast && (deciles[i] === deciles[0] || deciles[i] === deciles[deciles.length - 1]))
      continue
    if (!isLast && deciles[i] === deciles[i - 1]) continue
    const below = isLast ? rowCount : countsBelow[i]!
    fractions.push((below - before) / rowCount)
    before = below
  }
  return Float64Array.from(fractions)
}

/** Shares of a distribution in the bins: what `psiOfFractions` takes. O(bins · log n). */
export function weightedBinFractions(bins: PsiBins, weighted: WeightedValues): Float64Array {
  if (bins.kind === 'modal') {
    const share = weightedRank(weighted, bins.value) - shareBelow(weighted, bins.value)
    return Float64Array.of(share, 1 - share)
  }
  const fractions = new Float64Array(bins.edges.length + 1)
  let before = 0
  for (let bin = 0; bin < bins.edges.length; bin++) {
    const share = shareBelow(weighted, bins.edges[bin]!)
    fractions[bin] = share - before
    before = share
  }
  fractions[bins.edges.length] = 1 - before
  return fractions
}

/** Share of the weight strictly below `value`. */
function shareBelow({ values, cumulative }: WeightedValues, value: number): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (values[middle]! < value) low = middle + 1
    else high = middle
  }
  return low === 0 ? 0 : cumulative[low - 1]! / cumulative[cumulative.length - 1]!
}

/** Shares of values without NaN in the bins. Cost O(n). */
export function binFractions(bins: PsiBins, values: Float64Array): Float64Array {
  if (bins.kind === 'modal') {
    let modal = 0
    for (let i = 0; i < values.length; i++) if (values[i] === bins.value) modal++
    return Float64Array.of(modal / values.length, (values.length - modal) / values.length)
  }
  const counts = edgeCounts(bins.edges, values)
  return counts.map((count) => count / values.length)
}

/** Number of values in each of the bins (−∞, e₀), [e₀, e₁), … [eₙ, ∞). */
function edgeCounts(edges: Float64Array, values: Float64Array): Float64Array {
  const counts = new Float64Array(edges.length + 1)
  const lowest = edges[0]!
  const highest = edges[edges.length - 1]!
  // As far beyond the edges as they span: hardly a value lies outside, so that the two comparisons
  // with the ends are nearly always foreseen.
  const margin = highest - lowest
  const cells = cellsBetween(lowest - margin, highest + margin, LOOKUP_CELLS)
  const binOfCell = new Uint8Array(LOOKUP_CELLS)
  if (cells === undefined) {
    binOfCell.fill(HOLDS_EDGE)
  } else {
    const edgeCells = Array.from(edges, (edge) => cellOf(cells, edge))
    for (let cell = 0; cell < LOOKUP_CELLS; cell++) {
      binOfCell[cell] = edgeCells.includes(cell)
        ? HOLDS_EDGE
        : edgeCells.filter((edgeCell) => edgeCell < cell).length
    }
  }
  const low = cells?.low ?? 0
  const scale = cells?.scale ?? 0
  const top = LOOKUP_CELLS - 1
  // Counting by cell, not by bin: neighbouring values seldom wait for each other's count.
  const cellCounts = new Uint32Array(LOOKUP_CELLS)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    const position = (value - low) * scale
    const cell = position < 0 ? 0 : position > top ? top : position | 0
    if (binOfCell[cell] !== HOLDS_EDGE) {
      cellCounts[cell] = cellCounts[cell]! + 1
      continue
    }
    let bin = 0
    while (bin < edges.length && value >= edges[bin]!) bin++
    counts[bin] = counts[bin]! + 1
  }
  for (let cell = 0; cell < LOOKUP_CELLS; cell++) {
    const bin = binOfCell[cell]!
    if (bin !== HOLDS_EDGE) counts[bin] = counts[bin]! + cellCounts[cell]!
  }
  return counts
}

/** `binFractions` of values in ascending order without NaN: O(bins · log n). */
export function sortedBinFractions(bins: PsiBins, sorted: Float64Array): Float64Array {
  const count = sorted.length
  if (bins.kind === 'modal') {
    const modal = countAtLeast(sorted, bins.value) - countAbove(sorted, bins.value)
    return Float64Array.of(modal / count, (count - modal) / count)
  }
  const fractions = new Float64Array(bins.edges.length + 1)
  let before = 0
  for (let bin = 0; bin < bins.edges.length; bin++) {
    const below = count - countAtLeast(sorted, bins.edges[bin]!)
    fractions[bin] = (below - before) / count
    before = below
  }
  fractions[bins.edges.length] = (count - before) / count
  return fractions
}

/** The most frequent value, the smallest of several. */
export function modeOfSorted(sorted: Float64Array): number {
  let mode = sorted[0]!
  let modeCount = 0
  for (let start = 0; start < sorted.length; ) {
    let end = start + 1
    while (end < sorted.length && sorted[end] === sorted[start]) end++
    if (end - start > modeCount) {
      modeCount = end - start
      mode = sorted[start]!
    }
    start = end
  }
  return mode
}

/** The value of the largest weight, the smallest of several. */
export function modeOfWeighted({ values, cumulative }: WeightedValues): number {
  let mode = values[0]!
  let largest = 0
  for (let i = 0; i < values.length; i++) {
    const weight = cumulative[i]! - (i === 0 ? 0 : cumulative[i - 1]!)
    if (weight > largest) {
      largest = weight
      mode = values[i]!
    }
  }
  return mode
}
