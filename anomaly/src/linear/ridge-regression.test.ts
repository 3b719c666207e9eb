import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normalMatrix } from '../../testing/generated-tables.ts'
import { featureMatrix, featureMatrixOfRows } from '../feature-matrix.ts'
import { decodeModel, encodeModel } from '../model-file/model-file.ts'
import {
  fitRidgeRegression,
  parseRidgeRegression,
  predictRidgeRegression,
} from './ridge-regression.ts'
import { linearTable, linearTargets, linearWeights } from './testing/linear-table.ts'

const matrix = linearTable()
const targets = linearTargets()

describe('ridge regression', () => {
  test('equals scikit-learn 1.9.1 Ridge with weights', () => {
    const model = fitRidgeRegression(matrix, targets, { l2: 2.5, rowWeights: linearWeights() })
    expect(model.intercept).toBeCloseTo(-5.573955315851953, 11)
    const expected = [1.1050427742819626, 0.05075784900684379, -0.10097707234227163]
    for (const [c, value] of model.coefficients.entries())
      expect(value).toBeCloseTo(expected[c]!, 12)
  })

  test('equals scikit-learn 1.9.1 Ridge without intercept', () => {
    const model = fitRidgeRegression(matrix, targets, { l2: 0.5, hasIntercept: false })
    expect(model.intercept).toBe(0)
    const expected = [0.07557977230171092, 0.051672106918102916, -0.1521987832562726]
    for (const [c, value] of model.coefficients.entries())
      expect(value).toBeCloseTo(expected[c]!, 12)
  })

  test('without penalty residuals are orthogonal to every column, whatever the units', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 999 }),
        fc.integer({ min: -9, max: 9 }),
        (seed, power) => {
          const table = normalMatrix(40, 4, seed)
          const factor = 10 ** power
          const scaled = featureMatrix(
            table.values.map((v, i) => (i % 4 === 1 ? v * factor + 300 * factor : v)),
            table.columnNames,
          )
          const goals = normalMatrix(40, 1, seed + 5000).values
          const predictions = predictRidgeRegression(
            fitRidgeRegression(scaled, goals, { l2: 0 }),
            scaled,
          )
          for (let c = 0; c < 4; c++) {
            let product = 0
            for (let row = 0; row < 40; row++) {
              product += table.values[4 * row + c]! * (goals[row]! - predictions[row]!)
            }
            expect(Math.abs(product)).toBeLessThan(1e-8)
          }
        },
      ),
    )
  })

  test('dependent and constant columns need a penalty', () => {
    const twice = featureMatrixOfRows(
      [
        [1, 2],
        [2, 4],
        [4, 8],
      ],
      ['a', 'b'],
    )
    const refusal = expect.objectContaining({ code: 'NOT_CONVERGED' })
    expect(() => fitRidgeRegression(twice, [1, 2, 4], { l2: 0 })).toThrow(refusal)
    const { coefficients } = fitRidgeRegression(twice, [1, 2, 4], { l2: 1e-9 })
    expect(coefficients[0]! + 2 * coefficients[1]!).toBeCloseTo(1, 6)
    const constant = featureMatrixOfRows(
      [
        [1, 5],
        [2, 5],
        [4, 5],
      ],
      ['a', 'b'],
    )
    expect(fitRidgeRegression(constant, [1, 2, 4]).coefficients[1]).toBe(0)
  })

  test('comes back from a model file, and bad input is refused', () => {
    const model = fitRidgeRegression(matrix, targets)
    expect(parseRidgeRegression(decodeModel(encodeModel(model)))).toEqual(model)
    expect(() => parseRidgeRegression({ ...model, means: new Float64Array(2) })).toThrow('means')
    expect(() => fitRidgeRegression(matrix, [1])).toThrow('target length')
    expect(() => fitRidgeRegression(matrix, targets, { l2: -1 })).toThrow('l2')
    const holed = featureMatrix(matrix.values.with(4, Number.NaN), matrix.columnNames)
    expect(() => fitRidgeRegression(holed, targets)).toThrow('row 1, column b')
    expect(() => predictRidgeRegression(model, holed)).toThrow('row 1, column b')
  })
})
