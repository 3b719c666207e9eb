import { describe, expect, test } from 'vitest'
import { labelledTables, normalMatrix } from '../../testing/generated-tables.ts'
import { type FeatureMatrix, featureMatrixOfRows } from '../feature-matrix.ts'
import { fitIsolationForest } from '../forest/isolation-forest.ts'
import { scoreIsolationForest } from '../forest/isolation-score.ts'
import { auroc } from '../metrics/ranking-metrics.ts'
import { permutationImportance } from './permutation-importance.ts'

/** Minus the mean squared error of "target = 3a + b", which ignores the third column. */
function errorOf(target: Float64Array) {
  return (matrix: FeatureMatrix) => {
    let sum = 0
    for (let row = 0; row < matrix.rowCount; row++) {
      const cells = row * 4
      const predicted = 3 * matrix.values[cells]! + matrix.values[cells + 1]!
      sum += (predicted - target[row]!) ** 2
    }
    return -sum / matrix.rowCount
  }
}

describe('permutation importance', () => {
  const matrix = normalMatrix(4000, 4, 1)
  const target = Float64Array.from(
    { length: 4000 },
    (_, row) => 3 * matrix.values[4 * row]! + matrix.values[4 * row + 1]!,
  )

  test('is 2·variance·slope² per column of a linear model, and 0 for an unused one', () => {
    const { baseline, columns } = permutationImportance(matrix, errorOf(target))
    expect(baseline).toBeCloseTo(0, 20)
    const means = columns.map((column) => column.mean)
    expect(Math.abs(means[0]! / 18 - 1)).toBeLessThan(0.1)
    expect(Math.abs(means[1]! / 2 - 1)).toBeLessThan(0.1)
    expect(means.slice(2)).toEqual([0, 0])
    expect(columns[0]?.drops).toHaveLength(5)
    expect(columns[2]?.std).toBe(0)
  })

  test('columns of a group are shuffled together', () => {
    const twins = featureMatrixOfRows(
      Array.from({ length: 500 }, (_, row) => [row, row, 0, 0]),
      matrix.columnNames,
    )
    const mismatches = (rows: FeatureMatrix) => {
      let count = 0
      for (let at = 0; at < rows.values.length; at += 4) {
        count += Number(rows.values[at] !== rows.values[at + 1])
      }
      return -count
    }
    const options = { columnGroups: [['c0', 'c1'], ['c0']], repeatCount: 2 }
    const { columns } = permutationImportance(twins, mismatches, options)
    expect(columns[0]?.mean).toBe(0)
    expect(columns[1]?.mean).toBeGreaterThan(400)
  })

  test('tells the columns by which a forest finds labelled outliers', () => {
    const { matrix: rows, labels } = labelledTables()[2]!
    const forest = fitIsolationForest(rows)
    const { columns } = permutationImportance(
      rows,
      (probe) => auroc(labels, scoreIsolationForest(forest, probe)),
      { repeatCount: 3 },
    )
    // Outliers of this table are shifted in the first six columns.
    const order = [...columns.keys()].sort((a, b) => columns[b]!.mean - columns[a]!.mean)
    expect(order.slice(0, 6).every((column) => column < 6)).toBe(true)
  })

  test('the same seed gives the same drops, and the matrix stays untouched', () => {
    const before = matrix.values.slice()
    const [one, two] = [1, 2].map(() => permutationImportance(matrix, errorOf(target)))
    expect(one).toEqual(two)
    expect(matrix.values).toEqual(before)
  })

  test('unknown columns, no repeats and a single row are refused', () => {
    const measure = () => 0
    const refuse = (options: object) => () => permutationImportance(matrix, measure, options)
    expect(refuse({ columnGroups: [['nothing']] })).toThrow('columnGroups')
    expect(refuse({ repeatCount: 0 })).toThrow('repeatCount')
    expect(() => permutationImportance(normalMatrix(1, 2, 1), measure)).toThrow('at least 2 row')
  })
})
