import Fastify from 'fastify'
import { afterEach, expect, test } from 'vitest'
import { type DoorBooks, type DoorNote, IsothermError, type NewRecord } from '../contracts/index.ts'
import { ingestRoutes } from './http-ingest.ts'
import { cleanUp, client, start, topicOf } from './mqtt-test-support.ts'
import { benchMessage, hubLogin } from './test-support.ts'

afterEach(cleanUp)

function keptBooks(note?: DoorBooks['note']) {
  const stored: NewRecord[] = []
  const notes: DoorNote[] = []
  const books: DoorBooks = {
    stored: (records) => void stored.push(...records),
    note: async (added) => {
      await note?.(added)
      notes.push(...added)
    },
  }
  const count = (kind: DoorNote['kind']) =>
    notes.reduce((sum, one) => sum + (one.kind === kind ? one.count : 0), 0)
  return { books, stored, count }
}

test('every message that is answered is in the books: stored, refused or a repeat', async () => {
  const { books, stored, count } = keptBooks()
  const bench = await start({ deviceIds: ['REF-1'], books })
  const device = await client(bench.port, hubLogin('REF-1'))
  const bodies = [0, 1, 2, 0, 1, 2, 3].map((n) => benchMessage('REF-1', n))
  await Promise.all(
    [...bodies, '{', '{'].map((body) => device.publishAsync(topicOf('REF-1'), body, { qos: 1 })),
  )
  expect(stored.filter(({ body }) => body.kind === 'readable')).toHaveLength(4)
  expect(stored.filter(({ body }) => body.kind === 'refused')).toHaveLength(2)
  expect(count('DUPLICATE')).toBe(3)
  expect(await bench.records()).toHaveLength(6)
})

test('a repeat is not acknowledged before it is noted', async () => {
  const gate = Promise.withResolvers<void>()
  const { books, count } = keptBooks((notes) =>
    notes.length === 0 ? Promise.resolve() : gate.promise,
  )
  const bench = await start({ deviceIds: ['REF-1'], books })
  const device = await client(bench.port, hubLogin('REF-1'))
  const publish = () => device.publishAsync(topicOf('REF-1'), benchMessage('REF-1', 1), { qos: 1 })
  await publish()
  let isAnswered = false
  const repeated = publish().then(() => {
    isAnswered = true
  })
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(isAnswered).toBe(false)
  gate.resolve()
  await repeated
  expect(count('DUPLICATE')).toBe(1)
})

test('while notes find no room on the disk repeats wait, and are counted once afterwards', async () => {
  let refusals = 1
  const { books, stored, count } = keptBooks(async (notes) => {
    if (notes.length > 0 && refusals-- > 0) throw new IsothermError('DISK_FULL', 'no room')
  })
  const bench = await start({ deviceIds: ['REF-1'], books })
  const device = await client(bench.port, hubLogin('REF-1'))
  const publish = (n: number) =>
    device.publishAsync(topicOf('REF-1'), benchMessage('REF-1', n), { qos: 1 })
  await publish(1)
  await Promise.all([publish(1), publish(2)])
  expect(count('DUPLICATE')).toBe(1)
  expect(stored).toHaveLength(2)
  expect(await bench.records()).toHaveLength(2)
})

test('what is turned away for its rate is in the books before HTTP says so', async () => {
  const { books, stored, count } = keptBooks()
  const bench = await start({
    deviceIds: ['REF-1'],
    books,
    limits: { deviceMessagesPerSecond: 0.01, deviceBurst: 3, maxDelayMs: 50 },
  })
  const app = Fastify()
  ingestRoutes(app, bench.gateway)
  const answers: number[] = []
  for (let n = 0; n < 5; n++) {
    const { statusCode } = await app.inject({
      method: 'POST',
      url: '/devices/REF-1/messages/events',
      headers: { authorization: hubLogin('REF-1').password },
      payload: benchMessage('REF-1', n),
    })
    answers.push(statusCode)
  }
  expect(answers).toEqual([204, 204, 204, 429, 429])
  expect(count('OVER_RATE')).toBe(2)
  const device = await client(bench.port, hubLogin('REF-1'))
  const closed = new Promise<void>((resolve) => device.once('close', () => resolve()))
  device.publish(topicOf('REF-1'), benchMessage('REF-1', 9), { qos: 1 })
  await closed
  expect(count('OVER_RATE')).toBe(3)
  expect(stored).toHaveLength(3)
  await app.close()
})
