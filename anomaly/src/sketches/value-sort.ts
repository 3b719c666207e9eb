/** From this many values on, spreading them over cells beats the engine's sort. */
const MIN_CELL_SORT = 2048

/** Cell numbers fit 16 bits. */
const MAX_CELLS = 65_536

/** A fuller cell goes to the engine's sort; below it insertion is faster. */
const LARGE_CELL = 32

const SAMPLE_SIZE = 256

/**
 * Sorts values in ascending order: the same result as `Float64Array.sort` in a fifth of the time
 * for spread-out values, and never much slower.
 * @param values no NaN; −0 counts as 0
 * @param out receives the sorted values; not `values` itself
 * Cost O(n) for values without extreme skew, else O(n log n). The values are spread over cells of
 * equal width between the ends of a sample, then ordered within their cell; each step keeps the
 * order of cells, because subtraction and multiplication round monotonically. Source: Dobosiewicz
 * 1978, "Sorting by distributive partitioning".
 */
export function sortValues(
  values: Float64Array,
  out: Float64Array = new Float64Array(values.length),
): Float64Array {
  const { length } = values
  const sample = length < MIN_CELL_SORT ? new Float64Array() : spreadSample(values)
  const low = sample[0] ?? 0
  const cellCount = Math.min(MAX_CELLS, 2 ** Math.floor(Math.log2(Math.max(1, length))))
  const scale = cellCount / ((sample[sample.length - 1] ?? 0) - low)
  // Constant, infinite or hugely spread samples have no usable cell width.
  if (!(scale > 0 && scale < Number.MAX_VALUE && Number.isFinite(low))) {
    for (let i = 0; i < length; i++) out[i] = values[i]! + 0
    return out.sort()
  }
  spreadOverCells(values, low, scale, cellCount, out)
  orderNeighbours(out)
  return out
}

/** Every (n/256)-th value, in ascending order. */
function spreadSample(values: Float64Array): Float64Array {
  const sample = new Float64Array(SAMPLE_SIZE)
  const step = values.length / SAMPLE_SIZE
  for (let i = 0; i < SAMPLE_SIZE; i++) sample[i] = values[Math.floor(i * step)]!
  return sample.sort()
}

/** Writes the values into `out` cell by cell, and orders the cells that hold many. */
function spreadOverCells(
  values: Float64Array,
  low: number,
  scale: number,
  cellCount: number,
  out: Float64Array,
): void {
  const { length } = values
  const top = cellCount - 1
  const cellOfValue = new Uint16Array(length)
  const ends = new Uint32Array(cellCount)
  for (let i = 0; i < length; i++) {
    const position = (values[i]! - low) * scale
    const cell = position < 0 ? 0 : position > top ? top : position | 0
    cellOfValue[i] = cell
    ends[cell] = ends[cell]! + 1
  }
  let start = 0
  for (let cell = 0; cell < cellCount; cell++) {
    const size = ends[cell]!
    ends[cell] = start
    start += size
  }
  for (let i = 0; i < length; i++) {
    const cell = cellOfValue[i]!
    const at = ends[cell]!
    // −0 becomes 0, so that the order of equal values leaves no trace in the result.
    out[at] = values[i]! + 0
    ends[cell] = at + 1
  }
  start = 0
  for (let cell = 0; cell < cellCount; cell++) {
    const end = ends[cell]!
    if (end - start > LARGE_CELL) out.subarray(start, end).sort()
    start = end
  }
}

/** Insertion sort of values that stand at most one small cell away from their place. */
function orderNeighbours(out: Float64Array): void {
  for (let i = 1; i < out.length; i++) {
    const value = out[i]!
    let at = i - 1
    if (out[at]! <= value) continue
    do {
      out[at + 1] = out[at]!
      at--
    } while (at >= 0 && out[at]! > value)
    out[at + 1] = value
  }
}
