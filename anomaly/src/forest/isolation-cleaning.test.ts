import { describe, expect, test } from 'vitest'
import { labelledTables, normalMatrix } from '../../testing/generated-tables.ts'
import { cleanAndRefit } from './isolation-cleaning.ts'
import { fitIsolationForest } from './isolation-forest.ts'
import { scoreIsolationForest } from './isolation-score.ts'

describe('iterative cleaning', () => {
  test('one round drops the top 2 % by score and refits on the rest', () => {
    const matrix = normalMatrix(1000, 4, 1)
    const { forest, keptRows, droppedRows } = cleanAndRefit(matrix)
    expect(droppedRows).toHaveLength(20)
    expect(forest).toEqual(fitIsolationForest(matrix, {}, keptRows))
    const scores = scoreIsolationForest(fitIsolationForest(matrix), matrix)
    const lowestDropped = Math.min(...droppedRows.values().map((row) => scores[row]!))
    const highestKept = Math.max(...keptRows.values().map((row) => scores[row]!))
    expect(lowestDropped).toBeGreaterThanOrEqual(highestKept)
  })

  test('it drops mostly outliers where there are some', () => {
    const table = labelledTables()[0]
    if (table === undefined) throw new Error('no table')
    const { droppedRows } = cleanAndRefit(table.matrix, {}, { roundCount: 2 })
    const outliers = droppedRows.filter((row) => table.labels[row] === 1).length
    expect(outliers / droppedRows.length).toBeGreaterThan(0.9)
  })

  test('more than 10 % in total or more than two rounds is refused', () => {
    const matrix = normalMatrix(100, 2, 2)
    const clean = (roundCount: number, dropFraction: number) => () =>
      cleanAndRefit(matrix, {}, { roundCount, dropFraction })
    expect(clean(2, 0.06)).toThrow(expect.objectContaining({ code: 'CLEANING_LIMIT' }))
    expect(clean(3, 0.01)).toThrow('roundCount')
  })

  test('a set too small to lose a row keeps all', () => {
    expect(cleanAndRefit(normalMatrix(10, 2, 3)).droppedRows).toHaveLength(0)
  })
})
