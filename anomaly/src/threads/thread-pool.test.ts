import { afterAll, describe, expect, test } from 'vitest'
import { normalMatrix } from '../../testing/generated-tables.ts'
import { fitIsolationForest } from '../forest/isolation-forest.ts'
import { scoreIsolationForest } from '../forest/isolation-score.ts'
import { sharedFloats } from './shared-state.ts'
import { createThreadPool } from './thread-pool.ts'

const forest = fitIsolationForest(normalMatrix(300, 4, 1), { treeCount: 10 })

describe('thread pool', () => {
  const threads = createThreadPool(2)
  afterAll(() => threads.close())

  const inputOf = (rowCount: number) => {
    const { values } = normalMatrix(rowCount, 4, rowCount)
    return { values, rowCount, groups: undefined, out: sharedFloats(rowCount) }
  }

  test('does every item once, whatever their number', async () => {
    for (const rowCount of [0, 1, 2, 15, 16, 17, 501]) {
      const input = inputOf(rowCount)
      await threads.run('score_detector', forest, input, rowCount)
      const expected = scoreIsolationForest(forest, normalMatrix(rowCount, 4, rowCount))
      expect(Array.from(input.out)).toEqual(Array.from(expected))
    }
  })

  test('what a function throws fails its job only', async () => {
    const broken = { ...inputOf(20), rowIndices: Uint32Array.of(99) }
    const good = inputOf(20)
    const failing = threads.run('explain_detector', forest, broken, 1)
    const working = threads.run('score_detector', forest, good, 20)
    await expect(failing).rejects.toMatchObject({ code: 'WORKER_FAILED' })
    await expect(failing).rejects.toThrow('rows[0] is 99')
    await working
    expect(good.out.every((score) => score > 0)).toBe(true)
  })
})
