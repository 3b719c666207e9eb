import { describe, expect, test } from 'vitest'
import { createRandom, nextIndex, nextNormal } from '../statistics/random.ts'
import { fixedPoint, hessianOf } from './fixed-point.ts'
import { COLUMNS_PER_WORD, growthMemory } from './growth-memory.ts'
import { buildHistogram, subtractHistogram } from './histogram.ts'
import { kernelOf } from './histogram-kernel.ts'

const rowCount = 500

/** Six columns of up to ten value bins, two of them padding, with a missing code each. */
function filledMemory(isShared: boolean) {
  const memory = growthMemory({ rowCount, columnCount: 6, slotCount: 3, maxBins: 10 }, isShared)
  const random = createRandom(5)
  let start = 0
  for (let column = 0; column < 8; column++) {
    memory.valueBinCounts[column] = column < 6 ? 4 + column : 1
    memory.histogramStarts[column] = start
    start += memory.valueBinCounts[column]! + 1
    const word = Math.floor(column / COLUMNS_PER_WORD) * rowCount
    for (let row = 0; row < rowCount; row++) {
      const code = column < 6 ? nextIndex(random, 5 + column) : 0
      memory.codes[word + row] = memory.codes[word + row]! | (code << (8 * (column % 4)))
    }
  }
  const { gradientRounder, hessianRounder, countUnit } = fixedPoint(1e5, 1e5, rowCount)
  for (let row = 0; row < rowCount; row++) {
    memory.rows[row] = row
    memory.pairs[2 * row] = nextNormal(random) + gradientRounder - gradientRounder
    const hessian = Math.abs(nextNormal(random)) + hessianRounder - hessianRounder
    memory.pairs[2 * row + 1] = countUnit + hessian
  }
  return { memory, countUnit, binCount: start }
}

describe('histograms', () => {
  for (const isShared of [false, true]) {
    test(`kernel and twin give the same bytes, ${isShared ? 'shared' : 'own'} memory`, () => {
      const { memory, binCount } = filledMemory(isShared)
      const kernel = kernelOf(memory)
      expect(kernel).toBeDefined()
      for (const word of [0, 1]) {
        buildHistogram(memory, kernel, word, 0, rowCount)
        buildHistogram(memory, undefined, word, 1, rowCount)
      }
      const slot = memory.histograms.length / 3
      const found = memory.histograms.slice(0, 2 * binCount)
      expect(found.some((value) => value !== 0)).toBe(true)
      expect(found).toEqual(memory.histograms.slice(slot, slot + 2 * binCount))
    })
  }

  test('rows and hessians come out of one sum', () => {
    const { memory, countUnit } = filledMemory(false)
    buildHistogram(memory, undefined, 0, 0, rowCount)
    const rowsPerCode = new Array<number>(5).fill(0)
    const hessians = new Array<number>(5).fill(0)
    for (let row = 0; row < rowCount; row++) {
      const code = memory.codes[row]! & 255
      rowsPerCode[code] = rowsPerCode[code]! + 1
      hessians[code] = hessians[code]! + memory.pairs[2 * row + 1]! - countUnit
    }
    for (let code = 0; code < 5; code++) {
      const packed = memory.histograms[2 * code + 1]!
      expect(Math.floor(packed / countUnit)).toBe(rowsPerCode[code])
      expect(hessianOf(packed, countUnit)).toBe(hessians[code])
    }
  })

  for (const usesKernel of [false, true]) {
    test(`parent minus child is exactly the other child, kernel: ${usesKernel}`, () => {
      const { memory, binCount } = filledMemory(false)
      const kernel = usesKernel ? kernelOf(memory) : undefined
      const slot = memory.histograms.length / 3
      for (const word of [0, 1]) {
        buildHistogram(memory, kernel, word, 0, rowCount)
        buildHistogram(memory, kernel, word, 1, 180)
        subtractHistogram(memory, kernel, word, 0, 1)
      }
      memory.rows.copyWithin(0, 180)
      memory.pairs.copyWithin(0, 2 * 180)
      for (const word of [0, 1]) buildHistogram(memory, kernel, word, 2, rowCount - 180)
      const other = memory.histograms.slice(2 * slot, 2 * slot + 2 * binCount)
      expect(memory.histograms.slice(0, 2 * binCount)).toEqual(other)
    })
  }
})

describe('the grid of gradients', () => {
  test('makes sums independent of their order', () => {
    const random = createRandom(9)
    const values = Float64Array.from({ length: 5000 }, () => nextNormal(random) ** 5)
    const sum = values.reduce((total, value) => total + Math.abs(value), 0)
    const { gradientRounder } = fixedPoint(sum, 1, values.length)
    const rounded = values.map((value) => value + gradientRounder - gradientRounder)
    const forward = rounded.reduce((total, value) => total + value, 0)
    expect(rounded.toReversed().reduce((total, value) => total + value, 0)).toBe(forward)
    expect(rounded.toSorted().reduce((total, value) => total + value, 0)).toBe(forward)
    for (const [i, value] of values.entries()) {
      expect(Math.abs(rounded[i]! - value)).toBeLessThan(sum * 2 ** -50)
    }
  })

  test('takes sums of nothing', () => {
    const { countUnit } = fixedPoint(0, 0, 10)
    expect(countUnit).toBeGreaterThan(0)
    expect(hessianOf(3 * countUnit, countUnit)).toBe(0)
  })
})
