import { AnomalyError } from '../errors.ts'
import type { FeatureMatrix } from '../feature-matrix.ts'

/** Refuses ±∞ where NaN means missing and is allowed; names the first. */
export function requireNoInfinity(what: string, matrix: FeatureMatrix): void {
  const { values } = matrix
  for (let i = 0; i < values.length; i++) {
    if (Math.abs(values[i]!) === Number.POSITIVE_INFINITY) throw infiniteCell(what, matrix, i)
  }
}

/** Values of one column that are not NaN, in row order. Cost O(rows). */
export function presentValues(matrix: FeatureMatrix, column: number): Float64Array {
  const { values, rowCount, columnNames } = matrix
  const present = new Float64Array(rowCount)
  let count = 0
  for (let row = 0; row < rowCount; row++) {
    const value = values[row * columnNames.length + column]!
    if (!Number.isNaN(value)) present[count++] = value
  }
  return present.subarray(0, count)
}

function infiniteCell(what: string, matrix: FeatureMatrix, at: number): AnomalyError {
  const row = Math.floor(at / matrix.columnNames.length)
  const column = matrix.columnNames[at % matrix.columnNames.length]
  return new AnomalyError(
    'NOT_FINITE',
    `${what}: row ${row}, column ${column} is infinite, expected finite or NaN; drop the row`,
    { what, row, column, found: matrix.values[at] },
  )
}
