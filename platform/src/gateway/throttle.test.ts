import { expect, test } from 'vitest'
import { Counters } from './counters.ts'
import { defaultLimits } from './limits.ts'
import { Throttle } from './throttle.ts'

test('a device that is turned away again and again uses up nothing that its site shares', () => {
  const limits = {
    ...defaultLimits,
    deviceMessagesPerSecond: 1,
    deviceBurst: 5,
    tenantMessagesPerSecond: 10,
    tenantBurst: 100,
  }
  const throttle = new Throttle(limits, new Counters(), 0, { tenantOf: () => 'north' })
  let turnedAway = 0
  for (let n = 0; n < 10_000; n++) {
    if (throttle.message('LOUD', n) > limits.maxDelayMs) turnedAway++
  }
  expect(turnedAway).toBeGreaterThan(9_900)
  for (let n = 0; n < 5; n++) expect(throttle.message('QUIET', 10_000)).toBe(0)
})
