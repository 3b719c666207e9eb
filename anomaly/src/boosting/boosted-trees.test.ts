import { describe, expect, test } from 'vitest'
import { normalMatrix } from '../../testing/generated-tables.ts'
import { explainDetector, parseDetector, scoreDetector } from '../detector.ts'
import { type FeatureMatrix, featureMatrix, selectRows } from '../feature-matrix.ts'
import { decodeModel, encodeModel, type ModelState } from '../model-file/model-file.ts'
import { createScoringPool } from '../threads/scoring-pool.ts'
import type { SupervisedTarget } from '../validation/supervised-target.ts'
import { fitBoostedTrees } from './boosted-fit.ts'
import { boostedMargins, predictBoostedTrees } from './boosted-predict.ts'
import type { BoostedTrees } from './boosted-trees.ts'
import { parseBoostedTrees } from './boosted-trees-kind.ts'

const whole = normalMatrix(400, 4, 8)
const values = whole.values.map((value, i) => (i % 23 === 0 ? Number.NaN : value))
const matrix = featureMatrix(values, whole.columnNames)
const sums = Array.from({ length: 400 }, (_, r) => whole.values[4 * r]! + whole.values[4 * r + 1]!)
const binary: SupervisedTarget = { kind: 'binary', labels: sums.map((sum) => (sum > 0.6 ? 1 : 0)) }
const targets: readonly SupervisedTarget[] = [
  binary,
  { kind: 'classes', labels: sums.map((s) => (s > 1 ? 2 : s > -1 ? 0 : 1)), classCount: 3 },
  { kind: 'regression', values: sums },
]
const options = { roundCount: 12, maxLeaves: 6 }
const models = targets.map((target) => fitBoostedTrees(matrix, target, options))

/** Margins by following one row through the arrays as they are documented. */
function naiveMargins(model: BoostedTrees, row: Float64Array): number[] {
  const margins = Array.from(model.baseMargins)
  for (const [tree, root] of model.treeRoots.entries()) {
    let node = root
    while (model.children[2 * node] !== node) {
      const value = row[model.splitColumns[node]!]!
      const goesLeft = Number.isNaN(value)
        ? model.missingGoesLeft[node] === 1
        : value < model.splitThresholds[node]!
      node = model.children[2 * node + (goesLeft ? 0 : 1)]!
    }
    const output = model.treeOutputs[tree]!
    margins[output] = margins[output]! + model.leafValues[node]!
  }
  return margins
}

describe('predictions', () => {
  test('are the sums of the leaves reached, with and without missing cells', () => {
    for (const model of models) {
      for (const table of [matrix, whole]) {
        const margins = boostedMargins(model, table)
        for (let row = 0; row < 400; row++) {
          const expected = naiveMargins(model, table.values.subarray(4 * row, 4 * row + 4))
          const at = row * model.outputCount
          expect(Array.from(margins.subarray(at, at + model.outputCount))).toEqual(expected)
        }
      }
    }
  })

  test('of a row do not depend on the rows beside it', () => {
    for (const model of models) {
      const all = predictBoostedTrees(model, matrix)
      for (const row of [0, 5, 23, 399]) {
        const alone = predictBoostedTrees(model, selectRows(matrix, [row]))
        const at = row * model.outputCount
        expect(alone).toEqual(all.slice(at, at + model.outputCount))
      }
      expect(predictBoostedTrees(model, selectRows(matrix, []))).toHaveLength(0)
    }
  })

  test('refuse other columns and a wrong output length', () => {
    const [model] = models
    const shuffled = { ...matrix, columnNames: matrix.columnNames.toReversed() }
    const mismatch = expect.objectContaining({ code: 'COLUMN_MISMATCH' })
    expect(() => predictBoostedTrees(model!, shuffled)).toThrow(mismatch)
    expect(() => predictBoostedTrees(model!, matrix, new Float64Array(3))).toThrow('out.length')
  })
})

describe('as a detector', () => {
  test('the score is the probability of trouble, or the value', () => {
    const [two, three, value] = models
    expect(scoreDetector(two!, matrix)).toEqual(predictBoostedTrees(two!, matrix))
    expect(scoreDetector(value!, matrix)).toEqual(predictBoostedTrees(value!, matrix))
    const shares = predictBoostedTrees(three!, matrix)
    const scores = scoreDetector(three!, matrix)
    for (const [row, score] of scores.entries()) expect(score).toBe(1 - shares[3 * row]!)
  })

  test('threads change nothing', async () => {
    const pool = createScoringPool(3)
    for (const model of models) {
      expect(await pool.score(model, matrix)).toEqual(scoreDetector(model, matrix))
      const parts = await pool.explain(model, matrix, [7, 23, 7])
      expect(parts).toEqual(explainDetector(model, matrix, [7, 23, 7]))
    }
    await pool.close()
  })
})

