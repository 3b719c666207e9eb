import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { labelledTables, normalMatrix } from '../../testing/generated-tables.ts'
import { rowsOf } from '../../testing/naive-twins.ts'
import { featureMatrix, featureMatrixOfRows } from '../feature-matrix.ts'
import { auroc } from '../metrics/ranking-metrics.ts'
import { scaleColumns } from '../statistics/column-scaler.ts'
import { explainExtendedForest } from './extended-explain.ts'
import { type ExtendedForest, fitExtendedForest } from './extended-forest.ts'
import { scoreExtendedForest } from './extended-score.ts'
import { fitIsolationForest } from './isolation-forest.ts'
import { scoreIsolationForest } from './isolation-score.ts'
import { averagePathLength } from './path-length.ts'

/** Path length of a scaled row by following one tree from leaf rule to leaf rule. */
function naiveDepth(forest: ExtendedForest, tree: number, row: readonly number[]): number {
  const splitCount = 2 ** forest.heightLimit - 1
  const follow = (node: number, depth: number): number => {
    const split = tree * splitCount + node
    const rows = forest.nodeRowCounts[tree * (2 * splitCount + 1) + node] ?? 0
    const offset = node < splitCount ? forest.offsets[split]! : Number.POSITIVE_INFINITY
    if (offset === Number.POSITIVE_INFINITY) return depth + averagePathLength(rows)
    let projection = 0
    for (let term = 0; term < forest.termCount; term++) {
      const at = split * forest.termCount + term
      projection += forest.slopes[at]! * row[forest.splitColumns[at]!]!
    }
    return follow(2 * node + (projection > offset ? 2 : 1), depth + 1)
  }
  return follow(0, 0)
}

const shape = fc.record({
  rowCount: fc.integer({ min: 1, max: 120 }),
  columnCount: fc.integer({ min: 1, max: 5 }),
  seed: fc.nat(1000),
  cut: fc.constantFrom('projection' as const, 'box' as const),
  isSparse: fc.boolean(),
})

