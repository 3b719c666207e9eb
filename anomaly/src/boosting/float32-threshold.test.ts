import fc from 'fast-check'
import { expect, test } from 'vitest'
import { doubleThreshold, singleThreshold } from './float32-threshold.ts'

const float32 = fc.float({ min: Math.fround(-1e38), max: Math.fround(1e38), noNaN: true })
const nearby = fc.integer({ min: -6, max: 6 })

test('a float64 value falls on the side of its float32 rounding', () => {
  fc.assert(
    fc.property(float32, nearby, fc.double({ min: 0, max: 1 }), (threshold, steps, part) => {
      const gap = Math.max(Math.abs(threshold) * 2 ** -24, 2 ** -149)
      const value = threshold + (steps / 4 + part / 8) * gap
      expect(value < doubleThreshold(threshold)).toBe(Math.fround(value) < threshold)
    }),
    { numRuns: 2000 },
  )
})

test('half-way between two float32 values goes where rounding to even goes', () => {
  for (const threshold of [1, Math.fround(1 + 2 ** -23), -1, Math.fround(-1 - 2 ** -23), 0, 3.5]) {
    const next = doubleThreshold(threshold)
    expect(Math.fround(next) < threshold).toBe(false)
    const halfWay = threshold - Math.abs(threshold) * 2 ** -25
    expect(halfWay < next).toBe(Math.fround(halfWay) < threshold)
  }
})

test('float32 values part at the float32 threshold as at the float64 one', () => {
  fc.assert(
    fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), nearby, (threshold, steps) => {
      const gap = Math.max(Math.abs(threshold) * 2 ** -24, 2 ** -149)
      const value = Math.fround(threshold + steps * gap)
      const single = singleThreshold(threshold)
      expect(Math.fround(single)).toBe(single)
      expect(value < single).toBe(value < threshold)
    }),
    { numRuns: 2000 },
  )
})
