import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeModel, encodeModel } from '../model-file/model-file.ts'
import { createRandom, nextNormal, nextOpenUnit } from '../statistics/random.ts'
import { evaluateIsotonic, fitIsotonicRegression } from './isotonic-regression.ts'
import { evaluatePlatt, fitPlattScaling } from './platt-scaling.ts'
import {
  calibrateProbabilities,
  fitProbabilityCalibration,
  parseProbabilityCalibration,
} from './probability-calibration.ts'
import { linearTargets, linearWeights, tableRows } from './testing/linear-table.ts'

const index = Array.from({ length: tableRows }, (_, i) => i)

describe('isotonic regression', () => {
  // round(4 sin(2.1 i))/4, half to even as numpy rounds; no half occurs.
  const inputs = index.map((i) => Math.round(Math.sin(i * 2.1) * 4) / 4)
  const targets = inputs.map((input, i) => input + Math.cos(i * 1.9))
  const asked = Float64Array.of(-2, -1, -0.6, -0.3, 0, 0.1, 0.3, 0.8, 1, 2)
  const expected = [
    -1.1491466039822562, -1.1491466039822562, -0.9518495281770976, -0.5572553765667801,
    -0.16266122495646274, 0.08691519368366918, 0.5102836832657218, 0.9513184378624149,
    0.9513184378624149, 0.9513184378624149,
  ]

  test('equals scikit-learn 1.9.1 with ties and weights, rising and falling', () => {
    const rising = fitIsotonicRegression(inputs, targets, { weights: linearWeights() })
    expect(Array.from(rising.inputs)).toEqual([-1, -0.75, 0, 0.25, 0.75])
    for (const [i, value] of evaluateIsotonic(rising, asked).entries()) {
      expect(value).toBeCloseTo(expected[i]!, 13)
    }
    const falling = fitIsotonicRegression(
      inputs,
      targets.map((target) => -target),
      {
        ...{ weights: linearWeights(), direction: 'falling' },
      },
    )
    for (const [i, value] of evaluateIsotonic(falling, asked).entries()) {
      expect(value).toBeCloseTo(-expected[i]!, 13)
    }
  })

  test('is the best of all rising fits: no pool could be split or moved', () => {
    const pairs = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: -5, max: 5 })),
      {
        minLength: 1,
        maxLength: 25,
      },
    )
    fc.assert(
      fc.property(pairs, (list) => {
        const xs = list.map(([x]) => x)
        const ys = list.map(([, y]) => y)
        const fitted = evaluateIsotonic(fitIsotonicRegression(xs, ys), Float64Array.from(xs))
        const distinct = [...new Set(xs)].sort((a, b) => a - b)
        // Min-max formula: max over starts ≤ x of min over ends ≥ x of the mean in between.
        for (const [row, x] of xs.entries()) {
          const best = Math.max(
            ...distinct
              .filter((start) => start <= x)
              .map((start) =>
                Math.min(
                  ...distinct
                    .filter((end) => end >= x)
                    .map((end) => {
                      const inside = ys.filter((_, r) => xs[r]! >= start && xs[r]! <= end)
                      return inside.reduce((a, b) => a + b, 0) / inside.length
                    }),
                ),
              ),
          )
          expect(fitted[row]).toBeCloseTo(best, 10)
        }
      }),
    )
  })

  test('one pair gives a constant; NaN stays NaN; bad pairs are refused', () => {
    const one = fitIsotonicRegression([3], [0.5])
    expect(Array.from(evaluateIsotonic(one, Float64Array.of(-9, 3, Number.NaN)))).toEqual([
      0.5,
      0.5,
      Number.NaN,
    ])
    expect(() => fitIsotonicRegression([], [])).toThrow('at least 1')
    expect(() => fitIsotonicRegression([1, 2], [1])).toThrow('targets.length')
    expect(() => fitIsotonicRegression([1, Number.NaN], [1, 2])).toThrow('row 1')
    expect(() => fitIsotonicRegression([1], [1], { weights: [0] })).toThrow('weights[0]')
  })
})

