import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normalMatrix } from '../../testing/generated-tables.ts'
import {
  type FeatureMatrix,
  featureMatrix,
  featureMatrixOfRows,
  selectRows,
} from '../feature-matrix.ts'
import { auroc } from '../metrics/ranking-metrics.ts'
import { encodeModel } from '../model-file/model-file.ts'
import type { SupervisedTarget } from '../validation/supervised-target.ts'
import { fitBoostedTrees } from './boosted-fit.ts'
import { boostedImportance } from './boosted-importance.ts'
import { boostedMargins, predictBoostedTrees } from './boosted-predict.ts'
import type { BoostedTrees } from './boosted-trees.ts'
import type { BoostingOptions } from './boosting-options.ts'
import { recordedMatrix, recordedValues } from './testing/recorded-table.ts'

const matrix = normalMatrix(600, 5, 3)
const cell = (row: number, column: number) => matrix.values[row * 5 + column]!
const score = (row: number) => cell(row, 0) * cell(row, 1) + cell(row, 2) - 0.5
const rows = Array.from({ length: 600 }, (_, row) => row)
const labels = rows.map((row) => (score(row) > 0 ? 1 : 0))
const classes = rows.map((row) => (score(row) > 0.5 ? 2 : score(row) > -0.7 ? 1 : 0))
const binary: SupervisedTarget = { kind: 'binary', labels }
const threeClasses: SupervisedTarget = { kind: 'classes', labels: classes, classCount: 3 }
const regression: SupervisedTarget = { kind: 'regression', values: rows.map(score) }
const small: BoostingOptions = { roundCount: 20, maxLeaves: 8 }

/** Depth-1 trees fitted by trying every cut of every column: gain, column and threshold. */
function bestCut(
  { values, rowCount, columnNames }: FeatureMatrix,
  gradients: readonly number[],
  hessians: readonly number[],
  l2: number,
): { readonly gain: number; readonly column: number } {
  const columnCount = columnNames.length
  let best = { gain: Number.NEGATIVE_INFINITY, column: -1 }
  for (let column = 0; column < columnCount; column++) {
    const cuts = new Set(
      Array.from({ length: rowCount }, (_, r) => values[r * columnCount + column]!),
    )
    for (const cut of cuts) {
      for (const missingGoesLeft of [true, false]) {
        const sums = [0, 0, 0, 0]
        let left = 0
        for (let row = 0; row < rowCount; row++) {
          const value = values[row * columnCount + column]!
          const isLeft = Number.isNaN(value) ? missingGoesLeft : value < cut
          left += isLeft ? 1 : 0
          sums[isLeft ? 0 : 2]! += gradients[row]!
          sums[isLeft ? 1 : 3]! += hessians[row]!
        }
        if (left === 0 || left === rowCount) continue
        const [gl = 0, hl = 0, gr = 0, hr = 0] = sums
        const gain = gl ** 2 / (hl + l2) + gr ** 2 / (hr + l2) - (gl + gr) ** 2 / (hl + hr + l2)
        if (gain > best.gain) best = { gain, column }
      }
    }
  }
  return best
}

