import { expect, test } from 'vitest'
import { DoorCounter } from './door-count.ts'

test('counts put back again and again stay one entry a device and hour', () => {
  const counter = new DoorCounter()
  const counts = [
    { deviceId: 'A', hour: 1, count: 2 },
    { deviceId: 'A', hour: 2, count: 3 },
    { deviceId: 'B', hour: 1, count: 4 },
  ]
  for (let n = 0; n < 50; n++) counter.putBack(counts)
  expect(counter.size).toBe(3)
  expect(counter.take().map(({ count }) => count)).toEqual([100, 150, 200])
})
