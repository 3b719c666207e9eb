import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TokenBucket } from './token-bucket.ts'

test('a burst passes at once, then every message waits its turn, ING-12', () => {
  const bucket = new TokenBucket(2, 120, 0)
  for (let n = 0; n < 120; n++) expect(bucket.take(1, 0)).toBe(0)
  expect(bucket.take(1, 0)).toBe(500)
  expect(bucket.take(1, 0)).toBe(1_000)
  expect(bucket.waitMs(0)).toBe(1_500)
  expect(bucket.take(1, 10_000)).toBe(0)
})

test('whatever is sent and when, answers keep to the rate after the burst', () => {
  const pauses = fc.array(fc.integer({ min: -50, max: 400 }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(pauses, (steps) => {
      const bucket = new TokenBucket(10, 5, 0)
      let nowMs = 0
      let lastMs = 0
      const answeredMs: number[] = []
      for (const step of steps) {
        nowMs += step
        lastMs = Math.max(lastMs, nowMs)
        // A clock that goes back shortens nothing: measured from its latest time.
        answeredMs.push(lastMs + bucket.take(1, lastMs))
      }
      for (let i = 5; i < answeredMs.length; i++) {
        expect(answeredMs[i]! - answeredMs[i - 5]!).toBeGreaterThanOrEqual(-1e-6)
        const spanMs = answeredMs[i]! - answeredMs[0]!
        expect(i).toBeLessThanOrEqual(5 + spanMs / 100 + 1e-6)
      }
    }),
  )
})

test('a bucket is full again after a rest and only then', () => {
  const bucket = new TokenBucket(1, 3, 0)
  bucket.take(3, 0)
  expect(bucket.isFull(2_999)).toBe(false)
  expect(bucket.isFull(3_000)).toBe(true)
})
