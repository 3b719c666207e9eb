import { AnomalyError, invalidOption, notFinite, shapeMismatch, tooFewRows } from './errors.ts'

/**
 * Rows of numeric features, column-named, so that a shuffled or missing column is noticed.
 * `values` is row-major: the cell of row r and column c is `values[r * columnNames.length + c]`.
 */
export type FeatureMatrix = {
  readonly values: Float64Array
  readonly rowCount: number
  readonly columnNames: readonly string[]
}

/**
 * Wraps row-major values with their column names. Nothing is copied.
 * @param values row-major, rowCount × columnNames.length, any unit; NaN is allowed here and
 *   judged by each detector
 * @throws SHAPE_MISMATCH if the length is no multiple of the column count;
 *   INVALID_OPTION if there is no column or a name occurs twice
 * Cost O(columns).
 */
export function featureMatrix(values: Float64Array, columnNames: readonly string[]): FeatureMatrix {
  if (columnNames.length === 0) throw invalidOption('columnNames', 'at least one name', 'empty')
  const seen = new Set<string>()
  for (const name of columnNames) {
    if (seen.has(name)) throw invalidOption('columnNames', 'distinct names', name)
    seen.add(name)
  }
  const rowCount = Math.floor(values.length / columnNames.length)
  if (rowCount * columnNames.length !== values.length) {
    throw shapeMismatch('values.length', rowCount * columnNames.length, values.length)
  }
  return { values, rowCount, columnNames }
}

/**
 * Builds a matrix from rows of plain arrays, for examples, tests and small inputs.
 * @throws SHAPE_MISMATCH if a row has another length than `columnNames`
 */
export function featureMatrixOfRows(
  rows: readonly (readonly number[])[],
  columnNames: readonly string[],
): FeatureMatrix {
  const values = new Float64Array(rows.length * columnNames.length)
  for (const [index, row] of rows.entries()) {
    if (row.length !== columnNames.length) {
      throw shapeMismatch(`length of row ${index}`, columnNames.length, row.length)
    }
    values.set(row, index * columnNames.length)
  }
  return featureMatrix(values, columnNames)
}

/**
 * The same matrix in memory that worker threads share, so that a scoring pool need not copy it.
 * Cost: one copy of the values.
 */
export function sharedFeatureMatrix(matrix: FeatureMatrix): FeatureMatrix {
  if (matrix.values.buffer instanceof SharedArrayBuffer) return matrix
  const values = new Float64Array(
    new SharedArrayBuffer(matrix.values.length * Float64Array.BYTES_PER_ELEMENT),
  )
  values.set(matrix.values)
  return { ...matrix, values }
}

/**
 * Copies the given rows, in the given order, into a new matrix.
 * @throws INVALID_OPTION if an index is outside the matrix
 */
export function selectRows(matrix: FeatureMatrix, rows: ArrayLike<number>): FeatureMatrix {
  requireRowIndices(matrix, rows)
  const columnCount = matrix.columnNames.length
  const values = new Float64Array(rows.length * columnCount)
  for (let i = 0; i < rows.length; i++) {
    const start = rows[i]! * columnCount
    for (let c = 0; c < columnCount; c++) values[i * columnCount + c] = matrix.values[start + c]!
  }
  return { values, rowCount: rows.length, columnNames: matrix.columnNames }
}

/** Refuses a matrix whose columns are not exactly the model's, in the model's order. */
export function requireColumns(columnNames: readonly string[], matrix: FeatureMatrix): void {
  const found = matrix.columnNames
  const shared = Math.min(columnNames.length, found.length)
  for (let c = 0; c < shared; c++) {
    if (columnNames[c] !== found[c]) {
      throw columnMismatch(c, columnNames[c] ?? '', found[c] ?? '')
    }
  }
  if (columnNames.length !== found.length) {
    throw columnMismatch(shared, columnNames[shared] ?? 'no column', found[shared] ?? 'no column')
  }
  requireShape(matrix)
}

/** Refuses a hand-made matrix whose values do not fill rowCount × columns. */
export function requireShape(matrix: FeatureMatrix): void {
  const expected = matrix.rowCount * matrix.columnNames.length
  if (matrix.values.length !== expected) {
    throw shapeMismatch('values.length', expected, matrix.values.length)
  }
}

/** Refuses a matrix without rows. */
export function requireRows(what: string, matrix: FeatureMatrix, minimum = 1): void {
  requireShape(matrix)
  if (matrix.rowCount < minimum) throw tooFewRows(what, minimum, matrix.rowCount)
}

/** Refuses NaN and infinite cells, naming the first. */
export function requireFinite(what: string, matrix: FeatureMatrix): void {
  const { values } = matrix
  // x − x is NaN exactly for NaN and ±∞: one pass without a call per cell. Four sums, so that an
  // addition need not wait for the one before.
  const fourthEnd = values.length & ~3
  let sum0 = 0
  let sum1 = 0
  let sum2 = 0
  let sum3 = 0
  for (let i = 0; i < fourthEnd; i += 4) {
    sum0 += values[i]! - values[i]!
    sum1 += values[i + 1]! - values[i + 1]!
    sum2 += values[i + 2]! - values[i + 2]!
    sum3 += values[i + 3]! - values[i + 3]!
  }
  for (let i = fourthEnd; i < values.length; i++) sum0 += values[i]! - values[i]!
  if (sum0 + sum1 + sum2 + sum3 === 0) return
  const at = values.findIndex((value) => !Number.isFinite(value))
  const columnCount = matrix.columnNames.length
  const column = matrix.columnNames[at % columnCount] ?? ''
  throw notFinite(what, Math.floor(at / columnCount), column, values[at]!)
}

/** `requireFinite` for some rows only. */
export function requireFiniteRows(
  what: string,
  matrix: FeatureMatrix,
  rows: ArrayLike<number>,
): void {
  const { values, columnNames } = matrix
  for (let i = 0; i < rows.length; i++) {
    const cells = rows[i]! * columnNames.length
    for (let column = 0; column < columnNames.length; column++) {
      const value = values[cells + column]!
      if (!Number.isFinite(value)) {
        throw notFinite(what, rows[i]!, columnNames[column] ?? '', value)
      }
    }
  }
}

/** Refuses row indices outside the matrix. */
export function requireRowIndices(matrix: FeatureMatrix, rows: ArrayLike<number>): void {
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    if (!(Number.isInteger(row) && row >= 0 && row < matrix.rowCount)) {
      throw invalidOption(`rows[${i}]`, `a row index in [0, ${matrix.rowCount})`, row)
    }
  }
}

/** The given output array after a length check, or a new one. */
export function outputFor(matrix: FeatureMatrix, out: Float64Array | undefined): Float64Array {
  if (out === undefined) return new Float64Array(matrix.rowCount)
  if (out.length !== matrix.rowCount) throw shapeMismatch('out.length', matrix.rowCount, out.length)
  return out
}

function columnMismatch(index: number, expected: string, found: string): AnomalyError {
  return new AnomalyError(
    'COLUMN_MISMATCH',
    `column ${index} is ${found}, the model expects ${expected}; select the model's columns in its order`,
    { index, expected, found },
  )
}