describe('in a model file', () => {
  test('a model comes back as it was', () => {
    for (const model of models) {
      const bytes = encodeModel(model)
      const decoded = decodeModel(bytes)
      expect(parseBoostedTrees(decoded)).toEqual(model)
      expect(parseDetector(decoded)).toEqual(model)
      expect(encodeModel(parseBoostedTrees(decoded))).toEqual(bytes)
    }
  })

  test('fields that are no trees are refused', () => {
    const refusal = expect.objectContaining({ code: 'MODEL_FILE_INVALID' })
    const changed = (changes: Readonly<Record<string, ModelState>>) => () =>
      parseBoostedTrees({ ...models[0]!, ...changes })
    const { children, treeRoots, leafValues } = models[0]!
    const with_ = <T extends Uint32Array | Float64Array>(array: T, at: number, value: number) => {
      const copy = array.slice()
      copy[at] = value
      return copy
    }
    expect(changed({ children: with_(children, 0, 0) })).toThrow(refusal)
    expect(changed({ children: with_(children, 0, leafValues.length) })).toThrow(refusal)
    expect(changed({ children: with_(children, 1, children[0]!) })).toThrow(refusal)
    expect(changed({ treeRoots: with_(treeRoots, 1, 0) })).toThrow(refusal)
    expect(changed({ leafValues: with_(leafValues, 3, Number.NaN) })).toThrow(refusal)
    expect(changed({ leafValues: leafValues.slice(1) })).toThrow(refusal)
    expect(changed({ splitColumns: new Uint16Array(leafValues.length).fill(4) })).toThrow(refusal)
    expect(changed({ outputCount: 2 })).toThrow('outputCount')
    expect(changed({ output: 'ranking' })).toThrow('output')
  })
})

describe('bad input is refused', () => {
  const fit = (table: FeatureMatrix, target: SupervisedTarget, more = {}) => {
    return () => fitBoostedTrees(table, target, { roundCount: 1, ...more })
  }
  const code = (expected: string) => expect.objectContaining({ code: expected })

  test('tables and targets', () => {
    const infinite = featureMatrix(values.with(6, Number.NEGATIVE_INFINITY), whole.columnNames)
    expect(fit(infinite, binary)).toThrow('row 1, column c2 is -Infinity')
    expect(fit(selectRows(matrix, []), { kind: 'binary', labels: [] })).toThrow(
      code('TOO_FEW_ROWS'),
    )
    expect(fit(matrix, { kind: 'binary', labels: [0, 1] })).toThrow(code('SHAPE_MISMATCH'))
    expect(fit(matrix, { kind: 'binary', labels: new Array(400).fill(0) })).toThrow(
      code('ONE_CLASS'),
    )
    expect(fit(matrix, { kind: 'binary', labels: new Array(400).fill(2) })).toThrow('labels[0]')
    expect(fit(matrix, { kind: 'regression', values: sums.with(9, Number.NaN) })).toThrow('row 9')
    const oneClass = { kind: 'classes', labels: new Array(400).fill(0), classCount: 1 } as const
    expect(fit(matrix, oneClass)).toThrow('classCount')
  })

  test('weights', () => {
    expect(fit(matrix, binary, { rowWeights: [1] })).toThrow('rowWeights.length')
    expect(fit(matrix, binary, { rowWeights: sums })).toThrow('rowWeights[')
    expect(fit(matrix, binary, { rowWeights: new Array(400).fill(0) })).toThrow(
      code('TOO_FEW_ROWS'),
    )
    expect(fit(matrix, binary, { classWeights: [1] })).toThrow('classWeights.length')
    expect(fit(matrix, binary, { classWeights: [1, 0] })).toThrow('classWeights[1]')
    expect(fit(matrix, targets[2]!, { classWeights: 'balanced' })).toThrow('regression')
  })

  test('options', () => {
    const wrong = {
      roundCount: 0,
      learningRate: 0,
      maxLeaves: 1,
      maxDepth: 0,
      minLeafRows: 0,
      minChildWeight: -1,
      l2: Number.NaN,
      gamma: Number.POSITIVE_INFINITY,
      rowShare: 1.5,
      columnShare: 0,
      maxBins: 256,
      monotone: { nowhere: 1 },
      threadCount: 0,
      seed: -1,
    }
    for (const [name, value] of Object.entries(wrong)) {
      expect(fit(matrix, binary, { [name]: value })).toThrow(name)
    }
    expect(fit(matrix, targets[1]!, { monotone: { c0: 1 } })).toThrow('monotone.c0')
  })
})
