import { type FeatureMatrix, featureMatrix } from '../../feature-matrix.ts'

/** Fifty rows from a formula, on which the peer's figures were taken; see the tests. */
export const tableRows = 50

/** sin(1.3 i)·2 + 5, cos(0.7 i)·30 and (i² mod 17) − 8. */
export function linearTable(): FeatureMatrix {
  const values = new Float64Array(3 * tableRows)
  for (let i = 0; i < tableRows; i++) {
    values[3 * i] = Math.sin(i * 1.3) * 2 + 5
    values[3 * i + 1] = Math.cos(i * 0.7) * 30
    values[3 * i + 2] = ((i * i) % 17) - 8
  }
  return featureMatrix(values, ['a', 'b', 'c'])
}

/** a − 5 + b/20 − c/6 + 1.5 sin(5.1 i). */
export function linearTargets(): Float64Array {
  const { values } = linearTable()
  return Float64Array.from(
    { length: tableRows },
    (_, i) =>
      values[3 * i]! -
      5 +
      values[3 * i + 1]! / 20 -
      values[3 * i + 2]! / 6 +
      Math.sin(i * 5.1) * 1.5,
  )
}

/** 1 + (i mod 4)/2. */
export function linearWeights(): Float64Array {
  return Float64Array.from({ length: tableRows }, (_, i) => 1 + (i % 4) * 0.5)
}
