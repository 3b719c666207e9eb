import { type FeatureMatrix, requireShape } from '../feature-matrix.ts'

/** Columns copied together: a cache line holds eight cells of a row. */
const COLUMN_GROUP = 8

/** Rows copied together, so that their lines are still in the nearest cache for every column. */
const ROW_BLOCK = 64

/**
 * Visits the columns of a matrix one by one as arrays of their own, NaN cells left out.
 * @param visit gets the values of column c in row order. They lie in memory that later columns
 *   use again: copy what is to be kept
 * @throws SHAPE_MISMATCH
 * Cost O(cells); memory of eight columns.
 */
export function eachColumn(
  matrix: FeatureMatrix,
  visit: (values: Float64Array, c: number) => void,
): void {
  requireShape(matrix)
  const { values, rowCount, columnNames } = matrix
  const columnCount = columnNames.length
  const groupSize = Math.min(COLUMN_GROUP, columnCount)
  const scratch = Array.from({ length: groupSize }, () => new Float64Array(rowCount))
  for (let start = 0; start < columnCount; start += groupSize) {
    const end = Math.min(start + groupSize, columnCount)
    for (let row = 0; row < rowCount; row += ROW_BLOCK) {
      const rowEnd = Math.min(row + ROW_BLOCK, rowCount)
      for (let c = start; c < end; c++) {
        copyCells(values, columnCount, c, row, rowEnd, scratch[c - start]!)
      }
    }
    for (let c = start; c < end; c++) visit(presentPart(scratch[c - start]!), c)
  }
}

/** The values of each column without NaN, by what `turn` makes of them; see `eachColumn`. */
export function mapColumns<T>(
  matrix: FeatureMatrix,
  turn: (values: Float64Array, c: number) => T,
): T[] {
  const found: T[] = []
  eachColumn(matrix, (values, c) => {
    found[c] = turn(values, c)
  })
  return found
}

function copyCells(
  values: Float64Array,
  columnCount: number,
  c: number,
  rowStart: number,
  rowEnd: number,
  column: Float64Array,
): void {
  for (let row = rowStart; row < rowEnd; row++) column[row] = values[row * columnCount + c]!
}

/** Moves the values that are not NaN to the front, in place, and returns that part. */
function presentPart(column: Float64Array): Float64Array {
  let first = 0
  while (first < column.length && !Number.isNaN(column[first]!)) first++
  if (first === column.length) return column
  let count = first
  for (let row = first; row < column.length; row++) {
    const value = column[row]!
    if (Number.isNaN(value)) continue
    column[count] = value
    count++
  }
  return column.subarray(0, count)
}
