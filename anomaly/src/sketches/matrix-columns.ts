import { type FeatureMatrix, requireShape } from '../feature-matrix.ts'

/** Rows copied together, so that a cache line is read once for all its columns. */
const ROW_BLOCK = 64

/**
 * The columns of a matrix as arrays of their own, NaN cells left out.
 * @returns one array per column, in row order, at most rowCount long
 * @throws SHAPE_MISMATCH
 * Cost O(cells), one copy.
 */
export function presentColumns(matrix: FeatureMatrix): Float64Array[] {
  requireShape(matrix)
  const { values, rowCount, columnNames } = matrix
  const columnCount = columnNames.length
  const columns = columnNames.map(() => new Float64Array(rowCount))
  const counts = new Uint32Array(columnCount)
  for (let start = 0; start < rowCount; start += ROW_BLOCK) {
    const end = Math.min(rowCount, start + ROW_BLOCK)
    for (let c = 0; c < columnCount; c++) {
      const column = columns[c]!
      counts[c] = copyPresent(values, columnCount, c, start, end, column, counts[c]!)
    }
  }
  return columns.map((column, c) => (counts[c] === rowCount ? column : column.slice(0, counts[c])))
}

function copyPresent(
  values: Float64Array,
  columnCount: number,
  c: number,
  rowStart: number,
  rowEnd: number,
  column: Float64Array,
  countBefore: number,
): number {
  let count = countBefore
  for (let row = rowStart; row < rowEnd; row++) {
    const value = values[row * columnCount + c]!
    if (!Number.isNaN(value)) {
      column[count] = value
      count++
    }
  }
  return count
}
