import { invalidOption } from '../errors.ts'
import { type FeatureMatrix, requireShape } from '../feature-matrix.ts'

/** Options of the rolling z-score. */
export type RollingOptions = {
  /** Rows in the window, the row itself included; at least 2. */
  readonly windowRows: number
  /** Values needed in the window, default all of it; at least 2. */
  readonly minCount?: number
}

/**
 * Distance of each cell from the mean of its column over the newest rows, in sample standard
 * deviations (n − 1), signed. The rows are in order of time.
 * @param matrix rowCount × columns; NaN = missing, left out of the window
 * @param out receives the scores; default a new array
 * @returns rowCount × columns, row-major; NaN where the cell is missing, the window holds too few
 *   values, or all are equal
 * @throws INVALID_OPTION, SHAPE_MISMATCH
 * Cost O(cells): sums move with the window and are formed anew once per window, so that rounding
 * does not add up. Equal to pandas' `(x − x.rolling(w).mean()) / x.rolling(w).std()`.
 */
export function rollingZScores(
  matrix: FeatureMatrix,
  options: RollingOptions,
  out: Float64Array = new Float64Array(matrix.values.length),
): Float64Array {
  const { windowRows, minCount = windowRows } = options
  if (!(Number.isInteger(windowRows) && windowRows >= 2)) {
    throw invalidOption('windowRows', 'an integer ≥ 2', windowRows)
  }
  if (!(minCount >= 2 && minCount <= windowRows)) {
    throw invalidOption('minCount', `in [2, ${windowRows}]`, minCount)
  }
  requireShape(matrix)
  const { values, rowCount, columnNames } = matrix
  const columnCount = columnNames.length
  const sums = emptySums(columnCount)
  for (let start = 0; start < rowCount; start += windowRows) {
    const end = Math.min(start + windowRows, rowCount)
    restart(sums, values, columnCount, Math.max(0, start - windowRows), start)
    for (let row = start; row < end; row++) {
      const leaving = row >= windowRows ? (row - windowRows) * columnCount : -1
      scoreRow(sums, values, row * columnCount, leaving, minCount, out)
    }
  }
  return out
}

/** Running sums per column, of values minus a shift near their mean. */
type RollingSums = {
  readonly shifts: Float64Array
  readonly sums: Float64Array
  readonly squares: Float64Array
  readonly counts: Float64Array
}

function emptySums(columnCount: number): RollingSums {
  return {
    shifts: new Float64Array(columnCount),
    sums: new Float64Array(columnCount),
    squares: new Float64Array(columnCount),
    counts: new Float64Array(columnCount),
  }
}

/** Sums of rows [start, end), shifted by the newest value before `end`, or the first after. */
function restart(
  { shifts, sums, squares, counts }: RollingSums,
  values: Float64Array,
  columnCount: number,
  start: number,
  end: number,
): void {
  sums.fill(0)
  squares.fill(0)
  counts.fill(0)
  for (let column = 0; column < columnCount; column++) {
    let shift = Number.NaN
    for (let row = end - 1; row >= start && Number.isNaN(shift); row--) {
      shift = values[row * columnCount + column]!
    }
    for (let row = end; row * columnCount < values.length && Number.isNaN(shift); row++) {
      shift = values[row * columnCount + column]!
    }
    shifts[column] = Number.isFinite(shift) ? shift : 0
  }
  for (let row = start; row < end; row++) {
    for (let column = 0; column < columnCount; column++) {
      const value = values[row * columnCount + column]! - shifts[column]!
      if (Number.isNaN(value)) continue
      sums[column] = sums[column]! + value
      squares[column] = squares[column]! + value * value
      counts[column] = counts[column]! + 1
    }
  }
}

function scoreRow(
  { shifts, sums, squares, counts }: RollingSums,
  values: Float64Array,
  cells: number,
  leaving: number,
  minCount: number,
  out: Float64Array,
): void {
  for (let column = 0; column < shifts.length; column++) {
    const shift = shifts[column]!
    const value = values[cells + column]! - shift
    let sum = sums[column]!
    let square = squares[column]!
    let count = counts[column]!
    if (leaving >= 0) {
      const old = values[leaving + column]! - shift
      if (!Number.isNaN(old)) {
        sum -= old
        square -= old * old
        count -= 1
      }
    }
    if (!Number.isNaN(value)) {
      sum += value
      square += value * value
      count += 1
    }
    sums[column] = sum
    squares[column] = square
    counts[column] = count
    const mean = sum / count
    const deviations = square - sum * mean
    // What is left of a constant window is rounding of its squares.
    const isSpread = deviations > 1e-13 * square
    out[cells + column] =
      count >= minCount && isSpread
        ? (value - mean) / Math.sqrt(deviations / (count - 1))
        : Number.NaN
  }
}
