import { quantileOfSorted } from '../statistics/quantile.ts'
import { countAtLeast } from './sorted-counts.ts'

/**
 * Cells of equal width between the ends of a sample of the values; the outer two are open. The
 * cell of x is ⌊(x − low) · scale⌋, held to [0, cellCount): it never falls where x rises, because
 * subtraction and multiplication round monotonically.
 */
export type ValueCells = {
  readonly low: number
  readonly scale: number
  readonly cellCount: number
}

const SAMPLE_SIZE = 256

/** Fewer values are sorted faster than spread over cells. */
export const MIN_CELL_VALUES = 2048

/** Cells for selection: their counts stay in the first-level cache. */
const SELECTION_CELLS = 4096

/**
 * Cells for these values, or undefined where a cell would have no usable width: few values,
 * constant, infinite or hugely spread ones.
 * @param values no NaN
 */
export function cellsOfValues(values: Float64Array, cellCount: number): ValueCells | undefined {
  if (values.length < MIN_CELL_VALUES) return undefined
  const sample = new Float64Array(SAMPLE_SIZE)
  const step = values.length / SAMPLE_SIZE
  for (let i = 0; i < SAMPLE_SIZE; i++) sample[i] = values[Math.floor(i * step)]!
  sample.sort()
  return cellsBetween(sample[0]!, sample[SAMPLE_SIZE - 1]!, cellCount)
}

/** Cells of equal width from `low` to `high`, or undefined without a usable width. */
export function cellsBetween(low: number, high: number, cellCount: number): ValueCells | undefined {
  const scale = cellCount / (high - low)
  const isUsable = scale > 0 && scale < Number.MAX_VALUE && Number.isFinite(low)
  return isUsable ? { low, scale, cellCount } : undefined
}

/** The cell of one value. */
export function cellOf({ low, scale, cellCount }: ValueCells, value: number): number {
  const position = (value - low) * scale
  return position < 0 ? 0 : position > cellCount - 1 ? cellCount - 1 : position | 0
}

/** Writes the cell of every value into `cellOfValue`; returns how many fell into each cell. */
export function countCells(
  values: Float64Array,
  { low, scale, cellCount }: ValueCells,
  cellOfValue: Uint16Array,
): Uint32Array {
  const counts = new Uint32Array(cellCount)
  const top = cellCount - 1
  for (let i = 0; i < values.length; i++) {
    const position = (values[i]! - low) * scale
    const cell = position < 0 ? 0 : position > top ? top : position | 0
    cellOfValue[i] = cell
    counts[cell] = counts[cell]! + 1
  }
  return counts
}

/** Quantiles of a sample, and how many of its values lie below each. */
export type SelectedQuantiles = {
  readonly quantiles: Float64Array
  readonly countsBelow: Float64Array
}

/**
 * Exact quantiles by linear interpolation between order statistics, as `quantiles` gives them,
 * without sorting: only the cells that hold a wanted rank are ordered.
 * @param values at least one, no NaN, any order
 * @param probabilities in [0, 1]
 * Cost O(n) for values without extreme skew, else O(n log n).
 */
export function selectQuantiles(
  values: Float64Array,
  probabilities: readonly number[],
): SelectedQuantiles {
  const cells = cellsOfValues(values, SELECTION_CELLS)
  if (cells === undefined) {
    const sorted = values.map((value) => value + 0).sort()
    const quantiles = Float64Array.from(probabilities, (p) => quantileOfSorted(sorted, p))
    const below = (quantile: number) => sorted.length - countAtLeast(sorted, quantile)
    return { quantiles, countsBelow: quantiles.map(below) }
  }
  const cellOfValue = new Uint16Array(values.length)
  const ends = countCells(values, cells, cellOfValue)
  for (let cell = 1; cell < ends.length; cell++) ends[cell] = ends[cell]! + ends[cell - 1]!
  const last = values.length - 1
  const ranks = probabilities.flatMap((p) => {
    const below = Math.floor(p * last)
    return [below, Math.min(below + 1, last)]
  })
  const cellOfRank = ranks.map((rank) => firstAbove(ends, rank))
  const gathered = gather(values, cellOfValue, ends, new Set(cellOfRank))
  const at = (i: number) => gathered.values[gathered.offsets[cellOfRank[i]!]! + ranks[i]!]!
  const quantiles = Float64Array.from(probabilities, (p, i) => {
    const lower = at(2 * i)
    const upper = at(2 * i + 1)
    const weight = p * last - ranks[2 * i]!
    return weight === 0 || lower === upper ? lower : lower + (upper - lower) * weight
  })
  // The quantile lies between two neighbours of known rank: its count is a matter of those cells.
  const countsBelow = quantiles.map((quantile, i) => {
    const first = cellOfRank[2 * i]!
    const start = first === 0 ? 0 : ends[first - 1]!
    const from = gathered.offsets[first]! + start
    const to = gathered.offsets[first]! + ends[first]!
    const cell = gathered.values.subarray(from, to)
    return start + cell.length - countAtLeast(cell, quantile)
  })
  return { quantiles, countsBelow }
}

/**
 * The values of the wanted cells in ascending order, and for each such cell what to add to a rank
 * to find its place among them.
 */
function gather(
  values: Float64Array,
  cellOfValue: Uint16Array,
  ends: Uint32Array,
  wanted: ReadonlySet<number>,
): { readonly values: Float64Array; readonly offsets: Int32Array } {
  const isWanted = new Uint8Array(ends.length)
  const offsets = new Int32Array(ends.length)
  let size = 0
  for (const cell of [...wanted].sort((a, b) => a - b)) {
    const start = cell === 0 ? 0 : ends[cell - 1]!
    isWanted[cell] = 1
    offsets[cell] = size - start
    size += ends[cell]! - start
  }
  const out = new Float64Array(size)
  let next = 0
  for (let i = 0; i < values.length; i++) {
    if (isWanted[cellOfValue[i]!] === 1) {
      out[next] = values[i]! + 0
      next++
    }
  }
  return { values: out.sort(), offsets }
}

/** Index of the first entry above `rank` in ascending `ends`. */
function firstAbove(ends: Uint32Array, rank: number): number {
  let low = 0
  let high = ends.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ends[middle]! > rank) high = middle
    else low = middle + 1
  }
  return low
}
