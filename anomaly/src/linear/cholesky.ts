/**
 * Replaces a symmetric positive definite matrix by its lower Cholesky factor, in place.
 * @param matrix size × size, row-major; only the lower triangle is read and written
 * @returns false if the matrix is not positive definite to working precision; the matrix is spoilt
 * Cost O(size³ / 3). Source: Golub & Van Loan, algorithm 4.2.1.
 */
export function choleskyInPlace(matrix: Float64Array, size: number): boolean {
  for (let row = 0; row < size; row++) {
    const rowAt = row * size
    const scale = matrix[rowAt + row]!
    for (let column = 0; column <= row; column++) {
      const columnAt = column * size
      let value = matrix[rowAt + column]!
      for (let k = 0; k < column; k++) value -= matrix[rowAt + k]! * matrix[columnAt + k]!
      if (column < row) {
        matrix[rowAt + column] = value / matrix[columnAt + column]!
        continue
      }
      // What rounding leaves of a column that the ones before it determine is no pivot.
      if (!(value > size * Number.EPSILON * scale)) return false
      matrix[rowAt + row] = Math.sqrt(value)
    }
  }
  return true
}

/** Solves L·Lᵀ·x = b in place for the factor of `choleskyInPlace`. Cost O(size²). */
export function solveCholesky(factor: Float64Array, size: number, vector: Float64Array): void {
  for (let row = 0; row < size; row++) {
    let value = vector[row]!
    for (let k = 0; k < row; k++) value -= factor[row * size + k]! * vector[k]!
    vector[row] = value / factor[row * size + row]!
  }
  for (let row = size - 1; row >= 0; row--) {
    let value = vector[row]!
    for (let k = row + 1; k < size; k++) value -= factor[k * size + row]! * vector[k]!
    vector[row] = value / factor[row * size + row]!
  }
}
