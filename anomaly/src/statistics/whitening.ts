import { symmetricEigen } from './symmetric-eigen.ts'

/** Smallest eigenvalue kept, relative to the largest: bounds the condition number at 10⁶. */
const EIGENVALUE_FLOOR = 1e-6

/** A linear map after which the columns are uncorrelated with unit spread: plain data. */
export type Whitening = {
  readonly columnCount: number
  /** columns × columns, row-major: whitened = forward · scaled. */
  readonly forward: Float64Array
  /** columns × columns, row-major: scaled = backward · whitened. */
  readonly backward: Float64Array
}

/**
 * Learns PCA whitening: rotate to principal axes, divide by their standard deviations. Distances
 * then notice a broken relation between columns that each look ordinary.
 * @param values rowCount × columnCount, row-major, finite
 * Cost O(rows · columns² + columns³).
 */
export function fitWhitening(values: Float64Array, columnCount: number): Whitening {
  const { eigenvalues, eigenvectors } = symmetricEigen(covariance(values, columnCount), columnCount)
  const floor = Math.max(eigenvalues[0]! * EIGENVALUE_FLOOR, Number.MIN_VALUE)
  const forward = new Float64Array(columnCount * columnCount)
  const backward = new Float64Array(columnCount * columnCount)
  // Without any spread the map is the bare rotation.
  const isFlat = !(eigenvalues[0]! > 0)
  for (let axis = 0; axis < columnCount; axis++) {
    const spread = isFlat ? 1 : Math.sqrt(Math.max(eigenvalues[axis]!, floor))
    for (let column = 0; column < columnCount; column++) {
      const entry = eigenvectors[axis * columnCount + column]!
      forward[axis * columnCount + column] = entry / spread
      backward[column * columnCount + axis] = entry * spread
    }
  }
  return { columnCount, forward, backward }
}

/** Multiplies each row of `values` by a columns × columns matrix. */
export function mapRows(
  matrix: Float64Array,
  columnCount: number,
  values: Float64Array,
): Float64Array {
  const out = new Float64Array(values.length)
  for (let cells = 0; cells < values.length; cells += columnCount) {
    mapRow(matrix, columnCount, values, cells, out, cells)
  }
  return out
}

/** Multiplies the row at `values[cells…]` into `out[outCells…]`; the two may not overlap. */
export function mapRow(
  matrix: Float64Array,
  columnCount: number,
  values: Float64Array,
  cells: number,
  out: Float64Array,
  outCells: number,
): void {
  for (let i = 0; i < columnCount; i++) {
    let sum = 0
    for (let j = 0; j < columnCount; j++) sum += matrix[i * columnCount + j]! * values[cells + j]!
    out[outCells + i] = sum
  }
}

/** Population covariance, columns × columns. */
export function covariance(values: Float64Array, columnCount: number): Float64Array {
  const rowCount = values.length / columnCount
  const means = new Float64Array(columnCount)
  for (let i = 0; i < values.length; i++) {
    means[i % columnCount] = means[i % columnCount]! + values[i]! / rowCount
  }
  const sums = new Float64Array(columnCount * columnCount)
  for (let cells = 0; cells < values.length; cells += columnCount) {
    for (let a = 0; a < columnCount; a++) {
      const deviation = values[cells + a]! - means[a]!
      for (let b = 0; b <= a; b++) {
        const at = a * columnCount + b
        sums[at] = sums[at]! + deviation * (values[cells + b]! - means[b]!)
      }
    }
  }
  for (let a = 0; a < columnCount; a++) {
    for (let b = 0; b <= a; b++) {
      const entry = sums[a * columnCount + b]! / rowCount
      sums[a * columnCount + b] = entry
      sums[b * columnCount + a] = entry
    }
  }
  return sums
}
