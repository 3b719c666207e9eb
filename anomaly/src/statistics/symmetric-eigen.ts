/** Eigenvalues, largest first, and their unit eigenvectors. */
export type SymmetricEigen = {
  readonly eigenvalues: Float64Array
  /** size × size, row-major: row i is the eigenvector of eigenvalue i, largest entry positive. */
  readonly eigenvectors: Float64Array
}

/** Sweeps after which a matrix of any size here has long converged. */
const MAX_SWEEPS = 60

/**
 * Eigen decomposition of a symmetric matrix by cyclic Jacobi rotations: slow for large sizes, but
 * accurate, short, and the same on every machine.
 * @param matrix size × size, row-major, symmetric, finite; not changed
 * Cost O(size³) per sweep, about eight sweeps. Source: Golub & Van Loan, section 8.5.
 */
export function symmetricEigen(matrix: Float64Array, size: number): SymmetricEigen {
  const rest = matrix.slice()
  const vectors = new Float64Array(size * size)
  for (let i = 0; i < size; i++) vectors[i * size + i] = 1
  for (let sweep = 0; sweep < MAX_SWEEPS && offDiagonal(rest, size) > 0; sweep++) {
    for (let p = 0; p < size - 1; p++) {
      for (let q = p + 1; q < size; q++) rotate(rest, vectors, size, p, q)
    }
  }
  const order = Array.from({ length: size }, (_, i) => i)
  order.sort((a, b) => rest[b * size + b]! - rest[a * size + a]! || a - b)
  const eigenvalues = new Float64Array(size)
  const eigenvectors = new Float64Array(size * size)
  for (const [to, from] of order.entries()) {
    eigenvalues[to] = rest[from * size + from]!
    const vector = vectors.subarray(from * size, (from + 1) * size)
    const sign = signOfLargest(vector)
    for (let i = 0; i < size; i++) eigenvectors[to * size + i] = sign * vector[i]!
  }
  return { eigenvalues, eigenvectors }
}

/** Turns rows and columns p and q so that entry (p, q) vanishes. */
function rotate(
  rest: Float64Array,
  vectors: Float64Array,
  size: number,
  p: number,
  q: number,
): void {
  const off = rest[p * size + q]!
  const diagonalP = rest[p * size + p]!
  const diagonalQ = rest[q * size + q]!
  // Too small to change either diagonal entry: done with it.
  if (Math.abs(off) <= Number.EPSILON * 1e-3 * Math.sqrt(Math.abs(diagonalP * diagonalQ))) {
    rest[p * size + q] = 0
    rest[q * size + p] = 0
    return
  }
  const theta = (diagonalQ - diagonalP) / (2 * off)
  const tangent = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const cosine = 1 / Math.sqrt(tangent * tangent + 1)
  const sine = tangent * cosine
  for (let i = 0; i < size; i++) {
    const ip = rest[i * size + p]!
    const iq = rest[i * size + q]!
    rest[i * size + p] = cosine * ip - sine * iq
    rest[i * size + q] = sine * ip + cosine * iq
  }
  for (let i = 0; i < size; i++) {
    const pi = rest[p * size + i]!
    const qi = rest[q * size + i]!
    rest[p * size + i] = cosine * pi - sine * qi
    rest[q * size + i] = sine * pi + cosine * qi
    const vectorP = vectors[p * size + i]!
    const vectorQ = vectors[q * size + i]!
    vectors[p * size + i] = cosine * vectorP - sine * vectorQ
    vectors[q * size + i] = sine * vectorP + cosine * vectorQ
  }
  rest[p * size + q] = 0
  rest[q * size + p] = 0
}

function offDiagonal(matrix: Float64Array, size: number): number {
  let sum = 0
  for (let p = 0; p < size - 1; p++) {
    for (let q = p + 1; q < size; q++) sum += Math.abs(matrix[p * size + q]!)
  }
  return sum
}

function signOfLargest(vector: Float64Array): number {
  let largest = 0
  for (let i = 0; i < vector.length; i++) {
    if (Math.abs(vector[i]!) > Math.abs(largest)) largest = vector[i]!
  }
  return largest < 0 ? -1 : 1
}
