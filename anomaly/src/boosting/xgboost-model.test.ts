import { describe, expect, test } from 'vitest'
import { explainBoostedTrees } from '../explain/boosted-explain.ts'
import { selectRows } from '../feature-matrix.ts'
import { boostedMargins } from './boosted-predict.ts'
import { recordedMatrix, recordedModels } from './testing/recorded-table.ts'
import { boostedTreesOfXgboost } from './xgboost-model.ts'

const rows = Array.from({ length: 12 }, (_, row) => row)
const matrix = selectRows(recordedMatrix(), rows)
const recorded = recordedModels()

describe('a model saved by xgboost 3.2.0', () => {
  for (const [name, { model, margin, contribs }] of Object.entries(recorded)) {
    const trees = boostedTreesOfXgboost(model)

    test(`of kind ${name} gives xgboost's margins, missing cells included`, () => {
      expect(trees.output).toBe(name)
      const margins = boostedMargins(trees, matrix)
      expect(margins).toHaveLength(margin.length)
      // xgboost sums in float32.
      for (const [i, value] of margins.entries()) expect(value).toBeCloseTo(margin[i]!, 5.7)
    })

    test(`of kind ${name} is explained as pred_contribs explains it`, () => {
      const { contributions, expectedMargins } = explainBoostedTrees(trees, matrix, rows)
      const columnCount = matrix.columnNames.length
      for (let at = 0; at < rows.length * trees.outputCount; at++) {
        for (let c = 0; c < columnCount; c++) {
          const expected = contribs[at * (columnCount + 1) + c]!
          expect(Math.abs(contributions[at * columnCount + c]! - expected)).toBeLessThan(1e-6)
        }
        const bias = contribs[at * (columnCount + 1) + columnCount]!
        expect(Math.abs(expectedMargins[at % trees.outputCount]! - bias)).toBeLessThan(1e-6)
      }
    })
  }

  test('takes names for its features, and refuses too few', () => {
    const { model } = recorded.binary
    expect(boostedTreesOfXgboost(model, ['a', 'b', 'c']).columnNames).toEqual(['a', 'b', 'c'])
    expect(() => boostedTreesOfXgboost(model, ['a'])).toThrow('columnNames')
  })

  test('with another objective, a broken tree or no trees at all is refused', () => {
    const broken = (path: readonly (string | number)[], value: unknown) => {
      const copy: unknown = structuredClone(recorded.binary.model)
      let place = copy
      for (const key of path.slice(0, -1)) place = Reflect.get(Object(place), key)
      Reflect.set(Object(place), path.at(-1)!, value)
      return () => boostedTreesOfXgboost(copy)
    }
    const refusal = expect.objectContaining({ code: 'MODEL_FILE_INVALID' })
    const trees = ['learner', 'gradient_booster', 'model', 'trees']
    expect(broken(['learner', 'objective', 'name'], 'rank:ndcg')).toThrow('objective.name')
    expect(broken(['learner', 'gradient_booster', 'name'], 'dart')).toThrow(refusal)
    expect(broken([...trees, 0, 'left_children', 1], 0)).toThrow('a tree')
    expect(broken([...trees, 0, 'split_indices', 0], 3)).toThrow('a split below 3')
    expect(broken([...trees, 0, 'categories'], [1])).toThrow('categories')
    expect(() => boostedTreesOfXgboost({ version: [3, 2, 0] })).toThrow('model.learner')
  })
})
