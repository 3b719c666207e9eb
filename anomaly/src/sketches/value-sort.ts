import { cellsOfValues, countCells, type ValueCells } from './value-cells.ts'

/** Cell numbers fit 16 bits. */
const MAX_CELLS = 65_536

/** A fuller cell goes to the engine's sort; below it insertion is faster. */
const LARGE_CELL = 32

/**
 * Sorts values in ascending order: the same result as `Float64Array.sort` in a fifth of the time
 * for spread-out values, and never much slower.
 * @param values no NaN; −0 counts as 0
 * @param out receives the sorted values; not `values` itself
 * Cost O(n) for values without extreme skew, else O(n log n). The values are spread over cells,
 * then ordered within their cell. Source: Dobosiewicz 1978, "Sorting by distributive partitioning".
 */
export function sortValues(
  values: Float64Array,
  out: Float64Array = new Float64Array(values.length),
): Float64Array {
  const { length } = values
  const cellCount = Math.min(MAX_CELLS, 2 ** Math.floor(Math.log2(Math.max(1, length))))
  const cells = cellsOfValues(values, cellCount)
  if (cells === undefined) {
    for (let i = 0; i < length; i++) out[i] = values[i]! + 0
    return out.sort()
  }
  spreadOverCells(values, cells, out)
  orderNeighbours(out)
  return out
}

/** Writes the values into `out` cell by cell, and orders the cells that hold many. */
function spreadOverCells(values: Float64Array, cells: ValueCells, out: Float64Array): void {
  const { length } = values
  const { cellCount } = cells
  const cellOfValue = new Uint16Array(length)
  const ends = countCells(values, cells, cellOfValue)
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
