import { describe, expect, test } from 'vitest'
import { labelledTables, normalMatrix } from '../../testing/generated-tables.ts'
import { naivePathLength, naiveTree, rowsOf } from '../../testing/naive-twins.ts'
import { featureMatrix, featureMatrixOfRows, selectRows } from '../feature-matrix.ts'
import { auroc } from '../metrics/ranking-metrics.ts'
import { fitIsolationForest } from './isolation-forest.ts'
import { scoreIsolationForest } from './isolation-score.ts'
import { averagePathLength } from './path-length.ts'

describe('average path length', () => {
  test('c(1) = 0, c(2) = 1, c(256) = 10.2448', () => {
    expect(averagePathLength(0)).toBe(0)
    expect(averagePathLength(1)).toBe(0)
    expect(averagePathLength(2)).toBe(1)
    expect(averagePathLength(3)).toBeCloseTo(2 * (Math.log(2) + 0.5772156649) - 4 / 3, 14)
    expect(averagePathLength(256)).toBeCloseTo(10.2448, 4)
  })
})

describe('isolation forest', () => {
  test('scores equal those of trees walked one node at a time', () => {
    const matrix = normalMatrix(203, 5, 1)
    const forest = fitIsolationForest(matrix, { treeCount: 23, sampleSize: 64 })
    const trees = Array.from({ length: 23 }, (_, tree) => naiveTree(forest, tree))
    const scores = scoreIsolationForest(forest, matrix)
    for (const [row, values] of rowsOf(matrix).entries()) {
      const depth = trees.reduce((sum, tree) => sum + naivePathLength(tree, values), 0) / 23
      expect(scores[row]).toBeCloseTo(2 ** (-depth / averagePathLength(64)), 13)
    }
  })

  test('every tree splits its sample: counts add up and no side is empty', () => {
    const forest = fitIsolationForest(normalMatrix(500, 4, 2), { treeCount: 10 })
    const splitCount = 2 ** forest.heightLimit - 1
    const nodeCount = 2 * splitCount + 1
    for (let tree = 0; tree < 10; tree++) {
      const counts = forest.nodeRowCounts.subarray(tree * nodeCount, (tree + 1) * nodeCount)
      expect(counts[0]).toBe(256)
      for (let node = 0; node < splitCount; node++) {
        const isSplit = Number.isFinite(forest.splitThresholds[tree * splitCount + node])
        const below = [counts[2 * node + 1] ?? 0, counts[2 * node + 2] ?? 0]
        expect(below.every((count) => count > 0)).toBe(isSplit)
        if (isSplit) expect((below[0] ?? 0) + (below[1] ?? 0)).toBe(counts[node])
      }
    }
  })

  test('two rows: one split, path length 1, score 2^(−1/1)', () => {
    const matrix = featureMatrixOfRows([[0], [1]], ['level'])
    const scores = scoreIsolationForest(fitIsolationForest(matrix, { treeCount: 3 }), matrix)
    expect(Array.from(scores)).toEqual([0.5, 0.5])
  })

  test('a far row scores higher than the crowd', () => {
    const crowd = rowsOf(normalMatrix(300, 3, 3))
    const matrix = featureMatrixOfRows([...crowd, [9, -9, 9]], ['a', 'b', 'c'])
    const scores = scoreIsolationForest(fitIsolationForest(matrix), matrix)
    expect(scores.indexOf(Math.max(...scores))).toBe(300)
    expect(scores[300]).toBeGreaterThan(0.7)
  })

  test('scaling and shifting a column changes no score', () => {
    // Same draws, same partitions; thresholds round differently, hence 1e-6 (FEA-41).
    const matrix = normalMatrix(2000, 6, 4)
    const scaled = featureMatrix(
      matrix.values.map((value, i) => value * [3, 0.1, 1000, 7, 1e-6, 1.5][i % 6]! + (i % 6)),
      matrix.columnNames,
    )
    const before = scoreIsolationForest(fitIsolationForest(matrix), matrix)
    const after = scoreIsolationForest(fitIsolationForest(scaled), scaled)
    for (let row = 0; row < before.length; row++) {
      expect(Math.abs(before[row]! - after[row]!)).toBeLessThan(1e-6)
    }
  })

  test('training rows can be chosen, and equal a fit on those rows alone', () => {
    const matrix = normalMatrix(400, 3, 5)
    const rows = Array.from({ length: 200 }, (_, i) => 2 * i)
    const chosen = fitIsolationForest(matrix, {}, rows)
    expect(chosen).toEqual(fitIsolationForest(selectRows(matrix, rows)))
  })

  test('values too far apart for their range to be finite still split', () => {
    const matrix = featureMatrixOfRows([[-1.7e308], [1.7e308], [0]], ['x'])
    const scores = scoreIsolationForest(fitIsolationForest(matrix), matrix)
    expect(scores.every((score) => score > 0 && score <= 1)).toBe(true)
  })

  test('neighbouring doubles still split', () => {
    const matrix = featureMatrixOfRows([[1], [1 + Number.EPSILON]], ['x'])
    expect(Array.from(scoreIsolationForest(fitIsolationForest(matrix), matrix))).toEqual([0.5, 0.5])
  })

  test('unusual options are refused', () => {
    const matrix = normalMatrix(10, 2, 6)
    expect(() => fitIsolationForest(matrix, { treeCount: 0 })).toThrow('treeCount')
    expect(() => fitIsolationForest(matrix, { sampleSize: 1e6 })).toThrow('sampleSize')
    expect(() => fitIsolationForest(matrix, {}, [10])).toThrow('row index')
    expect(() => fitIsolationForest(matrix, {}, [])).toThrow('at least 1 row')
  })

  test('AUROC equals that of scikit-learn 1.9.1 up to the noise of the seed', () => {
    // Means over 20 seeds of IsolationForest(n_estimators=200, max_samples=256). One seed spreads
    // by 0.002, 0.02 and 0.023: 0.015 is two standard errors of the worst difference.
    const sklearn = [0.99927, 0.8424, 0.76892]
    for (const [index, { matrix, labels }] of labelledTables().entries()) {
      let mean = 0
      for (let seed = 0; seed < 20; seed++) {
        mean +=
          auroc(labels, scoreIsolationForest(fitIsolationForest(matrix, { seed }), matrix)) / 20
      }
      expect(Math.abs(mean - sklearn[index]!)).toBeLessThan(0.015)
    }
  })
})
