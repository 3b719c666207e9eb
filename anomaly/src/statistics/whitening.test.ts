import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { labelledTables, normalMatrix } from '../../testing/generated-tables.ts'
import { selectRows } from '../feature-matrix.ts'
import { auroc } from '../metrics/ranking-metrics.ts'
import { fitNearestNeighbours } from '../neighbours/nearest-neighbours.ts'
import {
  explainNearestNeighbours,
  scoreNearestNeighbours,
} from '../neighbours/nearest-neighbours-score.ts'
import { symmetricEigen } from './symmetric-eigen.ts'
import { covariance, fitWhitening, mapRows } from './whitening.ts'

const shape = fc.tuple(fc.integer({ min: 1, max: 8 }), fc.nat(1000))

/** Largest distance of a square matrix from the identity. */
function gapToIdentity(matrix: Float64Array, size: number): number {
  const gaps = matrix.map((value, i) => Math.abs(value - (i % (size + 1) === 0 ? 1 : 0)))
  return Math.max(...gaps)
}

describe('symmetric eigen decomposition', () => {
  test('of [[2, 1], [1, 2]] is 3 along the diagonal and 1 across', () => {
    const { eigenvalues, eigenvectors } = symmetricEigen(Float64Array.of(2, 1, 1, 2), 2)
    expect(eigenvalues[0]).toBeCloseTo(3, 14)
    expect(eigenvalues[1]).toBeCloseTo(1, 14)
    expect(eigenvectors[0]).toBeCloseTo(Math.SQRT1_2, 14)
    expect(eigenvectors[1]).toBeCloseTo(Math.SQRT1_2, 14)
  })

  test('rebuilds the matrix from orthonormal vectors', () => {
    fc.assert(
      fc.property(shape, ([size, seed]) => {
        const matrix = covariance(normalMatrix(20, size, seed).values, size)
        const { eigenvalues, eigenvectors } = symmetricEigen(matrix, size)
        for (let a = 0; a < size; a++) {
          for (let b = 0; b < size; b++) {
            let dot = 0
            let entry = 0
            for (let i = 0; i < size; i++) {
              dot += eigenvectors[a * size + i]! * eigenvectors[b * size + i]!
              entry += eigenvectors[i * size + a]! * eigenvalues[i]! * eigenvectors[i * size + b]!
            }
            expect(dot).toBeCloseTo(a === b ? 1 : 0, 12)
            expect(entry).toBeCloseTo(matrix[a * size + b]!, 12)
          }
        }
        expect(eigenvalues).toEqual(eigenvalues.slice().sort().reverse())
      }),
    )
  })
})

describe('whitening', () => {
  test('whitened columns have unit covariance, and the way back is exact', () => {
    const { values } = normalMatrix(200, 4, 3)
    // Correlate: each column adds the one before.
    const mixed = values.map((value, i) => value + (i % 4 > 0 ? 2 * values[i - 1]! : 0))
    const whitening = fitWhitening(mixed, 4)
    const whitened = mapRows(whitening.forward, 4, mixed)
    expect(gapToIdentity(covariance(whitened, 4), 4)).toBeLessThan(1e-10)
    const back = mapRows(whitening.backward, 4, whitened)
    for (let i = 0; i < back.length; i++) expect(back[i]).toBeCloseTo(mixed[i]!, 10)
  })

  test('finds broken relations better than plain distances', () => {
    const table = labelledTables()[1]
    if (table === undefined) throw new Error('no table')
    const { matrix, labels } = table
    const ordinary = [...labels.keys()].filter((row) => labels[row] === 0)
    const isTrained = (row: number) => labels[row] === 0 && row % 2 === 0
    const training = selectRows(matrix, ordinary.filter(isTrained))
    const held = [...labels.keys()].filter((row) => !isTrained(row))
    const quality = (whiten: boolean) => {
      const model = fitNearestNeighbours(training, { whiten })
      const scores = scoreNearestNeighbours(model, selectRows(matrix, held))
      return auroc(
        held.map((row) => labels[row]!),
        scores,
      )
    }
    expect(quality(true)).toBeGreaterThan(0.999)
    expect(quality(true)).toBeGreaterThan(quality(false))
  })

  test('contributions still sum to the score', () => {
    const matrix = normalMatrix(150, 5, 6)
    const model = fitNearestNeighbours(matrix, { whiten: true, distance: 'kth' })
    const probe = normalMatrix(10, 5, 7)
    const scores = scoreNearestNeighbours(model, probe)
    const parts = explainNearestNeighbours(model, probe, [...scores.keys()])
    for (const [row, score] of scores.entries()) {
      const sum = parts.subarray(row * 5, row * 5 + 5).reduce((total, part) => total + part, 0)
      expect(sum).toBeCloseTo(score, 10)
    }
  })
})
