import { afterEach, expect, test } from 'vitest'
import { openLog } from '../log/index.ts'
import {
  cleanUp,
  connectFrame,
  ended,
  publishFrame,
  rawSocket,
  start,
  until,
} from './mqtt-test-support.ts'
import { recordsOf } from './test-support.ts'

afterEach(cleanUp)

const connackBytes = 4
const pubackBytes = 4

/** Connects, sends what is not acknowledged with a window of four, and returns when it is cut off. */
async function sendUntilCut(
  port: number,
  deviceId: string,
  count: number,
  acknowledged: Set<number>,
): Promise<void> {
  const socket = await rawSocket(port)
  const waiting = Array.from({ length: count }, (_, n) => n).filter((n) => !acknowledged.has(n))
  let pending = Buffer.alloc(0)
  let isGreeted = false
  const sendNext = (howMany: number) => {
    const frames = waiting.splice(0, howMany).map((n) => publishFrame(deviceId, n))
    if (frames.length > 0) socket.write(Buffer.concat(frames))
  }
  socket.on('data', (bytes: Buffer) => {
    pending = Buffer.concat([pending, bytes])
    if (!isGreeted && pending.length >= connackBytes) {
      isGreeted = true
      pending = pending.subarray(connackBytes)
      sendNext(4)
    }
    while (pending.length >= pubackBytes) {
      acknowledged.add(pending.readUInt16BE(2) - 1)
      pending = pending.subarray(pubackBytes)
      sendNext(1)
    }
    if (acknowledged.size === count) socket.destroy()
  })
  socket.write(connectFrame(deviceId))
  await ended(socket)
}

test('closing answers at once what is durable, also where a throttle would still delay it', async () => {
  const bench = await start({
    deviceIds: ['REF-1'],
    limits: { deviceMessagesPerSecond: 1, deviceBurst: 1 },
  })
  const acknowledged = new Set<number>()
  const sent = sendUntilCut(bench.port, 'REF-1', 6, acknowledged)
  await until(() => bench.log.bounds(0).endOffset >= 4)
  expect(acknowledged.size).toBeLessThan(4)
  await bench.gateway.close()
  await sent
  const stored = bench.log.bounds(0).endOffset
  expect([...acknowledged].toSorted()).toEqual(Array.from({ length: stored }, (_, n) => n))
})

test('after a restart under load each message is there once, although the new gateway knows no old ids', async () => {
  const deviceIds = Array.from({ length: 20 }, (_, n) => `REF-${n}`)
  const count = 200
  const first = await start({ deviceIds })
  const acknowledged = deviceIds.map(() => new Set<number>())
  const sendAll = (port: number) =>
    Promise.all(
      deviceIds.map((id, k) => sendUntilCut(port, id, count, acknowledged[k] ?? new Set())),
    )
  const sending = sendAll(first.port)
  await until(() => first.log.bounds(0).endOffset > 500)
  await first.gateway.close()
  await sending
  const stored = first.log.bounds(0).endOffset
  const answered = acknowledged.reduce((sum, { size }) => sum + size, 0)
  expect(answered).toBe(stored)
  expect(stored).toBeLessThan(deviceIds.length * count)
  await first.log.close()

  const second = await start({
    deviceIds,
    log: () => openLog({ directory: first.folder, clock: Date.now, tickMs: 1 }),
  })
  await sendAll(second.port)
  const ids = (await recordsOf(second.log)).map(({ eventId }) => eventId)
  expect(ids).toHaveLength(deviceIds.length * count)
  expect(new Set(ids).size).toBe(ids.length)
})
