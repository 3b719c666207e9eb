import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { labelledTables, normalMatrix } from '../../testing/generated-tables.ts'
import { rowsOf } from '../../testing/naive-twins.ts'
import { featureMatrix, featureMatrixOfRows } from '../feature-matrix.ts'
import { moments } from '../statistics/column-statistics.ts'
import { fitEcod } from './ecod.ts'
import { explainEcod, scoreEcod } from './ecod-score.ts'

/** PyOD's ECOD by counting, for the training rows. */
function naiveEcod(rows: number[][]): number[] {
  const columns = (rows[0] ?? []).map((_, column) => rows.map((row) => row[column]!))
  return rows.map((row) =>
    row.reduce((sum, value, column) => {
      const values = columns[column]!
      const share = (keep: (other: number) => boolean) => values.filter(keep).length / values.length
      const left = -Math.log(share((other) => other <= value))
      const right = -Math.log(share((other) => other >= value))
      const sign = Math.sign(moments(Float64Array.from(values)).skewness)
      const skewed = left * -Math.sign(sign - 1) + right * Math.sign(sign + 1)
      return sum + Math.max(left, right, skewed)
    }, 0),
  )
}

describe('ecod', () => {
  test('training rows score as the definition says, ties included', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(1000),
        fc.boolean(),
        (rowCount, columnCount, seed, isCoarse) => {
          const { values, columnNames } = normalMatrix(rowCount, columnCount, seed)
          const matrix = featureMatrix(isCoarse ? values.map(Math.round) : values, columnNames)
          const scores = scoreEcod(fitEcod(matrix), matrix)
          for (const [row, expected] of naiveEcod(rowsOf(matrix)).entries()) {
            expect(scores[row]).toBeCloseTo(expected, 10)
          }
        },
      ),
    )
  })

  test('equals PyOD 3.6.7 on generated tables', () => {
    // ECOD().fit(all rows).decision_scores_: sum and rows 7 and 100.
    const pyod = [
      [13480.7548964946, 23.571811764675203, 15.112810136681762],
      [30375.151180137233, 26.153041224000663, 20.61544725719163],
      [67550.97124215675, 36.401315295987054, 31.80444439214041],
    ]
    for (const [index, { matrix }] of labelledTables().entries()) {
      const scores = scoreEcod(fitEcod(matrix), matrix)
      const found = [scores.reduce((sum, score) => sum + score, 0), scores[7]!, scores[100]!]
      for (const [i, value] of found.entries()) {
        expect(Math.abs(value / pyod[index]![i]! - 1)).toBeLessThan(1e-12)
      }
    }
  })

  test('a value beyond all known ones scores above the outermost', () => {
    const matrix = featureMatrixOfRows([[1], [2], [3], [10]], ['x'])
    const probe = featureMatrixOfRows([[10], [11], [1], [0], [2.5]], ['x'])
    const [outermost, beyond, lowest, below, between] = scoreEcod(fitEcod(matrix), probe)
    expect(outermost).toBeCloseTo(Math.log(4), 12)
    expect(beyond).toBeCloseTo(Math.log(5), 12)
    expect(below).toBeGreaterThan(lowest!)
    expect(between).toBeCloseTo(Math.log(2), 12)
  })

  test('parts sum to the score; a missing cell counts like the mean of the others', () => {
    const training = normalMatrix(200, 3, 2)
    const holed = training.values.map((value, i) => (i % 7 === 0 ? Number.NaN : value))
    const model = fitEcod(featureMatrix(holed, training.columnNames))
    const probe = featureMatrixOfRows(
      [
        [0, 1, 9],
        [0, Number.NaN, 9],
        [Number.NaN, Number.NaN, Number.NaN],
      ],
      model.columnNames,
    )
    const scores = scoreEcod(model, probe)
    const parts = explainEcod(model, probe, [0, 1, 2])
    expect(parts[0]! + parts[1]! + parts[2]!).toBeCloseTo(scores[0]!, 12)
    expect(scores[1]).toBeCloseTo((parts[0]! + parts[2]!) * 1.5, 12)
    expect(scores[2]).toBeNaN()
  })

  test('the reference is bounded', () => {
    const model = fitEcod(normalMatrix(500, 2, 3), { maxReferenceRows: 100 })
    expect([...model.distinctCounts]).toEqual([100, 100])
    expect(model.trainingRowCount).toBe(500)
    expect(() => fitEcod(normalMatrix(5, 2, 3), { maxReferenceRows: 0 })).toThrow(
      'maxReferenceRows',
    )
  })
})
