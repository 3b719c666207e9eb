import { describe, expect, test } from 'vitest'
import { normalMatrix } from '../../testing/generated-tables.ts'
import { predictBoostedTrees } from '../boosting/boosted-predict.ts'
import { recordedMatrix, recordedModels } from '../boosting/testing/recorded-table.ts'
import { boostedTreesOfXgboost } from '../boosting/xgboost-model.ts'
import { featureMatrix } from '../feature-matrix.ts'
import { fitIsolationForest } from '../forest/isolation-forest.ts'
import { scoreIsolationForest } from '../forest/isolation-score.ts'
import { modelHash } from '../model-file/model-file.ts'
import { onnxOfTrees } from './onnx-trees.ts'
import { floatsField, integerField, integersField, textField } from './protobuf.ts'

const matrix = recordedMatrix()
const normal = normalMatrix(300, 3, 5)
const table = featureMatrix(normal.values.map(Math.fround), normal.columnNames)
const forest = fitIsolationForest(table, { treeCount: 5, sampleSize: 16 })

/**
 * What onnxruntime 1.31.1 (CPU) answered for the first values of files with these hashes, after
 * onnx 1.23.2 had checked them: a change of the bytes needs a new run of the real runtime.
 */
const recorded = {
  binary: {
    hash: 'e1d787cc9244a199a24c540dd067b73fc29e872e70b2127619e0a29c59f2e6e0',
    answers: [0.227501273, 0.691435039, 0.227501273, 0.716520488, 0.761624098, 0.306793153],
  },
  classes: {
    hash: 'd6ec615ec31f1e3c569dec072b8ba43ad480e168a093aaa6b298c71df19120ea',
    answers: [0.533812821, 0.243980229, 0.222206995, 0.293885559, 0.345516443, 0.360597968],
  },
  regression: {
    hash: '5b2f96520d57016d91e6aa45c988324ceec248edd3c4e176f5c0036c28d9934a',
    answers: [-2.12665296, 2.40347219, -1.44579124, 4.23929262, 0.844734669, -2.12665296],
  },
  forest: {
    hash: '1c1b4e4e4d71f9ce60ec0896741b0ff2897f516ccb389b46cc7a75f9d4a70c20',
    answers: [0.421457767, 0.55649662, 0.5903458, 0.491147608, 0.58417809, 0.510964453],
  },
} as const

describe('trees as ONNX', () => {
  for (const name of ['binary', 'classes', 'regression'] as const) {
    test(`boosted trees of kind ${name} answer in onnxruntime as here`, () => {
      const model = boostedTreesOfXgboost(recordedModels()[name].model)
      expect(modelHash(onnxOfTrees(model))).toBe(recorded[name].hash)
      const predictions = predictBoostedTrees(model, matrix)
      for (const [i, answer] of recorded[name].answers.entries()) {
        expect(Math.abs(predictions[i]! - answer)).toBeLessThan(1e-6)
      }
    })
  }

  test('an isolation forest answers in onnxruntime as here', () => {
    expect(modelHash(onnxOfTrees(forest))).toBe(recorded.forest.hash)
    const scores = scoreIsolationForest(forest, table)
    for (const [i, answer] of recorded.forest.answers.entries()) {
      expect(Math.abs(scores[i]! - answer)).toBeLessThan(1e-6)
    }
  })

  test('the file names its columns', () => {
    const text = new TextDecoder('latin1').decode(onnxOfTrees(forest))
    expect(text).toContain('["c0","c1","c2"]')
  })
})

describe('protobuf fields', () => {
  test('are those of the encoding guide', () => {
    expect(Array.from(integerField(1, 150))).toEqual([0x08, 0x96, 0x01])
    expect(Array.from(textField(2, 'testing'))).toEqual([
      ...[0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67],
    ])
    expect(Array.from(integersField(6, [3, 270, 86942]))).toEqual([
      ...[0x32, 0x06, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05],
    ])
    expect(Array.from(floatsField(1, [1.5]))).toEqual([0x0a, 0x04, 0, 0, 0xc0, 0x3f])
  })
})
