import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normalMatrix } from '../../testing/generated-tables.ts'
import { naiveExpectation, naiveShapley, naiveTree, rowsOf } from '../../testing/naive-twins.ts'
import { gaussLegendre } from '../explain/tree-shap-game.ts'
import { featureMatrixOfRows } from '../feature-matrix.ts'
import { explainIsolationForest } from './isolation-explain.ts'
import { fitIsolationForest } from './isolation-forest.ts'
import { scoreIsolationForest } from './isolation-score.ts'
import { averagePathLength } from './path-length.ts'

describe('isolation forest explanation', () => {
  test('equals Shapley values by enumeration of all subsets', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 2, max: 40 }),
        fc.nat(1000),
        (columnCount, rowCount, seed) => {
          const matrix = normalMatrix(rowCount, columnCount, seed)
          const forest = fitIsolationForest(matrix, { treeCount: 3, sampleSize: 32, seed })
          const trees = [0, 1, 2].map((tree) => naiveTree(forest, tree))
          const { contributions, expectedDepth } = explainIsolationForest(forest, matrix, [0, 1])
          const unit = -3 * averagePathLength(forest.sampleSize)
          for (const [index, row] of rowsOf(matrix).slice(0, 2).entries()) {
            const naive = trees.map((tree) => naiveShapley(tree, row))
            for (let column = 0; column < columnCount; column++) {
              const sum = naive.reduce((total, values) => total + (values[column] ?? 0), 0)
              expect(contributions[index * columnCount + column]).toBeCloseTo(sum / unit, 10)
            }
          }
          const base = trees.reduce((sum, tree) => sum + naiveExpectation(tree, [], new Set()), 0)
          expect(expectedDepth).toBeCloseTo(base / 3, 10)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('attributions and base add up to the depth of every row within 1e-9', () => {
    const matrix = normalMatrix(600, 12, 9)
    const forest = fitIsolationForest(matrix)
    const rows = Array.from({ length: 100 }, (_, i) => i * 6)
    const { additivityError, depths } = explainIsolationForest(forest, matrix, rows)
    expect(additivityError).toBeLessThan(1e-9)
    const scores = scoreIsolationForest(forest, matrix)
    for (const [i, row] of rows.entries()) {
      expect(2 ** (-depths[i]! / averagePathLength(256))).toBeCloseTo(scores[row]!, 13)
    }
  })

  test('the column that makes a row unusual gets the largest positive part', () => {
    const crowd = rowsOf(normalMatrix(500, 6, 10))
    const odd = [0, 0, 0, 12, 0, 0]
    const matrix = featureMatrixOfRows([...crowd, odd], ['a', 'b', 'c', 'd', 'e', 'f'])
    const { contributions } = explainIsolationForest(fitIsolationForest(matrix), matrix, [500])
    const largest = Math.max(...contributions)
    expect(contributions[3]).toBe(largest)
    expect(largest).toBeGreaterThan(0)
  })

  test('a forest with one-row samples has nothing to attribute', () => {
    const matrix = normalMatrix(5, 2, 11)
    const forest = fitIsolationForest(matrix, { sampleSize: 1, treeCount: 4 })
    expect(Array.from(explainIsolationForest(forest, matrix, [0]).contributions)).toEqual([0, 0])
  })

  test('inconsistent node counts are noticed', () => {
    const matrix = normalMatrix(300, 3, 12)
    const forest = fitIsolationForest(matrix, { treeCount: 5 })
    // Cut below the third level: the counts now say that leaves are where no leaf is.
    const nodeCount = 2 ** (forest.heightLimit + 1) - 1
    const nodeRowCounts = forest.nodeRowCounts.map((n, i) => (i % nodeCount > 14 ? 0 : n))
    const broken = { ...forest, nodeRowCounts }
    expect(() => explainIsolationForest(broken, matrix, [0, 1])).toThrow(
      expect.objectContaining({ code: 'ADDITIVITY_VIOLATED' }),
    )
  })

  test('the quadrature integrates polynomials up to degree 2n − 1 exactly', () => {
    for (let n = 1; n <= 8; n++) {
      const { points, weights } = gaussLegendre(n)
      for (let degree = 0; degree < 2 * n; degree++) {
        const integral = points.reduce((sum, t, i) => sum + weights[i]! * t ** degree, 0)
        expect(integral).toBeCloseTo(1 / (degree + 1), 14)
      }
    }
  })
})
