import { afterAll, describe, expect, test } from 'vitest'
import { normalMatrix } from '../../testing/generated-tables.ts'
import { sharedFeatureMatrix } from '../feature-matrix.ts'
import { fitIsolationForest } from '../forest/isolation-forest.ts'
import { scoreIsolationForest } from '../forest/isolation-score.ts'
import { createScoringPool } from './scoring-pool.ts'

const matrix = normalMatrix(1003, 4, 1)
const forest = fitIsolationForest(matrix, { treeCount: 20 })

describe('scoring pool', () => {
  const pool = createScoringPool(2, { maxPendingJobs: 3, maxModels: 2 })
  afterAll(() => pool.close())

  test('gives the scores of one thread, for shared and ordinary memory', async () => {
    const expected = scoreIsolationForest(forest, matrix)
    expect(await pool.score(forest, matrix)).toEqual(expected)
    expect(await pool.score(forest, sharedFeatureMatrix(matrix))).toEqual(expected)
  })

  test('keeps several jobs apart and forgets old models', async () => {
    for (let seed = 0; seed < 5; seed++) {
      const model = fitIsolationForest(matrix, { treeCount: 5, seed })
      const [one, two] = await Promise.all([pool.score(model, matrix), pool.score(forest, matrix)])
      expect(one).toEqual(scoreIsolationForest(model, matrix))
      expect(two).toEqual(scoreIsolationForest(forest, matrix))
    }
  })

  test('more jobs than its bound are refused, and it goes on afterwards', async () => {
    const accepted = [1, 2, 3].map(() => pool.score(forest, matrix))
    await expect(pool.score(forest, matrix)).rejects.toMatchObject({ code: 'POOL_BUSY' })
    await Promise.all(accepted)
    await expect(pool.score(forest, matrix)).resolves.toHaveLength(1003)
  })

  test('input that the detector refuses never reaches a thread', async () => {
    const values = matrix.values.slice()
    values[5] = Number.NaN
    await expect(pool.score(forest, { ...matrix, values })).rejects.toMatchObject({
      code: 'NOT_FINITE',
    })
    await expect(pool.score(forest, normalMatrix(5, 3, 1))).rejects.toMatchObject({
      code: 'COLUMN_MISMATCH',
    })
  })

  test('more threads than rows, and no rows at all', async () => {
    const wide = createScoringPool(3)
    const two = normalMatrix(2, 4, 2)
    expect(await wide.score(forest, two)).toEqual(scoreIsolationForest(forest, two))
    expect(await wide.score(forest, normalMatrix(0, 4, 2))).toHaveLength(0)
    await wide.close()
  })

  test('closing fails what is unanswered and refuses what comes later', async () => {
    const closing = createScoringPool(1)
    const unanswered = expect(closing.score(forest, matrix)).rejects.toMatchObject({
      code: 'POOL_CLOSED',
    })
    await closing.close()
    await unanswered
    await closing.close()
    await expect(closing.score(forest, matrix)).rejects.toMatchObject({ code: 'POOL_CLOSED' })
    expect(() => createScoringPool(0)).toThrow('threadCount')
  })
})