describe('extended isolation forest', () => {
  test('scores equal those of trees followed by their rules', () => {
    fc.assert(
      fc.property(shape, ({ rowCount, columnCount, seed, cut, isSparse }) => {
        const matrix = normalMatrix(rowCount, columnCount, seed)
        const extensionLevel = isSparse ? Math.min(1, columnCount - 1) : columnCount - 1
        const options = { treeCount: 5, sampleSize: 64, seed, cut, extensionLevel }
        const forest = fitExtendedForest(matrix, options)
        const scores = scoreExtendedForest(forest, matrix)
        const scaled = { ...matrix, values: scaleColumns(forest.scaler, matrix) }
        const unit = averagePathLength(forest.sampleSize)
        for (const [row, cells] of rowsOf(scaled).entries()) {
          const depths = [0, 1, 2, 3, 4].map((tree) => naiveDepth(forest, tree, cells))
          const mean = depths.reduce((sum, depth) => sum + depth, 0) / 5
          expect(scores[row]).toBeCloseTo(unit > 0 ? 2 ** (-mean / unit) : 1, 12)
        }
      }),
    )
  })

  test('parts and base add up to the path length of every row', () => {
    fc.assert(
      fc.property(shape, ({ rowCount, columnCount, seed, cut, isSparse }) => {
        const matrix = normalMatrix(rowCount, columnCount, seed)
        const extensionLevel = isSparse ? 0 : columnCount - 1
        const forest = fitExtendedForest(matrix, { treeCount: 7, seed, cut, extensionLevel })
        const probe = normalMatrix(3, columnCount, seed + 1)
        const { contributions, expectedDepth } = explainExtendedForest(forest, probe, [0, 1, 2])
        const unit = averagePathLength(forest.sampleSize)
        const scores = scoreExtendedForest(forest, probe)
        for (let row = 0; row < 3; row++) {
          const parts = contributions.subarray(row * columnCount, (row + 1) * columnCount)
          const depth = expectedDepth - parts.reduce((sum, part) => sum + part, 0) * unit
          expect(unit > 0 ? 2 ** (-depth / unit) : 1).toBeCloseTo(scores[row]!, 10)
        }
      }),
    )
  })

  test('cuts by projection leave no side empty', () => {
    const options = { treeCount: 10, cut: 'projection' } as const
    const forest = fitExtendedForest(normalMatrix(400, 6, 2), options)
    const splitCount = 2 ** forest.heightLimit - 1
    for (let split = 0; split < forest.offsets.length; split++) {
      if (forest.offsets[split] === Number.POSITIVE_INFINITY) continue
      const nodes = Math.floor(split / splitCount) * (2 * splitCount + 1)
      const left = nodes + 2 * (split % splitCount) + 1
      expect(forest.nodeRowCounts[left]).toBeGreaterThan(0)
      expect(forest.nodeRowCounts[left + 1]).toBeGreaterThan(0)
    }
  })

  test('the empty corners between two clouds are no longer taken for ordinary', () => {
    // Hariri et al., figure 2: splits along the axes leave ghosts at (0, 0) and (10, 10).
    const rows = rowsOf(normalMatrix(1000, 2, 3)).map(([x = 0, y = 0], i) =>
      i % 2 === 0 ? [x, y + 10] : [x + 10, y],
    )
    const matrix = featureMatrixOfRows(rows, ['x', 'y'])
    const corners = featureMatrixOfRows(
      [
        [0, 0],
        [10, 10],
      ],
      ['x', 'y'],
    )
    const corner = (scores: Float64Array) => (scores[0]! + scores[1]!) / 2
    for (const cut of ['projection', 'box'] as const) {
      const extended = fitExtendedForest(matrix, { treeCount: 200, cut })
      const straight = fitIsolationForest(matrix)
      expect(corner(scoreExtendedForest(extended, corners))).toBeGreaterThan(
        corner(scoreIsolationForest(straight, corners)) + 0.03,
      )
    }
  })

  test('the column that makes a row unusual gets the largest part', () => {
    const matrix = normalMatrix(500, 6, 10)
    const forest = fitExtendedForest(matrix)
    const odd = featureMatrixOfRows([[0, 0, 0, 12, 0, 0]], matrix.columnNames)
    const { contributions } = explainExtendedForest(forest, odd, [0])
    expect(contributions.indexOf(Math.max(...contributions))).toBe(3)
    expect(contributions[3]).toBeGreaterThan(
      3 * Math.max(...contributions.filter((_, i) => i !== 3)),
    )
  })

  test('finds outliers off clusters and broken relations at least as well as straight splits', () => {
    // Not so for the third table, whose outliers are shifted along single columns.
    for (const { matrix, labels } of labelledTables().slice(0, 2)) {
      const found = auroc(labels, scoreExtendedForest(fitExtendedForest(matrix), matrix))
      const straight = auroc(labels, scoreIsolationForest(fitIsolationForest(matrix), matrix))
      expect(found).toBeGreaterThan(straight - 0.001)
    }
  })

  test('rows that differ in one column only are told apart by it', () => {
    const values = new Float64Array(60).map((_, i) => (i % 3 === 1 ? i : 5))
    const matrix = featureMatrix(values, ['a', 'b', 'c'])
    const forest = fitExtendedForest(matrix)
    const { contributions } = explainExtendedForest(forest, matrix, [19])
    expect(contributions[1]).toBeGreaterThan(0)
    expect(contributions[0]).toBe(0)
  })

  test('unusual options are refused', () => {
    const matrix = normalMatrix(10, 2, 6)
    const fit = (options: object) => () => fitExtendedForest(matrix, options)
    expect(fit({ treeCount: 0 })).toThrow('treeCount')
    expect(fit({ sampleSize: 1e6 })).toThrow('sampleSize')
    expect(fit({ extensionLevel: 2 })).toThrow('extensionLevel')
    expect(fit({ cut: 'middle' })).toThrow('cut')
  })
})
