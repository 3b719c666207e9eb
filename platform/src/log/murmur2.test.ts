import fc from 'fast-check'
import { expect, test } from 'vitest'
import { murmur2, partitionOf } from './murmur2.ts'

test('devices land on the partitions of the ING-15 vectors', () => {
  expect(partitionOf('REF-US-W-00042371', 64)).toBe(40)
  expect(partitionOf('REF-TEST-00001', 64)).toBe(30)
})

test('the hash agrees with the published vectors of the Kafka client', () => {
  const vectors: readonly (readonly [string, number])[] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ]
  for (const [text, hash] of vectors) expect(murmur2(new TextEncoder().encode(text))).toBe(hash)
})

test('every device has one partition below the count', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 128 }), (deviceId, partitionCount) => {
      const partition = partitionOf(deviceId, partitionCount)
      expect(partition).toBe(partitionOf(deviceId, partitionCount))
      expect(partition).toBeGreaterThanOrEqual(0)
      expect(partition).toBeLessThan(partitionCount)
    }),
  )
})
