import { describe, expect, test } from 'vitest'
import { normalMatrix } from '../../testing/generated-tables.ts'
import { explainDetector, parseDetector, scoreDetector } from '../detector.ts'
import { featureMatrix } from '../feature-matrix.ts'
import { decodeModel, encodeModel } from '../model-file/model-file.ts'
import {
  fitLogisticRegression,
  logisticMargins,
  logisticStandardErrors,
  predictLogisticRegression,
} from './logistic-regression.ts'
import { explainLogisticRegression } from './logistic-regression-kind.ts'
import { linearTable, linearTargets, linearWeights } from './testing/linear-table.ts'

const matrix = linearTable()
const targets = linearTargets()
const binary = { kind: 'binary', labels: Array.from(targets, (z) => (z > 0 ? 1 : 0)) } as const
const classes = {
  kind: 'classes',
  labels: Array.from(targets, (z) => (z >= 1 ? 2 : z >= -1 ? 1 : 0)),
  classCount: 3,
} as const

function expectClose(found: ArrayLike<number>, expected: readonly number[], digits: number): void {
  expect(found).toHaveLength(expected.length)
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, digits)
}

// Figures: scikit-learn 1.9.1, LogisticRegression(solver='newton-cholesky', tol=1e-14).
describe('logistic regression', () => {
  test('equals scikit-learn with C = 2 and row weights', () => {
    const model = fitLogisticRegression(matrix, binary, {
      ...{ l2: 0.5, scaling: 'none', rowWeights: linearWeights() },
    })
    expectClose(model.intercepts, [-10.035274742719123], 8)
    const expected = [1.894724543001888, 0.08206905318202577, -0.21296217437674975]
    expectClose(model.coefficients, expected, 9)
  })

  test('equals scikit-learn on standardised columns with balanced classes', () => {
    // Balanced weights change mean and spread, so the scaling is done before.
    const scaled = standardised()
    const model = fitLogisticRegression(scaled, binary, {
      scaling: 'none',
      classWeights: 'balanced',
    })
    const expected = [
      0.9155646044031128, 0.985667270954602, 0.8560591852858852, 0.05136888582031214,
      0.006318322551973605,
    ]
    expectClose(predictLogisticRegression(model, scaled).slice(0, 5), expected, 9)
    const automatic = fitLogisticRegression(matrix, binary)
    const byHand = fitLogisticRegression(scaled, binary, { scaling: 'none' })
    const probabilities = predictLogisticRegression(byHand, scaled)
    expectClose(predictLogisticRegression(automatic, matrix), Array.from(probabilities), 9)
  })

  test('equals scikit-learn for three classes with C = 0.5', () => {
    const { intercepts, coefficients } = fitLogisticRegression(matrix, classes, {
      ...{ l2: 2, scaling: 'none' },
    })
    expectClose(intercepts, [5.873068493875051, 0.345649587569989, -6.21871808144504], 8)
    const expected = [
      ...[-1.1610272805760973, -0.049201236953653645, 0.12572920324425058],
      ...[0.023731025839841775, -0.0057989673104465655, 0.024837987983404534],
      ...[1.1372962547362548, 0.05500020426411477, -0.15056719122765302],
    ]
    expectClose(coefficients, expected, 9)
  })

  test('standard errors are those of the information matrix', () => {
    const options = { l2: 0, scaling: 'none' } as const
    const model = fitLogisticRegression(matrix, binary, options)
    expectClose(model.intercepts, [-10.530358436615213], 8)
    const { coefficients, intercept } = logisticStandardErrors(model, matrix, binary, options)
    expect(intercept).toBeCloseTo(3.2364619058837967, 8)
    expectClose(coefficients, [0.5933116219285312, 0.03365660472703865, 0.10207983614861656], 9)
  })

  test('units and offsets of columns change no probability', () => {
    const moved = featureMatrix(
      matrix.values.map((v, i) => [v * 1e6 + 3e8, v / 1e5 - 7, v][i % 3]!),
      matrix.columnNames,
    )
    for (const target of [binary, classes]) {
      const expected = predictLogisticRegression(fitLogisticRegression(matrix, target), matrix)
      const found = predictLogisticRegression(fitLogisticRegression(moved, target), moved)
      expectClose(found, Array.from(expected), 6)
    }
  })

  test('contributions sum to the margin minus that of the mean row', () => {
    const model = fitLogisticRegression(matrix, classes)
    const contributions = explainLogisticRegression(model, matrix, [7])
    const atMean = logisticMargins(model, featureMatrix(model.means, matrix.columnNames))
    const margins = logisticMargins(model, matrix)
    for (let k = 0; k < 3; k++) {
      const sum = contributions.subarray(3 * k, 3 * k + 3).reduce((a, b) => a + b, 0)
      expect(sum).toBeCloseTo(margins[21 + k]! - atMean[k]!, 10)
    }
  })

  test('as a detector it scores the probability of trouble', () => {
    for (const target of [binary, classes]) {
      const model = fitLogisticRegression(matrix, target)
      const shares = predictLogisticRegression(model, matrix)
      const scores = scoreDetector(model, matrix)
      for (const [row, score] of scores.entries()) {
        expect(score).toBe(model.outputCount === 1 ? shares[row] : 1 - shares[3 * row]!)
      }
      const bytes = encodeModel(model)
      expect(parseDetector(decodeModel(bytes))).toEqual(model)
      expect(explainDetector(model, matrix, [1, 2])).toHaveLength(6)
      expect(() => parseDetector({ ...model, intercepts: new Float64Array(9) })).toThrow(
        'intercepts',
      )
    }
  })

  test('separable classes need a penalty, however small', () => {
    const table = normalMatrix(60, 2, 4)
    const labels = Array.from({ length: 60 }, (_, row) => (table.values[2 * row]! > 0 ? 1 : 0))
    const separable = { kind: 'binary', labels } as const
    const refusal = expect.objectContaining({ code: 'NOT_CONVERGED' })
    expect(() => fitLogisticRegression(table, separable, { l2: 0 })).toThrow(refusal)
    const model = fitLogisticRegression(table, separable, { l2: 1e-6 })
    const found = predictLogisticRegression(model, table)
    expect(found.every((p, row) => Math.abs(p - labels[row]!) < 0.5)).toBe(true)
  })

  test('bad input is refused', () => {
    expect(() => fitLogisticRegression(matrix, { kind: 'binary', labels: [1] })).toThrow(
      'target length',
    )
    const zeros = { kind: 'binary', labels: new Array<number>(50).fill(0) } as const
    const oneClass = expect.objectContaining({ code: 'ONE_CLASS' })
    expect(() => fitLogisticRegression(matrix, zeros)).toThrow(oneClass)
    expect(() => fitLogisticRegression(matrix, binary, { l2: Number.NaN })).toThrow('l2')
    const holed = featureMatrix(matrix.values.with(5, Number.NaN), matrix.columnNames)
    expect(() => fitLogisticRegression(holed, binary)).toThrow('row 1, column c')
    const model = fitLogisticRegression(matrix, binary)
    expect(() => predictLogisticRegression(model, holed)).toThrow('row 1, column c')
    expect(() => explainLogisticRegression(model, holed, [1])).toThrow('row 1, column c')
    expect(() => logisticMargins(model, matrix, new Float64Array(1))).toThrow('out.length')
  })
})

/** The table with mean 0 and standard deviation 1 per column. */
function standardised() {
  const moments = [0, 1, 2].map((c) => {
    const column = Array.from({ length: 50 }, (_, row) => matrix.values[3 * row + c]!)
    const mean = column.reduce((a, b) => a + b, 0) / 50
    return { mean, spread: Math.sqrt(column.reduce((a, b) => a + (b - mean) ** 2, 0) / 50) }
  })
  const values = matrix.values.map((v, i) => (v - moments[i % 3]!.mean) / moments[i % 3]!.spread)
  return featureMatrix(values, matrix.columnNames)
}
