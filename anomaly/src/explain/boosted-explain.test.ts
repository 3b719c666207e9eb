import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normalMatrix } from '../../testing/generated-tables.ts'
import { fitBoostedTrees } from '../boosting/boosted-fit.ts'
import type { BoostedTrees } from '../boosting/boosted-trees.ts'
import { featureMatrix } from '../feature-matrix.ts'
import { explainBoostedTrees } from './boosted-explain.ts'

const plain = normalMatrix(300, 4, 31)
const matrix = featureMatrix(
  plain.values.map((value, i) => (i % 17 === 3 ? Number.NaN : value)),
  plain.columnNames,
)
const { values } = plain
const sums = Array.from(
  { length: 300 },
  (_, r) => values[4 * r]! * values[4 * r + 1]! + values[4 * r + 2]!,
)
const options = { roundCount: 6, maxLeaves: 12, minLeafRows: 5 }
const regression = fitBoostedTrees(matrix, { kind: 'regression', values: sums }, options)
const classes = fitBoostedTrees(
  matrix,
  { kind: 'classes', labels: sums.map((s) => (s > 1 ? 2 : s > -1 ? 1 : 0)), classCount: 3 },
  options,
)

/** Expected sum of an output's leaves when only the columns in `known` are known. */
function expectation(
  model: BoostedTrees,
  output: number,
  row: Float64Array,
  known: ReadonlySet<number>,
): number {
  const below = (node: number): number => {
    const left = model.children[2 * node]!
    const right = model.children[2 * node + 1]!
    if (left === node) return model.leafValues[node]!
    const column = model.splitColumns[node]!
    if (known.has(column)) {
      const value = row[column]!
      const goesLeft = Number.isNaN(value)
        ? model.missingGoesLeft[node] === 1
        : value < model.splitThresholds[node]!
      return below(goesLeft ? left : right)
    }
    const { nodeCovers } = model
    const share = nodeCovers[left]! / nodeCovers[node]!
    return share * below(left) + (nodeCovers[right]! / nodeCovers[node]!) * below(right)
  }
  return model.treeRoots.reduce(
    (sum, root, tree) => sum + (model.treeOutputs[tree] === output ? below(root) : 0),
    model.baseMargins[output]!,
  )
}

/** Shapley values by enumerating every subset of columns. */
function naiveShapley(model: BoostedTrees, output: number, row: Float64Array): number[] {
  const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1))
  const count = row.length
  return Array.from(row, (_, column) => {
    let value = 0
    for (let subset = 0; subset < 2 ** count; subset++) {
      const known = new Set(row.keys().filter((other) => ((subset >> other) & 1) === 1))
      if (known.has(column)) continue
      const weight = (factorial(known.size) * factorial(count - known.size - 1)) / factorial(count)
      const without = expectation(model, output, row, known)
      value += weight * (expectation(model, output, row, new Set([...known, column])) - without)
    }
    return value
  })
}

describe('explanation of boosted trees', () => {
  test('gives the Shapley values of the definition, missing cells included', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 299 }), (row) => {
        const cells = matrix.values.subarray(4 * row, 4 * row + 4)
        for (const model of [regression, classes]) {
          const { contributions, expectedMargins } = explainBoostedTrees(model, matrix, [row])
          for (let output = 0; output < model.outputCount; output++) {
            const expected = naiveShapley(model, output, cells)
            for (const [column, value] of expected.entries()) {
              expect(contributions[output * 4 + column]).toBeCloseTo(value, 11)
            }
            const nothing = expectation(model, output, cells, new Set())
            expect(expectedMargins[output]).toBeCloseTo(nothing, 11)
          }
        }
      }),
      { numRuns: 25 },
    )
  })

  test('adds up to the margin within 1e-9 on every row, for deep trees too', () => {
    const deep = fitBoostedTrees(
      matrix,
      { kind: 'regression', values: sums },
      {
        ...{ roundCount: 20, maxLeaves: 100, minLeafRows: 1, l2: 0, minChildWeight: 0 },
      },
    )
    const rows = Array.from({ length: 300 }, (_, row) => row)
    const { contributions, expectedMargins, margins, additivityError } = explainBoostedTrees(
      deep,
      matrix,
      rows,
    )
    expect(additivityError).toBeLessThan(1e-9)
    for (const row of rows) {
      const parts = contributions.subarray(4 * row, 4 * row + 4)
      const sum = parts.reduce((total, part) => total + part, expectedMargins[0]!)
      expect(Math.abs(sum - margins[row]!)).toBeLessThan(1e-9)
    }
  })

  test('a column that no tree splits contributes nothing', () => {
    const labels = sums.map((_, row) => (values[4 * row]! > 0 ? 1 : 0))
    const model = fitBoostedTrees(plain, { kind: 'binary', labels }, { roundCount: 3 })
    const { contributions } = explainBoostedTrees(model, plain, [0, 1])
    expect(Math.abs(contributions[0]!)).toBeGreaterThan(0.1)
    expect(Array.from(contributions.subarray(1, 4))).toEqual([0, 0, 0])
  })

  test('no rows, no trees and rows outside the matrix', () => {
    expect(explainBoostedTrees(regression, matrix, []).contributions).toHaveLength(0)
    const target = { kind: 'regression', values: new Array(300).fill(4) } as const
    const empty = explainBoostedTrees(fitBoostedTrees(matrix, target), matrix, [0])
    expect(empty.expectedMargins).toEqual(Float64Array.of(4))
    expect(empty.contributions).toEqual(new Float64Array(4))
    expect(() => explainBoostedTrees(regression, matrix, [300])).toThrow('rows[0]')
  })
})