describe('Platt scaling', () => {
  const margins = linearTargets().map((z) => z * 0.7)
  const labels = index.map((i) => (Math.sin(i * 3.3) + linearTargets()[i]! > 0 ? 1 : 0))

  test('equals scikit-learn 1.9.1 with and without weights', () => {
    const plain = fitPlattScaling(margins, labels)
    // scikit-learn stops its minimiser at a gradient of 1e-6.
    expect(plain.slope).toBeCloseTo(-1.9047319179303532, 5)
    expect(plain.offset).toBeCloseTo(0.03284568843464833, 5)
    const weighted = fitPlattScaling(margins, labels, linearWeights())
    expect(weighted.slope).toBeCloseTo(-2.254704032077166, 5)
    expect(weighted.offset).toBeCloseTo(0.021786189501688657, 5)
  })

  test('separable and constant margins give no certainty', () => {
    const separable = fitPlattScaling(Float64Array.of(-2, -1, 1, 2), [0, 0, 1, 1])
    const [low, high] = evaluatePlatt(separable, Float64Array.of(-1, 1))
    expect(low!).toBeGreaterThan(0.1)
    expect(high!).toBeLessThan(0.9)
    const constant = fitPlattScaling(new Float64Array(4).fill(7), [0, 0, 0, 1])
    expect(constant.slope).toBeCloseTo(0, 12)
    expect(evaluatePlatt(constant, Float64Array.of(7))[0]).toBeCloseTo((2 / 3 + 3 / 5) / 4, 12)
  })

  test('one class is refused', () => {
    const oneClass = expect.objectContaining({ code: 'ONE_CLASS' })
    expect(() =>
      fitPlattScaling(
        margins,
        labels.map(() => 1),
      ),
    ).toThrow(oneClass)
    expect(() => fitPlattScaling(margins, [1, 0])).toThrow('target length')
  })
})

describe('probability calibration', () => {
  const random = createRandom(12)
  const truth = Float64Array.from({ length: 4000 }, () => nextNormal(random))
  const outcomes = Array.from(truth, (z) => (nextOpenUnit(random) < 1 / (1 + Math.exp(-z)) ? 1 : 0))
  const overconfident = truth.map((z) => 3 * z)

  test('makes overconfident margins honest', () => {
    const fitted = overconfident.slice(0, 2000)
    for (const method of ['isotonic', 'platt'] as const) {
      const calibration = fitProbabilityCalibration(fitted, outcomes.slice(0, 2000), { method })
      const probabilities = calibrateProbabilities(calibration, overconfident.slice(2000))
      const error = truth
        .slice(2000)
        .reduce((sum, z, i) => sum + Math.abs(probabilities[i]! - 1 / (1 + Math.exp(-z))), 0)
      expect(error / 2000).toBeLessThan(0.03)
    }
  })

  test('chooses Platt below a thousand rows and isotonic from there', () => {
    const kindOf = (count: number) =>
      fitProbabilityCalibration(truth.slice(0, count), outcomes.slice(0, count)).kind
    expect(kindOf(999)).toBe('platt_scaling')
    expect(kindOf(1000)).toBe('isotonic_regression')
  })

  test('leaves rows of weight 0 out', () => {
    const rowWeights = outcomes.map((_, i) => (i < 1500 ? 1 : 0))
    for (const method of ['isotonic', 'platt'] as const) {
      const weighted = fitProbabilityCalibration(truth, outcomes, { method, rowWeights })
      const part = fitProbabilityCalibration(truth.slice(0, 1500), outcomes.slice(0, 1500), {
        method,
      })
      const asked = Float64Array.of(-1, 0, 1)
      const expected = calibrateProbabilities(part, asked)
      for (const [i, p] of calibrateProbabilities(weighted, asked).entries()) {
        expect(p).toBeCloseTo(expected[i]!, 9)
      }
    }
  })

  test('comes back from a model file; changed data is refused', () => {
    for (const method of ['isotonic', 'platt'] as const) {
      const calibration = fitProbabilityCalibration(truth, outcomes, { method })
      const decoded = decodeModel(encodeModel(calibration))
      expect(parseProbabilityCalibration(decoded)).toEqual(calibration)
    }
    const state = { kind: 'isotonic_regression', stateVersion: 1 } as const
    const pair = Float64Array.of(1, 0)
    expect(() => parseProbabilityCalibration({ ...state, inputs: pair, outputs: pair })).toThrow(
      'rising',
    )
    expect(() => parseProbabilityCalibration({ ...state, inputs: pair })).toThrow('outputs')
  })
})
