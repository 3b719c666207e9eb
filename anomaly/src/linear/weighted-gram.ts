import type { FeatureMatrix } from '../feature-matrix.ts'

/**
 * Adds Σ_rows w · x·xᵀ to the lower triangle of `gram`.
 * @param weights one per row
 * @param gram columns × columns, row-major
 * Cost O(rows · columns² / 2).
 */
export function addWeightedGram(
  { values, rowCount, columnNames }: FeatureMatrix,
  weights: Float64Array,
  gram: Float64Array,
): void {
  const size = columnNames.length
  for (let row = 0; row < rowCount; row++) {
    const cells = row * size
    const weight = weights[row]!
    if (weight === 0) continue
    for (let i = 0; i < size; i++) {
      const scaled = weight * values[cells + i]!
      const gramAt = i * size
      for (let j = 0; j <= i; j++) {
        gram[gramAt + j] = gram[gramAt + j]! + scaled * values[cells + j]!
      }
    }
  }
}

/** Weighted mean of each column. Cost O(cells). */
export function weightedMeans(
  { values, rowCount, columnNames }: FeatureMatrix,
  weights: Float64Array,
): Float64Array {
  const size = columnNames.length
  const means = new Float64Array(size)
  let total = 0
  for (let row = 0; row < rowCount; row++) {
    total += weights[row]!
    for (let c = 0; c < size; c++) means[c] = means[c]! + weights[row]! * values[row * size + c]!
  }
  return means.map((sum) => sum / total)
}

/**
 * The matrix minus a centre, divided by a scale, as new values.
 * Cost: one copy of the values.
 */
export function centredMatrix(
  matrix: FeatureMatrix,
  centres: Float64Array,
  scales: Float64Array,
): FeatureMatrix {
  const size = matrix.columnNames.length
  const values = new Float64Array(matrix.values.length)
  for (let at = 0; at < values.length; at += size) {
    for (let c = 0; c < size; c++) {
      values[at + c] = (matrix.values[at + c]! - centres[c]!) / scales[c]!
    }
  }
  return { ...matrix, values }
}

/** Weighted standard deviation (over the sum of weights) of each column; 1 for constant ones. */
export function weightedScales(
  { values, rowCount, columnNames }: FeatureMatrix,
  weights: Float64Array,
  means: Float64Array,
): Float64Array {
  const size = columnNames.length
  const squares = new Float64Array(size)
  let total = 0
  for (let row = 0; row < rowCount; row++) {
    total += weights[row]!
    for (let c = 0; c < size; c++) {
      const difference = values[row * size + c]! - means[c]!
      squares[c] = squares[c]! + weights[row]! * difference * difference
    }
  }
  return squares.map((square, c) => {
    const scale = Math.sqrt(square / total)
    // Rounding of the mean leaves a spread of this size in a constant column.
    return scale > 10 * Number.EPSILON * Math.abs(means[c]!) ? scale : 1
  })
}