describe('boosted trees', () => {
  test('the first split is the best of all cuts and sides of missing cells', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 500 }),
        fc.double({ min: 0, max: 5, noNaN: true }),
        (from, l2) => {
          const table = selectRows(
            recordedMatrix(600),
            Array.from({ length: 40 }, (_, i) => from + i),
          )
          const values = recordedValues(table)
          const mean = values.reduce((sum, value) => sum + value, 0) / 40
          const found = bestCut(
            table,
            Array.from(values, (v) => mean - v),
            new Array(40).fill(1),
            l2,
          )
          const model = fitBoostedTrees(
            table,
            { kind: 'regression', values },
            {
              ...{ roundCount: 1, maxLeaves: 2, minLeafRows: 1, l2 },
            },
          )
          expect(model.splitGains[0]).toBeCloseTo(found.gain, 8)
          expect(model.splitColumns[0]).toBe(found.column)
        },
      ),
      { numRuns: 40 },
    )
  })

  test('the same seed gives the same bytes on one, two and three threads', () => {
    const options = { ...small, rowShare: 0.7, columnShare: 0.6 }
    const bytes = encodeModel(fitBoostedTrees(matrix, binary, options))
    for (const threadCount of [1, 2, 3]) {
      expect(encodeModel(fitBoostedTrees(matrix, binary, { ...options, threadCount }))).toEqual(
        bytes,
      )
    }
    expect(encodeModel(fitBoostedTrees(matrix, binary, { ...options, seed: 7 }))).not.toEqual(bytes)
  })

  test('labels, classes and values are learned', () => {
    const binaryModel = fitBoostedTrees(matrix, binary)
    expect(auroc(labels, predictBoostedTrees(binaryModel, matrix))).toBeGreaterThan(0.999)
    const shares = predictBoostedTrees(fitBoostedTrees(matrix, threeClasses), matrix)
    let hits = 0
    for (const row of rows) {
      const ofRow = Array.from(shares.subarray(3 * row, 3 * row + 3))
      expect(ofRow[0]! + ofRow[1]! + ofRow[2]!).toBeCloseTo(1, 12)
      hits += Number(ofRow.indexOf(Math.max(...ofRow)) === classes[row])
    }
    expect(hits).toBeGreaterThan(590)
    const values = predictBoostedTrees(fitBoostedTrees(matrix, regression), matrix)
    const error = rows.reduce((sum, row) => sum + (values[row]! - score(row)) ** 2, 0) / 600
    expect(error).toBeLessThan(0.1)
  })

  test('order of rows and rising transforms of columns change no prediction', () => {
    const options = { ...small, minLeafRows: 5 }
    const expected = predictBoostedTrees(fitBoostedTrees(matrix, binary, options), matrix)
    const backwards = rows.toReversed()
    const turned = fitBoostedTrees(
      selectRows(matrix, backwards),
      { kind: 'binary', labels: backwards.map((row) => labels[row]!) },
      options,
    )
    // Only the order of the sum that makes the base margin differs.
    for (const [row, value] of predictBoostedTrees(turned, matrix).entries()) {
      expect(value).toBeCloseTo(expected[row]!, 9)
    }
    const bent = featureMatrix(
      matrix.values.map((v, i) => (i % 5 < 2 ? Math.exp(v) : 7 * v - 2)),
      matrix.columnNames,
    )
    const found = predictBoostedTrees(fitBoostedTrees(bent, binary, options), bent)
    for (const [row, value] of found.entries()) expect(value).toBeCloseTo(expected[row]!, 9)
  })

  test('a row of weight two counts as two rows, a row of weight zero as none', () => {
    const options = { ...small, minLeafRows: 1, maxBins: 255 }
    const table = selectRows(matrix, rows.slice(0, 120))
    const rowWeights = rows.slice(0, 120).map((row) => row % 3)
    const repeated = rows.slice(0, 120).flatMap((row) => new Array<number>(row % 3).fill(row))
    const weighted = fitBoostedTrees(
      table,
      { kind: 'binary', labels: labels.slice(0, 120) },
      { ...options, rowWeights },
    )
    const doubled = fitBoostedTrees(
      selectRows(matrix, repeated),
      { kind: 'binary', labels: repeated.map((row) => labels[row]!) },
      options,
    )
    const expected = predictBoostedTrees(doubled, table)
    for (const [row, value] of predictBoostedTrees(weighted, table).entries()) {
      expect(value).toBeCloseTo(expected[row]!, 9)
    }
  })

  test('balanced classes are the weights that give both classes the same sum', () => {
    const positives = labels.filter((label) => label === 1).length
    const byHand = fitBoostedTrees(matrix, binary, {
      ...small,
      classWeights: [600 / (2 * (600 - positives)), 600 / (2 * positives)],
    })
    const balanced = fitBoostedTrees(matrix, binary, { ...small, classWeights: 'balanced' })
    expect(encodeModel(balanced)).toEqual(encodeModel(byHand))
    expect(balanced.baseMargins[0]).toBeCloseTo(0, 12)
  })

  test('missing cells go where their rows belong', () => {
    const values = matrix.values.slice()
    for (const row of rows) if (labels[row] === 1 && row % 2 === 0) values[row * 5 + 4] = Number.NaN
    const holed = featureMatrix(values, matrix.columnNames)
    const model = fitBoostedTrees(holed, binary, small)
    const probe = featureMatrixOfRows(
      [
        [0, 0, 0, 0, Number.NaN],
        [0, 0, 0, 0, 0],
      ],
      matrix.columnNames,
    )
    const [missing, present] = predictBoostedTrees(model, probe)
    expect(missing!).toBeGreaterThan(present! + 0.3)
  })

  test('a column that was never missing sends missing cells with the larger child', () => {
    const model = fitBoostedTrees(matrix, regression, { ...small, roundCount: 1 })
    for (let node = 0; node < model.leafValues.length; node++) {
      const [left, right] = [model.children[2 * node]!, model.children[2 * node + 1]!]
      if (left === node) continue
      // Hessians of squared error are row counts.
      const isLeftLarger = model.nodeCovers[left]! > model.nodeCovers[right]!
      expect(model.missingGoesLeft[node]).toBe(isLeftLarger ? 1 : 0)
    }
  })

  test('leaves, depth, rows per leaf, hessian per leaf and gain stay within their limits', () => {
    const model = fitBoostedTrees(matrix, regression, {
      ...{ roundCount: 10, maxLeaves: 6, maxDepth: 3, minLeafRows: 40, gamma: 2 },
    })
    for (const [tree, root] of model.treeRoots.entries()) {
      const end = model.treeRoots[tree + 1] ?? model.leafValues.length
      expect(end - root).toBeLessThanOrEqual(11)
      const depths = new Map([[root, 0]])
      for (let node = root; node < end; node++) {
        expect(depths.get(node)).toBeLessThanOrEqual(3)
        expect(model.nodeCovers[node]).toBeGreaterThanOrEqual(40)
        const left = model.children[2 * node]!
        if (left === node) continue
        expect(model.splitGains[node]).toBeGreaterThan(2)
        for (const child of [left, model.children[2 * node + 1]!]) {
          depths.set(child, depths.get(node)! + 1)
        }
      }
    }
    const heavy = fitBoostedTrees(matrix, binary, { ...small, minChildWeight: 15 })
    for (const cover of heavy.nodeCovers) expect(cover).toBeGreaterThanOrEqual(15)
  })

  test('a monotone column never lowers the prediction, for any row', () => {
    const options = { ...small, roundCount: 40, monotone: { c0: 1, c2: -1 } } as const
    for (const target of [binary, regression]) {
      const model = fitBoostedTrees(matrix, target, options)
      const free = fitBoostedTrees(matrix, target, { ...small, roundCount: 40 })
      expect(countFalls(free, 0, 1)).toBeGreaterThan(0)
      expect(countFalls(model, 0, 1)).toBe(0)
      expect(countFalls(model, 2, -1)).toBe(0)
    }
  })

  test('importance finds the columns that matter, and splits count as they stand', () => {
    const model = fitBoostedTrees(matrix, binary, small)
    const { gain, cover, splitCount } = boostedImportance(model)
    for (const noise of [3, 4]) {
      for (const cause of [0, 1, 2]) expect(gain[cause]!).toBeGreaterThan(gain[noise]!)
    }
    const leaves = model.leafValues.length - splitCount.reduce((sum, count) => sum + count, 0)
    expect(leaves - model.treeRoots.length).toBe(splitCount.reduce((sum, count) => sum + count, 0))
    expect(Math.min(...cover)).toBeGreaterThanOrEqual(0)
  })
})

/** Steps against `direction` when one column sweeps through its range in 30 rows. */
function countFalls(model: BoostedTrees, column: number, direction: number): number {
  let falls = 0
  for (let row = 0; row < 30; row++) {
    const sweep = Array.from({ length: 61 }, (_, step) => {
      const cells = Array.from(matrix.values.subarray(row * 5, row * 5 + 5))
      cells[column] = step / 10 - 3
      return cells
    })
    const margins = boostedMargins(model, featureMatrixOfRows(sweep, matrix.columnNames))
    for (let i = 1; i < margins.length; i++) {
      falls += Number((margins[i]! - margins[i - 1]!) * direction < -1e-12)
    }
  }
  return falls
}
