import Fastify from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { openState } from '../objects/index.ts'
import { ingestRoutes } from './http-ingest.ts'
import { benchMessage, hubLogin, openBench } from './test-support.ts'

async function start() {
  const time = { nowMs: Date.UTC(2026, 5, 1) }
  const clock = () => time.nowMs
  const state = await openState({ path: ':memory:', secretKey: new Uint8Array(32), clock })
  const limits = { deviceMessagesPerSecond: 1, deviceBurst: 100 }
  const bench = openBench({ deviceIds: ['REF-1', 'REF-2'], clock, hub: state, limits })
  const app = Fastify()
  ingestRoutes(app, bench.gateway)
  await app.ready()
  onTestFinished(async () => {
    await app.close()
    await bench.close()
    await state.close()
  })
  const call = async (
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    more: { readonly body?: string; readonly headers?: Record<string, string> } = {},
    deviceId = 'REF-1',
  ) => {
    const { password } = hubLogin(deviceId)
    const { body, headers = {} } = more
    return app.inject({
      method,
      url: `/devices/REF-1/messages/${path}`,
      headers: { authorization: password, ...headers },
      ...(body !== undefined && { payload: body }),
    })
  }
  return { ...bench, state, time, call }
}

const batchType = { 'content-type': 'application/vnd.microsoft.iothub.json' }
const encoded = (text: string) => Buffer.from(text).toString('base64')

test('a batch of IoT Hub is stored whole, with the ids it names', async () => {
  const bench = await start()
  const messages = [
    { body: encoded(benchMessage('REF-1', 1)), properties: { 'iothub-app-p': 'v' } },
    { body: encoded(benchMessage('REF-1', 2)), properties: { 'IoTHub-MessageId': 'm-2' } },
    { body: benchMessage('REF-1', 3), base64Encoded: false },
  ]
  const body = JSON.stringify(messages)
  expect((await bench.call('POST', 'events', { body, headers: batchType })).statusCode).toBe(204)
  const records = await bench.records()
  expect(records.map(({ messageId }) => messageId)).toEqual([undefined, 'm-2', undefined])
  expect(records.map(({ body: { kind } }) => kind)).toEqual(['readable', 'readable', 'readable'])
})

test('a batch that is none, too large, over the rate or of another device stores nothing', async () => {
  const bench = await start()
  const one = { body: encoded(benchMessage('REF-1', 1)) }
  const cases: readonly (readonly [string, number, string?])[] = [
    ['{', 400],
    ['{}', 400],
    ['[{"properties":{}}]', 400],
    ['[3]', 400],
    [JSON.stringify([{ body: 'A'.repeat(262_144) }]), 413],
    [JSON.stringify([one]), 401, 'REF-2'],
  ]
  for (const [body, status, deviceId] of cases) {
    const answer = await bench.call('POST', 'events', { body, headers: batchType }, deviceId)
    expect([body.slice(0, 20), answer.statusCode]).toEqual([body.slice(0, 20), status])
  }
  expect(bench.log.bounds(0).endOffset).toBe(0)
  const many = JSON.stringify(
    Array.from({ length: 150 }, (_, n) => ({ body: encoded(benchMessage('REF-1', n)) })),
  )
  expect((await bench.call('POST', 'events', { body: many, headers: batchType })).statusCode).toBe(
    204,
  )
  const over = await bench.call('POST', 'events', { body: many, headers: batchType })
  expect(over.statusCode).toBe(429)
  expect(Number(over.headers['retry-after'])).toBeGreaterThan(0)
  expect(bench.log.bounds(0).endOffset).toBe(150)
})

test('a message to the device is received, given back, received again and completed', async () => {
  const { state, call } = await start()
  expect((await call('GET', 'devicebound')).statusCode).toBe(204)
  const properties = { level: 'high', 'größe (m)': 'ä' }
  await state.messages.enqueue('REF-1', {
    messageId: 'm-1',
    correlationId: 'c-1',
    payload: Buffer.from('go'),
    properties,
  })
  const first = await call('GET', 'devicebound')
  expect(first.statusCode).toBe(200)
  expect(first.body).toBe('go')
  expect(first.headers).toMatchObject({
    'iothub-messageid': 'm-1',
    'iothub-correlationid': 'c-1',
    'iothub-deliverycount': '0',
    'iothub-app-level': 'high',
    [`iothub-app-${encodeURIComponent('größe ')}%28m%29`.toLowerCase()]: encodeURIComponent('ä'),
  })
  expect(first.headers.etag).toMatch(/^".+"$/)
  expect((await call('GET', 'devicebound')).statusCode).toBe(204)
  const token = String(first.headers.etag).slice(1, -1)
  expect((await call('POST', `devicebound/${token}/abandon`)).statusCode).toBe(204)
  const second = await call('GET', 'devicebound')
  const again = String(second.headers.etag).slice(1, -1)
  expect((await call('DELETE', `devicebound/${token}`)).statusCode).toBe(412)
  const wrong = { headers: { 'if-match': token } }
  expect((await call('DELETE', `devicebound/${again}`, wrong)).statusCode).toBe(412)
  const right = { headers: { 'if-match': again } }
  expect((await call('DELETE', `devicebound/${again}`, right)).statusCode).toBe(204)
  expect(state.messages.hasPending('REF-1')).toBe(false)
})

test('a lock ends after a minute, a rejected message is gone, strangers get nothing', async () => {
  const { state, time, call } = await start()
  await state.messages.enqueue('REF-1', { payload: Buffer.from('x'), ack: 'negative' })
  const first = await call('GET', 'devicebound')
  time.nowMs += 60_000
  const token = String(first.headers.etag).slice(1, -1)
  expect((await call('DELETE', `devicebound/${token}`)).statusCode).toBe(412)
  const second = await call('GET', 'devicebound')
  const again = String(second.headers.etag).slice(1, -1)
  expect((await call('DELETE', `devicebound/${again}?reject`, {}, 'REF-2')).statusCode).toBe(401)
  expect((await call('DELETE', `devicebound/${again}?reject`)).statusCode).toBe(204)
  expect(await state.messages.feedbackAfter(0)).toMatchObject([{ statusCode: 'Rejected' }])
  expect((await call('GET', 'devicebound', {}, 'REF-2')).statusCode).toBe(401)
})
