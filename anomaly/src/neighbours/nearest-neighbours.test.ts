import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { healthyRows, labelledTables, normalMatrix } from '../../testing/generated-tables.ts'
import { rowsOf } from '../../testing/naive-twins.ts'
import { featureMatrix, featureMatrixOfRows } from '../feature-matrix.ts'
import { scaleColumns } from '../statistics/column-scaler.ts'
import { buildKdTree } from './kd-tree.ts'
import { findNearest, neighbourList } from './kd-tree-search.ts'
import { fitNearestNeighbours } from './nearest-neighbours.ts'
import {
  explainNearestNeighbours,
  scoreNearestNeighbours,
  scoreReferenceRows,
} from './nearest-neighbours-score.ts'

/** Indices of the nearest points by a full sort; ties by index. */
function naiveNearest(points: number[][], query: number[], count: number, excluded = -1) {
  return points
    .map((point, index) => ({
      index,
      square: point.reduce((sum, value, d) => sum + (value - query[d]!) ** 2, 0),
    }))
    .filter(({ index }) => index !== excluded)
    .sort((a, b) => a.square - b.square || a.index - b.index)
    .slice(0, count)
}

describe('k-d tree', () => {
  test('finds exactly what a full sort finds, ties included', () => {
    const shape = {
      pointCount: fc.integer({ min: 2, max: 300 }),
      dimensionCount: fc.integer({ min: 1, max: 9 }),
      seed: fc.nat(1000),
      isCoarse: fc.boolean(),
      count: fc.integer({ min: 1, max: 12 }),
    }
    fc.assert(
      fc.property(fc.record(shape), ({ pointCount, dimensionCount, seed, isCoarse, count }) => {
        const random = normalMatrix(pointCount + 1, dimensionCount, seed)
        // Coarse values make many equal distances, which integers keep exact.
        const values = isCoarse ? random.values.map(Math.round) : random.values
        const rows = rowsOf(featureMatrix(values, random.columnNames))
        const points = rows.slice(1)
        const tree = buildKdTree(values.slice(dimensionCount), dimensionCount)
        const found = neighbourList(count)
        findNearest(tree, values.slice(0, dimensionCount), -1, found)
        const expected = naiveNearest(points, rows[0] ?? [], count)
        expect(found.count).toBe(expected.length)
        for (const [i, { index, square }] of expected.entries()) {
          expect(tree.originalIndices[found.positions[i]!]).toBe(index)
          expect(found.squaredDistances[i]).toBeCloseTo(square, 10)
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('nearest neighbours', () => {
  test('mean and k-th distance of a hand-made example', () => {
    const matrix = featureMatrixOfRows([[0], [1], [3], [7]], ['x'])
    const probe = featureMatrixOfRows([[0], [10]], ['x'])
    const options = { neighbourCount: 2, scaling: 'none' } as const
    const mean = fitNearestNeighbours(matrix, options)
    expect(Array.from(scoreNearestNeighbours(mean, probe))).toEqual([0.5, 5])
    const kth = fitNearestNeighbours(matrix, { ...options, distance: 'kth' })
    expect(Array.from(scoreNearestNeighbours(kth, probe))).toEqual([1, 7])
    expect(Array.from(scoreReferenceRows(mean))).toEqual([2, 1.5, 2.5, 5])
  })

  test('equals scikit-learn 1.9.1 on generated tables', () => {
    // StandardScaler + NearestNeighbors(n_neighbors=10, algorithm='kd_tree'), fitted on the
    // ordinary rows; sum and rows 7 and 100 of the mean distance, sum of the tenth distance.
    const sklearn = [
      [641.9723930230188, 3.5125687750100516, 0.48054629403378435, 770.6181870304736],
      [2295.266234391417, 4.303822243004075, 1.463282192090656, 2804.1709123666906],
      [5306.794042351104, 3.156698754347752, 2.0172573349013403, 6290.24179020169],
    ]
    for (const [index, table] of labelledTables().entries()) {
      const reference = healthyRows(table)
      const mean = scoreNearestNeighbours(fitNearestNeighbours(reference), table.matrix)
      const model = fitNearestNeighbours(reference, { distance: 'kth' })
      const kth = scoreNearestNeighbours(model, table.matrix)
      const sum = (scores: Float64Array) => scores.reduce((total, score) => total + score, 0)
      const found = [sum(mean), mean[7]!, mean[100]!, sum(kth)]
      for (const [i, value] of found.entries()) {
        const expected = sklearn[index]?.[i] ?? 0
        expect(Math.abs(value / expected - 1)).toBeLessThan(1e-9)
      }
    }
  })

  test('contributions are the squared distance shares and sum to the score', () => {
    const matrix = normalMatrix(300, 5, 2)
    for (const distance of ['mean', 'kth'] as const) {
      const model = fitNearestNeighbours(matrix, { distance, scaling: 'robust', neighbourCount: 4 })
      const probe = featureMatrixOfRows(
        [
          [0, 0, 8, 0, 0],
          [1, 1, 1, 1, 1],
        ],
        matrix.columnNames,
      )
      const contributions = explainNearestNeighbours(model, probe, [0, 1])
      const scores = scoreNearestNeighbours(model, probe)
      for (const row of [0, 1]) {
        const parts = contributions.subarray(row * 5, row * 5 + 5)
        expect(parts.reduce((total, part) => total + part, 0)).toBeCloseTo(scores[row]!, 12)
      }
      expect(contributions[2]).toBe(Math.max(...contributions))
    }
  })

  test('contributions equal those of the naive search', () => {
    const matrix = normalMatrix(100, 3, 5)
    const model = fitNearestNeighbours(matrix, { neighbourCount: 6 })
    const scaled = rowsOf({ ...matrix, values: scaleColumns(model.scaler, matrix) })
    const query = scaled[17] ?? []
    const squares = [0, 0, 0]
    for (const { index } of naiveNearest(scaled, query, 6)) {
      for (const column of [0, 1, 2])
        squares[column]! += (scaled[index]![column]! - query[column]!) ** 2
    }
    const total = squares.reduce((sum, square) => sum + square, 0)
    const score = scoreNearestNeighbours(model, matrix)[17]!
    const found = explainNearestNeighbours(model, matrix, [17])
    for (const column of [0, 1, 2]) {
      expect(found[column]).toBeCloseTo((score * squares[column]!) / total, 12)
    }
  })

  test('the reference is bounded, and its own scores leave each row out', () => {
    const matrix = normalMatrix(500, 3, 3)
    const model = fitNearestNeighbours(matrix, { maxReferenceRows: 100 })
    expect(model.referenceRows).toHaveLength(100)
    expect(model.trainingRowCount).toBe(500)
    const scaled = rowsOf({ ...matrix, values: scaleColumns(model.scaler, matrix) })
    const points = Array.from(model.referenceRows, (row) => scaled[row] ?? [])
    const scores = scoreReferenceRows(model)
    for (let i = 0; i < 100; i += 9) {
      const nearest = naiveNearest(points, points[i] ?? [], 10, i)
      const mean = nearest.reduce((sum, { square }) => sum + Math.sqrt(square) / 10, 0)
      expect(scores[i]).toBeCloseTo(mean, 12)
    }
  })

  test('fewer rows than k leave as many neighbours as there are', () => {
    expect(fitNearestNeighbours(normalMatrix(3, 2, 4)).neighbourCount).toBe(2)
    expect(() => fitNearestNeighbours(normalMatrix(1, 2, 4))).toThrow('at least 2 row')
  })

  test('clip bounds what one wild column can do', () => {
    const matrix = featureMatrixOfRows(
      [
        [0, 1],
        [0, 2],
        [0, 3],
        [1e-9, 4],
      ],
      ['dead', 'x'],
    )
    const probe = featureMatrixOfRows([[5, 2]], ['dead', 'x'])
    const model = fitNearestNeighbours(matrix, { clip: 10, neighbourCount: 1 })
    expect(scoreNearestNeighbours(model, probe)[0]).toBeLessThan(11)
    const floored = fitNearestNeighbours(matrix, { floors: { dead: 5 }, neighbourCount: 1 })
    expect(scoreNearestNeighbours(floored, probe)[0]).toBeCloseTo(1, 6)
  })

  test('unusual options are refused', () => {
    const matrix = normalMatrix(10, 2, 6)
    expect(() => fitNearestNeighbours(matrix, { neighbourCount: 0 })).toThrow('neighbourCount')
    expect(() => fitNearestNeighbours(matrix, { maxReferenceRows: 1 })).toThrow('maxReferenceRows')
    expect(() => fitNearestNeighbours(matrix, { clip: 0 })).toThrow('clip')
  })
})
