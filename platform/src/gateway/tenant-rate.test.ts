import { expect, test } from 'vitest'
import { type DoorNote, IsothermError } from '../contracts/index.ts'
import { Counters } from './counters.ts'
import { defaultLimits } from './limits.ts'
import { Throttle } from './throttle.ts'

const siteOf = (deviceId: string) => deviceId.split('-')[0]

function made(rate: number, burst: number) {
  const counters = new Counters()
  const notes: DoorNote[] = []
  const limits = {
    ...defaultLimits,
    deviceMessagesPerSecond: 1_000,
    deviceBurst: 1_000,
    tenantMessagesPerSecond: rate,
    tenantBurst: burst,
    maxDelayMs: 1_000,
  }
  const books = {
    stored: () => undefined,
    note: async (added: readonly DoorNote[]) => {
      if (added.length === 0) throw new IsothermError('INPUT_INVALID', 'nothing to note')
      notes.push(...added)
    },
  }
  const throttle = new Throttle(limits, counters, 0, { books, tenantOf: siteOf })
  const throttled = () => counters.cell('gateway_throttled_total', 'scope', 'tenant').value
  return { throttle, notes, throttled }
}

test('devices of a site share its rate, those of another site do not feel it', () => {
  const { throttle, throttled } = made(10, 20)
  for (let n = 0; n < 20; n++) expect(throttle.message(`a-${n}`, 0)).toBe(0)
  expect(throttle.message('a-20', 0)).toBe(100)
  expect(throttle.message('b-1', 0)).toBe(0)
  expect(throttled()).toBe(1)
  expect(throttle.message('a-21', 1_000)).toBe(0)
})

test('over HTTP a site over its rate is told to wait, nothing is taken and the refusal is noted', () => {
  const { throttle, notes, throttled } = made(10, 5)
  expect(throttle.request('a-1', 0, 5)).toBe(0)
  expect(throttle.request('a-2', 0, 3)).toBe(100)
  expect(throttle.request('a-2', 100, 1)).toBe(0)
  expect(notes).toEqual([{ deviceId: 'a-2', atMs: 0, kind: 'OVER_RATE', count: 3 }])
  expect(throttled()).toBe(1)
})

test('an answer that would wait too long is turned away and noted, never dropped in silence', () => {
  const { throttle, notes } = made(10, 1)
  const delays = Array.from({ length: 15 }, () => throttle.message('a-1', 0))
  expect(delays.filter((delay) => delay > 1_000)).toHaveLength(4)
  expect(notes).toHaveLength(4)
})

test('without a rate for sites there is none, and idle sites are forgotten', () => {
  const { throttle, throttled } = made(0, 0)
  for (let n = 0; n < 500; n++) throttle.message(`a-${n}`, 0)
  throttle.forgetIdle(60_000)
  expect(throttled()).toBe(0)
})
