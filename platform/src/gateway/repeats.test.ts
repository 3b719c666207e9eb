import Fastify from 'fastify'
import { afterEach, expect, test } from 'vitest'
import { IsothermError } from '../contracts/index.ts'
import { openLog, type SegmentLog } from '../log/index.ts'
import { ingestRoutes } from './http-ingest.ts'
import { cleanUp, client, start, topicOf } from './mqtt-test-support.ts'
import { benchMessage, hubLogin } from './test-support.ts'

afterEach(cleanUp)

const send = (n: number) => benchMessage('REF-1', n)

test('a repeat is acknowledged and counted, and stored once, whether durable or in flight', async () => {
  const bench = await start({ deviceIds: ['REF-1'] })
  const device = await client(bench.port, hubLogin('REF-1'))
  const publish = (n: number) =>
    device.publishAsync(topicOf('REF-1', `%24.mid=m-${n}`), send(n), { qos: 1 })
  const numbers = Array.from({ length: 300 }, (_, i) => Math.floor(i / 3))
  await Promise.all(numbers.map(publish))
  await Promise.all(numbers.map(publish))
  expect(await bench.records()).toHaveLength(100)
  expect(bench.metric('gateway_messages_received_total')).toBe(600)
  expect(bench.metric('gateway_messages_stored_total')).toBe(100)
  expect(bench.metric('gateway_messages_duplicate_total')).toBe(500)
})

test('the same text under another message id or time is another message', async () => {
  const bench = await start({ deviceIds: ['REF-1'] })
  const device = await client(bench.port, hubLogin('REF-1'))
  for (const id of ['a', 'b', 'c']) {
    await device.publishAsync(topicOf('REF-1', `%24.mid=${id}`), send(1), { qos: 1 })
  }
  await device.publishAsync(topicOf('REF-1'), send(1), { qos: 1 })
  await device.publishAsync(topicOf('REF-1'), send(2), { qos: 1 })
  expect(await bench.records()).toHaveLength(5)
})

test('messages that cannot be read all count, also when they are equal', async () => {
  const bench = await start({ deviceIds: ['REF-1'] })
  const device = await client(bench.port, hubLogin('REF-1'))
  for (let n = 0; n < 3; n++) await device.publishAsync(topicOf('REF-1'), '{', { qos: 1 })
  expect(await bench.records()).toHaveLength(3)
  expect(bench.metric('gateway_messages_duplicate_total')).toBe(0)
})

test('over HTTP a repeat is answered 204 and stored once, also beside MQTT', async () => {
  const bench = await start({ deviceIds: ['REF-1'] })
  const app = Fastify()
  ingestRoutes(app, bench.gateway)
  const device = await client(bench.port, hubLogin('REF-1'))
  const post = () =>
    app.inject({
      method: 'POST',
      url: '/devices/REF-1/messages/events',
      headers: { authorization: hubLogin('REF-1').password },
      payload: send(1),
    })
  const answers = await Promise.all([
    post(),
    device.publishAsync(topicOf('REF-1'), send(1), { qos: 1 }),
    post(),
    post(),
  ])
  expect(
    answers.map((answer) => (answer && 'statusCode' in answer ? answer.statusCode : 'ack')),
  ).toEqual([204, 'ack', 204, 204])
  expect(await bench.records()).toHaveLength(1)
  await app.close()
})

test('while the disk is full neither a message nor its repeat is acknowledged, later both are', async () => {
  let isFull = true
  const bench = await start({
    deviceIds: ['REF-1'],
    log: (directory): SegmentLog => {
      const log = openLog({ directory, clock: Date.now, tickMs: 1 })
      const append: SegmentLog['append'] = async (records) => {
        if (isFull) throw new IsothermError('DISK_FULL', 'the disk of the test is full')
        await log.append(records)
      }
      return { ...log, append, recoveries: log.recoveries }
    },
  })
  const device = await client(bench.port, hubLogin('REF-1'))
  let acknowledged = 0
  const sends = [1, 1, 2].map(async (n) => {
    await device.publishAsync(topicOf('REF-1', `%24.mid=${n}`), send(n), { qos: 1 })
    acknowledged++
  })
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(acknowledged).toBe(0)
  isFull = false
  await Promise.all(sends)
  expect(await bench.records()).toHaveLength(2)
})
