import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { Counters } from './counters.ts'
import { defaultLimits } from './limits.ts'
import {
  cleanUp,
  connectFrame,
  publishFrame,
  rawSocket,
  start,
  until,
} from './mqtt-test-support.ts'
import { Throttle } from './throttle.ts'

afterEach(cleanUp)

const connackBytes = 4

test('in a storm a device with one message does not wait behind the window of another', async () => {
  const bench = await start({
    deviceIds: ['REF-1', 'REF-2'],
    limits: { deploymentMessagesPerSecond: 10, deploymentBurst: 1 },
  })
  const answered = new Map<string, number>()
  const open = async (deviceId: string) => {
    const socket = await rawSocket(bench.port)
    let byteCount = 0
    socket.on('data', (bytes: Buffer) => {
      byteCount += bytes.length
      answered.set(deviceId, (byteCount - connackBytes) / 4)
    })
    socket.write(connectFrame(deviceId))
    await until(() => answered.get(deviceId) === 0)
    return socket
  }
  const greedy = await open('REF-1')
  const modest = await open('REF-2')
  greedy.write(Buffer.concat(Array.from({ length: 16 }, (_, n) => publishFrame('REF-1', n))))
  await until(() => bench.log.bounds(0).endOffset > 0)
  modest.write(publishFrame('REF-2', 1))
  await until(() => answered.get('REF-2') === 1)
  expect(answered.get('REF-1')).toBeLessThan(6)
  await until(() => answered.get('REF-1') === 16)
  expect(bench.log.bounds(0).endOffset).toBe(17)
})

test('clients that are sent away take no places: the next ones are let in at the full rate', () => {
  const attempts = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 5, maxLength: 40 })
  fc.assert(
    fc.property(attempts, (perSecond) => {
      const limits = { ...defaultLimits, connectionsPerSecond: 100, maxDelayMs: 2_000 }
      const throttle = new Throttle(limits, new Counters(), 0)
      let letIn = 0
      let expected = 0
      // Places that are free: a burst of one second, and two seconds that may be waited.
      let free = 300
      for (const [second, count] of perSecond.entries()) {
        if (second > 0) free = Math.min(300, free + 100)
        for (let i = 0; i < count; i++) {
          if (throttle.connection(second * 1_000) <= limits.maxDelayMs) letIn += 1
        }
        expected += Math.min(free, count)
        free -= Math.min(free, count)
      }
      expect(Math.abs(letIn - expected)).toBeLessThanOrEqual(perSecond.length)
    }),
  )
})
