import { describe, expect, test } from 'vitest'
import { parseDetector } from '../detector.ts'
import { featureMatrixOfRows } from '../feature-matrix.ts'
import { decodeModel, encodeModel } from '../model-file/model-file.ts'
import { explainRegressionLof, fitRegressionLof, scoreRegressionLof } from './regression-lof.ts'
import {
  explainRegressionResidual,
  fitRegressionResidual,
  scoreRegressionResidual,
} from './regression-residual.ts'

const columns = ['outdoor', 'energy', 'wind']

/** energy = 3 + 2 outdoor − 0.5 wind + a little; row 50 has 2 more than its weather explains. */
const training = featureMatrixOfRows(
  Array.from({ length: 120 }, (_, i) => {
    const outdoor = Math.sin(1.1 * i)
    const wind = Math.cos(0.7 * i * i)
    const energy = 3 + 2 * outdoor - 0.5 * wind + 0.2 * Math.sin(2.9 * i * i)
    return [outdoor, energy + (i === 50 ? 2 : 0), wind]
  }),
  columns,
)

describe('regression residual', () => {
  const model = fitRegressionResidual(training, { target: 'energy', l2: 0.5 })

  test('equals the robust residual of scikit-learn’s ridge on standardised columns', () => {
    // scikit-learn 1.9.1, Ridge(alpha=0.5); |r − median| / (1.4826 · MAD).
    const scores = scoreRegressionResidual(model, training)
    expect(scores[0]).toBeCloseTo(0.37302579878023356, 10)
    expect(scores[50]).toBeCloseTo(11.564523170385266, 10)
    expect(scores[119]).toBeCloseTo(0.12923780735339022, 10)
  })

  test('a usual value is odd where the other columns let expect another', () => {
    const rows = featureMatrixOfRows(
      [
        [1, 5, 0],
        [-1, 5, 0],
      ],
      columns,
    )
    const [expected, unexpected] = scoreRegressionResidual(model, rows)
    expect(expected).toBeLessThan(3)
    expect(unexpected).toBeGreaterThan(20)
  })

  test('contributions of a row sum to its score', () => {
    const parts = explainRegressionResidual(model, training, [50, 3])
    const scores = scoreRegressionResidual(model, training)
    expect(parts[0]! + parts[1]! + parts[2]!).toBeCloseTo(scores[50]!, 10)
    expect(parts[3]! + parts[4]! + parts[5]!).toBeCloseTo(scores[3]!, 10)
  })

  test('an exact fit keeps the floor as its scale; an unknown target is refused', () => {
    const exact = featureMatrixOfRows(
      [
        [0, 1],
        [1, 3],
        [2, 5],
        [3, 7],
      ],
      ['x', 'y'],
    )
    const line = fitRegressionResidual(exact, { target: 'y', l2: 0, scaleFloor: 0.5 })
    const odd = featureMatrixOfRows([[4, 10]], ['x', 'y'])
    expect(scoreRegressionResidual(line, odd)[0]).toBeCloseTo(2, 9)
    for (const wrong of [{ target: 'z' }, { target: 'y', scaleFloor: 0 }]) {
      expect(() => fitRegressionResidual(exact, wrong)).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTION' }),
      )
    }
    expect(() => fitRegressionResidual(featureMatrixOfRows([[1]], ['y']), { target: 'y' })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
  })
})

describe('local outlier factor on a regression residual', () => {
  const model = fitRegressionLof(training, { target: 'energy', l2: 0, neighbourCount: 10 })
  const rows = featureMatrixOfRows(
    [
      [0.5, 7, 0.1],
      [0.2, 3.3, -0.3],
    ],
    columns,
  )

  test('equals scikit-learn’s linear regression and novelty factor', () => {
    // scikit-learn 1.9.1 on [standardised residual, standardised columns].
    const scores = scoreRegressionLof(model, rows)
    expect(scores[0]).toBeCloseTo(11.586677225982362, 9)
    expect(scores[1]).toBeCloseTo(1.0957977119868643, 9)
  })

  test('contributions sum to the score, the target first', () => {
    const parts = explainRegressionLof(model, rows, [0])
    const score = scoreRegressionLof(model, rows)[0]!
    expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(score, 9)
    expect(parts.indexOf(Math.max(...parts))).toBe(1)
  })

  test('both come back from a model file, and a changed field is refused', () => {
    const residual = fitRegressionResidual(training, { target: 'wind' })
    for (const state of [model, residual]) {
      expect(parseDetector(decodeModel(encodeModel(state)))).toEqual(state)
    }
    const wrong = [
      { ...residual, residualScale: 0 },
      { ...residual, target: 3 },
      { ...model, factor: { ...model.factor, columnNames: ['a', 'b'] } },
      { ...model, regression: { ...model.regression, columnNames: ['a', 'b', 'c'] } },
    ]
    for (const state of wrong) {
      expect(() => parseDetector(state)).toThrow(
        expect.objectContaining({ code: 'MODEL_FILE_INVALID' }),
      )
    }
  })
})
