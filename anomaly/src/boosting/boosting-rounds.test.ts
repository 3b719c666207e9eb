import { describe, expect, test } from 'vitest'
import { normalMatrix } from '../../testing/generated-tables.ts'
import { type FeatureMatrix, selectRows } from '../feature-matrix.ts'
import { averagePrecision } from '../metrics/ranking-metrics.ts'
import { createRandom, nextNormal } from '../statistics/random.ts'
import type { SupervisedTarget } from '../validation/supervised-target.ts'
import { fitBoostedTrees } from './boosted-fit.ts'
import { predictBoostedTrees } from './boosted-predict.ts'
import type { BoostingOptions, BoostingValidation } from './boosting-options.ts'

const matrix = normalMatrix(800, 4, 21)
const random = createRandom(22)
const noisy = Array.from({ length: 800 }, (_, r) => matrix.values[4 * r]! + nextNormal(random))
const from = (start: number, end: number) =>
  Array.from({ length: end - start }, (_, i) => start + i)
const part = (rows: readonly number[]): { matrix: FeatureMatrix; target: SupervisedTarget } => ({
  matrix: selectRows(matrix, rows),
  target: { kind: 'binary', labels: rows.map((row) => (noisy[row]! > 0 ? 1 : 0)) },
})
const training = part(from(0, 500))
const held = part(from(500, 800))
const labels = from(500, 800).map((row) => (noisy[row]! > 0 ? 1 : 0))

function fit(more: BoostingOptions) {
  return fitBoostedTrees(training.matrix, training.target, { learningRate: 0.3, ...more })
}

function logLoss(probabilities: Float64Array): number {
  return probabilities.reduce((sum, p, i) => sum - Math.log(labels[i] === 1 ? p : 1 - p), 0) / 300
}

describe('early stopping', () => {
  test('keeps the round with the least log loss on the validation rows', () => {
    const stopped = fit({ validation: { ...held, patience: 30 } })
    const rounds = stopped.treeRoots.length
    expect(rounds).toBeGreaterThan(0)
    expect(rounds).toBeLessThan(60)
    const loss = (roundCount: number) =>
      logLoss(predictBoostedTrees(fit({ roundCount }), held.matrix))
    const least = loss(rounds)
    for (const other of [1, rounds - 1, rounds + 1, rounds + 20]) {
      if (other > 0 && other !== rounds) expect(loss(other)).toBeGreaterThanOrEqual(least)
    }
    expect(logLoss(predictBoostedTrees(stopped, held.matrix))).toBe(least)
  })

  test('can judge by average precision', () => {
    const model = fit({ validation: { ...held, metric: 'average precision', patience: 50 } })
    const found = averagePrecision(labels, predictBoostedTrees(model, held.matrix))
    const whole = averagePrecision(labels, predictBoostedTrees(fit({}), held.matrix))
    expect(found).toBeGreaterThan(whole)
  })

  test('keeps no tree where none beats the base margin', () => {
    const opposite: BoostingValidation = {
      matrix: held.matrix,
      target: { kind: 'binary', labels: labels.map((label) => 1 - label) },
    }
    const model = fit({ validation: opposite })
    expect(model.treeRoots).toHaveLength(0)
    expect(new Set(predictBoostedTrees(model, held.matrix)).size).toBe(1)
  })

  test('judges classes and values too', () => {
    const classes = (rows: readonly number[]): SupervisedTarget => ({
      kind: 'classes',
      labels: rows.map((row) => (noisy[row]! > 1 ? 2 : noisy[row]! > -1 ? 1 : 0)),
      classCount: 3,
    })
    const values = (rows: readonly number[]): SupervisedTarget => ({
      kind: 'regression',
      values: rows.map((row) => noisy[row]!),
    })
    for (const target of [classes, values]) {
      const model = fitBoostedTrees(training.matrix, target(from(0, 500)), {
        learningRate: 0.3,
        validation: { matrix: held.matrix, target: target(from(500, 800)), patience: 5 },
      })
      expect(model.treeRoots.length % model.outputCount).toBe(0)
      expect(model.treeRoots.length / model.outputCount).toBeLessThan(50)
      expect(model.treeRoots.length).toBeGreaterThan(0)
    }
  })

  test('a validation that does not fit the training is refused', () => {
    const refuse = (validation: BoostingValidation) => () => fit({ validation })
    const other = { ...held.matrix, columnNames: ['a', 'b', 'c', 'd'] }
    expect(refuse({ ...held, matrix: other })).toThrow('column 0 is a')
    expect(refuse({ ...held, patience: 0 })).toThrow('patience')
    expect(refuse({ ...held, metric: 'squared error' })).toThrow('metric')
    const values: SupervisedTarget = { kind: 'regression', values: noisy.slice(500) }
    expect(refuse({ ...held, target: values })).toThrow('validation.target')
  })
})

