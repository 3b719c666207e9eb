import { describe, expect, test } from 'vitest'
import { labelledTables, normalMatrix } from '../../testing/generated-tables.ts'
import { featureMatrixOfRows } from '../feature-matrix.ts'
import { clusterByDensity } from './dbscan.ts'
import { silhouette } from './silhouette.ts'

describe('silhouette', () => {
  test('of a hand-made example', () => {
    const matrix = featureMatrixOfRows([[0], [1], [10], [12], [99]], ['x'])
    // (10 − 1)/10 … by the definition: a = 1, 1, 2, 2 and b = 11, 10, 9.5, 11.5; noise left out.
    const expected = (10 / 11 + 9 / 10 + 7.5 / 9.5 + 9.5 / 11.5) / 4
    expect(silhouette(matrix, [0, 0, 5, 5, -1])).toBeCloseTo(expected, 14)
  })

  test('equals scikit-learn 1.9.1 on clusters without noise', () => {
    // silhouette_score of the clustered rows under DBSCAN(eps=3, min_samples=8).
    const matrix = labelledTables()[0]!.matrix
    const { labels } = clusterByDensity(matrix, { radius: 3, minSamples: 8, scaling: 'none' })
    expect(silhouette(matrix, labels)).toBeCloseTo(0.6700989540505109, 12)
  })

  test('a row alone in its cluster counts nothing, equal rows of two clusters too', () => {
    const matrix = featureMatrixOfRows([[3], [3], [3]], ['x'])
    expect(silhouette(matrix, [0, 0, 1])).toBe(0)
  })

  test('a sample is close to the whole', () => {
    const matrix = normalMatrix(1500, 2, 3)
    const labels = Array.from({ length: 1500 }, (_, row) => Number(matrix.values[2 * row]! > 0))
    const whole = silhouette(matrix, labels)
    expect(Math.abs(silhouette(matrix, labels, { maxRows: 500 }) - whole)).toBeLessThan(0.02)
  })

  test('one cluster, labels of another length and NaN are refused', () => {
    const matrix = normalMatrix(10, 2, 4)
    const refuse = (labels: number[]) => () => silhouette(matrix, labels)
    expect(refuse(new Array(10).fill(1))).toThrow(expect.objectContaining({ code: 'ONE_CLASS' }))
    expect(refuse([0, 1])).toThrow(expect.objectContaining({ code: 'SHAPE_MISMATCH' }))
    const holed = { ...matrix, values: matrix.values.slice().fill(Number.NaN) }
    expect(() => silhouette(holed, new Array(10).fill(1))).toThrow('NaN')
  })
})
