import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { gzipSync } from 'node:zlib'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, expect, test } from 'vitest'
import type { BatchVerdict } from './collector-batch.ts'
import { ingestRoutes } from './http-ingest.ts'
import {
  type Bench,
  benchKeys,
  benchMessage,
  hubLogin,
  openBench,
  testDevice,
} from './test-support.ts'

const nowMs = Date.UTC(2026, 5, 1)
const benches: Bench[] = []
const servers: FastifyInstance[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
  for (const bench of benches.splice(0)) await bench.close()
})

type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

async function start(options: Partial<Parameters<typeof openBench>[0]> = {}) {
  const bench = openBench({ deviceIds: ['REF-1', 'REF-2'], clock: () => nowMs, ...options })
  benches.push(bench)
  const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex')
  bench.directory.setCollector({
    collectorId: 'site',
    tokenHash: hashOf('live'),
    mayBackdate: false,
  })
  bench.directory.setCollector({
    collectorId: 'importer',
    tokenHash: hashOf('past'),
    mayBackdate: true,
  })
  const app = Fastify()
  servers.push(app)
  ingestRoutes(app, bench.gateway)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const address = app.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const post = (
    path: string,
    body: string | Buffer,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = request(
        { port, host: '127.0.0.1', method: 'POST', path, headers },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text: Buffer.concat(chunks).toString(),
            }),
          )
        },
      )
      sent.on('error', reject)
      sent.end(body)
    })
  return { ...bench, post }
}

const live = { authorization: 'Bearer live', 'content-type': 'application/x-ndjson' }
const past = { authorization: 'Bearer past', 'x-isotherm-time': 'event' }
const deviceAuth = (deviceId: string) => ({ authorization: hubLogin(deviceId).password })
const verdictOf = ({ text }: Answer): BatchVerdict => JSON.parse(text) as BatchVerdict

test('one message of a device is stored before the 204, with its message id', async () => {
  const bench = await start()
  const answer = await bench.post('/devices/REF-1/messages/events', benchMessage('REF-1', 1), {
    ...deviceAuth('REF-1'),
    'iothub-messageid': 'm-1',
  })
  expect(answer.status).toBe(204)
  const [record] = await bench.records()
  expect(record).toMatchObject({
    deviceId: 'REF-1',
    messageId: 'm-1',
    protocol: 'https',
    ingestedAtMs: nowMs,
    body: { kind: 'readable' },
  })
})

test('a device may only send as itself, with a valid token, while it is active', async () => {
  const bench = await start()
  bench.directory.set({
    device: testDevice('REF-3', { status: 'disabled' }),
    credentials: [benchKeys],
  })
  const attempts: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['REF-1', {}],
    ['REF-1', deviceAuth('REF-2')],
    ['REF-3', deviceAuth('REF-3')],
    ['REF-9', deviceAuth('REF-9')],
    ['REF-1', live],
    ['REF%201', deviceAuth('REF 1')],
  ]
  for (const [deviceId, headers] of attempts) {
    const path = `/devices/${deviceId}/messages/events`
    expect((await bench.post(path, benchMessage('REF-1', 1), headers)).status).toBe(401)
  }
  expect(bench.log.bounds(0).endOffset).toBe(0)
})

test('a batch is NDJSON or an array, packed or not; its verdict names every refused line', async () => {
  const bench = await start()
  const lines = [
    benchMessage('REF-1', 1),
    '{"device_id":"REF-1",',
    '',
    benchMessage('REF-2', 2),
    benchMessage('REF-1', 3).replace('3}', '"x"}'),
    '[7]',
    '{"device_id":"a b","timestamp":"2026-01-01T00:00:00Z","readings":{}}',
  ]
  const expected = [
    [2, 'INVALID_JSON'],
    [5, 'TYPE_MISMATCH'],
    [6, 'TYPE_MISMATCH'],
    [7, 'IDENTITY_MISMATCH'],
  ]
  const body = `${lines.join('\r\n')}\n`
  for (const [sent, headers] of [
    [body, live],
    [gzipSync(body), { ...live, 'content-encoding': 'gzip' }],
  ] as const) {
    const answer = await bench.post('/messages/batch', sent, headers)
    expect(answer.status).toBe(200)
    const verdict = verdictOf(answer)
    expect(verdict.accepted).toBe(2)
    expect(verdict.refused.map(({ line, reason }) => [line, reason])).toEqual(expected)
  }
  const array = `\n[ ${benchMessage('REF-1', 1)} , {"x":"],[\\"{"} ,\n${benchMessage('REF-2', 2)}]\n`
  const verdict = verdictOf(await bench.post('/messages/batch', array, live))
  expect(verdict.accepted).toBe(2)
  expect(verdict.refused).toMatchObject([{ line: 2, reason: 'MISSING_REQUIRED_FIELD' }])
  const records = await bench.records()
  // Of a repeated batch only what could not be read is kept again.
  expect(records.length).toBe(6 + 4 + 1)
  expect(records.filter(({ body: { kind } }) => kind === 'refused').length).toBe(4 + 4 + 1)
  // A repeated batch repeats its event ids, ING-10.
  const refused = records.filter(({ body: { kind } }) => kind === 'refused')
  expect(refused.slice(4, 8).map(({ eventId }) => eventId)).toEqual(
    refused.slice(0, 4).map(({ eventId }) => eventId),
  )
  expect(records[5]?.deviceId).toBe('')
})