describe('rounds', () => {
  test('draws of rows and columns change the trees, and still learn', () => {
    const drawn = fit({ rowShare: 0.5, columnShare: 0.5 })
    expect(logLoss(predictBoostedTrees(drawn, held.matrix))).toBeLessThan(0.75)
    for (const [tree, root] of drawn.treeRoots.entries()) {
      const end = drawn.treeRoots[tree + 1] ?? drawn.leafValues.length
      const columns = new Set<number>()
      for (let node = root; node < end; node++) {
        if (drawn.children[2 * node] !== node) columns.add(drawn.splitColumns[node]!)
      }
      expect(columns.size).toBeLessThanOrEqual(2)
    }
  })

  test('training ends when nothing is left to split', () => {
    const few = selectRows(matrix, from(0, 30))
    const target: SupervisedTarget = { kind: 'regression', values: noisy.slice(0, 30) }
    expect(fitBoostedTrees(few, target).treeRoots).toHaveLength(0)
    const separable: SupervisedTarget = { kind: 'regression', values: new Array(800).fill(3.5) }
    const constant = fitBoostedTrees(matrix, separable)
    expect(predictBoostedTrees(constant, few)).toEqual(new Float64Array(30).fill(3.5))
  })

  test('one row is enough for a base margin', () => {
    const one = fitBoostedTrees(selectRows(matrix, [3]), { kind: 'regression', values: [2] })
    expect(predictBoostedTrees(one, selectRows(matrix, [3, 4]))).toEqual(Float64Array.of(2, 2))
  })

  test('perfectly learned labels give finite margins', () => {
    const sign = from(0, 800).map((row) => (matrix.values[4 * row]! > 0 ? 1 : 0))
    const model = fitBoostedTrees(
      matrix,
      { kind: 'binary', labels: sign },
      {
        ...{ roundCount: 300, learningRate: 1, l2: 0, minChildWeight: 0 },
      },
    )
    const probabilities = predictBoostedTrees(model, matrix)
    expect(probabilities.every((p, row) => Math.abs(p - sign[row]!) < 0.01)).toBe(true)
  })

  test('constant and all-missing columns are no columns to split', () => {
    const values = matrix.values.map((value, i) => [value, 7, Number.NaN, value][i % 4]!)
    const labels = from(0, 800).map((row) => (noisy[row]! > 0 ? 1 : 0))
    const model = fitBoostedTrees({ ...matrix, values }, { kind: 'binary', labels })
    expect(model.treeRoots.length).toBeGreaterThan(0)
    for (let node = 0; node < model.leafValues.length; node++) {
      expect([0, 3]).toContain(model.splitColumns[node])
    }
    const flat = { ...matrix, values: values.map((_, i) => [7, 7, Number.NaN, 0][i % 4]!) }
    expect(fitBoostedTrees(flat, { kind: 'binary', labels }).treeRoots).toHaveLength(0)
  })
})