test('an empty batch is an empty verdict', async () => {
  const bench = await start()
  for (const body of ['', '\n\n', '[]', ' [ ] ']) {
    expect(verdictOf(await bench.post('/messages/batch', body, live))).toEqual({
      accepted: 0,
      refusedCount: 0,
      refused: [],
    })
  }
})

test('an array that cannot be taken apart is refused whole', async () => {
  const bench = await start()
  for (const body of [
    '[',
    `[${benchMessage('REF-1', 1)}`,
    '[1,,2]',
    '[1,]',
    '[}]',
    '[1] x',
    '["a',
  ]) {
    const answer = await bench.post('/messages/batch', body, live)
    expect(`${body}: ${answer.status}`).toBe(`${body}: 400`)
  }
  expect(bench.log.bounds(0).endOffset).toBe(0)
})

test('unknown devices of a collector land for quarantine, disabled ones are refused, ING-25', async () => {
  const bench = await start()
  bench.directory.set({
    device: testDevice('REF-3', { status: 'decommissioned' }),
    credentials: [],
  })
  const body = [benchMessage('REF-77', 1), benchMessage('REF-3', 2)].join('\n')
  const verdict = verdictOf(await bench.post('/messages/batch', body, live))
  expect(verdict.accepted).toBe(1)
  expect(verdict.refused).toMatchObject([
    { line: 2, reason: 'IDENTITY_MISMATCH', detail: expect.stringMatching(/decommissioned/) },
  ])
})

test('only a collector that may backdate stamps messages with their own time', async () => {
  const bench = await start()
  const timestamp = '2025-01-01T00:00:00Z'
  const at = (fields: string): string =>
    `{"device_id":"REF-1","timestamp":"${timestamp}","readings":{"current":1}${fields}}`
  const body = [at(''), at(',"sent_at":"2025-01-01T00:05:00Z"'), at('').replace('2025', '2099')]
  const refused = await bench.post('/messages/batch', body.join('\n'), {
    ...live,
    'x-isotherm-time': 'event',
  })
  expect(refused.status).toBe(403)
  const answer = await bench.post('/messages/batch', body.join('\n'), past)
  expect(verdictOf(answer).accepted).toBe(3)
  const records = await bench.records()
  expect(records.map(({ ingestedAtMs }) => ingestedAtMs)).toEqual([
    Date.parse(timestamp),
    Date.parse(timestamp) + 300_000,
    nowMs,
  ])
  expect(records.map(({ protocol }) => protocol)).toEqual(['import', 'import', 'import'])
})

test('too large, badly packed and unauthorised bodies are refused before they are stored', async () => {
  const bench = await start({ limits: { maxBodyBytes: 1_000_000 } })
  const post = bench.post
  expect((await post('/messages/batch', 'x', {})).status).toBe(401)
  expect((await post('/messages/batch', 'x', { authorization: 'Bearer no' })).status).toBe(401)
  expect((await post('/messages/batch', Buffer.alloc(1_000_001), live)).status).toBe(413)
  const bomb = gzipSync(Buffer.alloc(50_000_000, 0x20))
  const packed = { ...live, 'content-encoding': 'gzip' }
  expect((await post('/messages/batch', bomb, packed)).status).toBe(413)
  expect((await post('/messages/batch', 'no gzip', packed)).status).toBe(400)
  const unknown = { ...live, 'content-encoding': 'br' }
  expect((await post('/messages/batch', 'x', unknown)).status).toBe(415)
  expect(bench.log.bounds(0).endOffset).toBe(0)
})

test('a payload above 256 KB is a dead letter with its first 256 KB', async () => {
  const bench = await start()
  const huge = Buffer.alloc(300_000, 0x61)
  const single = await bench.post('/devices/REF-1/messages/events', huge, deviceAuth('REF-1'))
  expect(single.status).toBe(413)
  const body = Buffer.concat([huge, Buffer.from(`\n${benchMessage('REF-1', 1)}`)])
  const verdict = verdictOf(await bench.post('/messages/batch', body, live))
  expect(verdict).toMatchObject({
    accepted: 1,
    refused: [{ line: 1, reason: 'PAYLOAD_TOO_LARGE' }],
  })
  const kept = (await bench.records()).filter(({ body: { kind } }) => kind === 'refused')
  expect(kept.map(({ body: { payload } }) => payload.length)).toEqual([262_144, 262_144])
})

test('over the limit the answer is 429 with the time to wait, ING-12', async () => {
  const bench = await start({
    limits: { deviceMessagesPerSecond: 1, deviceBurst: 2, deploymentBurst: 100 },
  })
  const path = '/devices/REF-1/messages/events'
  const statuses: number[] = []
  for (let n = 0; n < 3; n++) {
    const answer = await bench.post(path, benchMessage('REF-1', n), deviceAuth('REF-1'))
    statuses.push(answer.status)
    if (n === 2) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
  }
  expect(statuses).toEqual([204, 204, 429])
  const batch = Array.from({ length: 200 }, (_, n) => benchMessage('REF-2', n)).join('\n')
  expect((await bench.post('/messages/batch', batch, live)).status).toBe(200)
  expect((await bench.post('/messages/batch', batch, live)).status).toBe(429)
  expect((await bench.post('/messages/batch', batch, past)).status).toBe(200)
})

test('while the log takes nothing the answer is 503, and nothing is half stored', async () => {
  const bench = await start()
  await bench.log.close()
  const answer = await bench.post('/messages/batch', benchMessage('REF-1', 1), live)
  expect(answer.status).toBe(503)
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
})
