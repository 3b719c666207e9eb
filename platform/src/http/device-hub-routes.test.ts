import { expect, onTestFinished, test } from 'vitest'
import type { MethodCall, MethodOutcome } from '../contracts/index.ts'
import { tokenHash } from './authentication.ts'
import type { HttpServerOptions } from './http-server.ts'
import { deviceRow, temporaryServer } from './test-support.ts'

async function start(changes: Partial<HttpServerOptions> = {}) {
  const server = await temporaryServer(changes)
  onTestFinished(async () => {
    expect(server.failures).toEqual([])
    await server.remove()
  })
  await server.state.registry.upsert([deviceRow('UNIT-1'), deviceRow('UNIT-2')])
  const send = async (
    method: 'PATCH' | 'PUT' | 'DELETE',
    url: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) => {
    const response = await server.server.app.inject({
      method,
      url,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { payload: JSON.stringify(body) }),
    })
    return { status: response.statusCode, body: response.json() }
  }
  return { ...server, send }
}

const messages = '/api/v1/devices/UNIT-1/messages'

test('messages are queued, listed, refused beyond fifty and purged, with feedback', async () => {
  const { post, get, send } = await start()
  const first = await post(messages, { body: 'go', message_id: 'm-1', ack: 'full' })
  expect(first).toMatchObject({ status: 200, body: { message_id: 'm-1', ack: 'full' } })
  for (let n = 1; n < 50; n++) await post(messages, { body_base64: 'AAEC' })
  const over = await post(messages, { body: 'x' })
  expect(over).toMatchObject({ status: 403, body: { found: '50' } })
  expect((await get(messages)).body.messages).toHaveLength(50)
  expect((await send('DELETE', messages)).body).toEqual({ purged_count: 50 })
  const { body } = await get('/api/v1/message-feedback')
  expect(body.feedback).toMatchObject([
    { message_id: 'm-1', device_id: 'UNIT-1', status: 'Purged' },
  ])
  const next = await get(`/api/v1/message-feedback?after=${body.feedback[0].feedback_id}`)
  expect(next.body.feedback).toEqual([])
})

test('messages that cannot be are refused with a reason', async () => {
  const { post } = await start()
  const wrong: readonly (readonly [string, unknown, number])[] = [
    [messages, { body: 'a', body_base64: 'AA==' }, 400],
    [messages, { body: 'a', time_to_live_s: 1 }, 400],
    [messages, { body: 'x'.repeat(65_537) }, 400],
    [messages, { body: 'a', unknown: 1 }, 400],
    ['/api/v1/devices/NOBODY/messages', { body: 'a' }, 404],
  ]
  for (const [path, body, status] of wrong) expect((await post(path, body)).status).toBe(status)
})

test('a twin is read and changed under both paths, and a stale ETag changes nothing', async () => {
  const { get, send } = await start()
  const { body: fresh } = await get('/twins/UNIT-1?api-version=2021-04-12')
  expect(fresh).toMatchObject({ deviceId: 'UNIT-1', tags: {}, properties: { reported: {} } })
  const changed = await send(
    'PATCH',
    '/twins/UNIT-1?api-version=2021-04-12',
    { tags: { hall: 'B' }, properties: { desired: { target: 4 } } },
    { 'if-match': `"${fresh.etag}"` },
  )
  expect(changed).toMatchObject({
    status: 200,
    body: { tags: { hall: 'B' }, properties: { desired: { target: 4, $version: 2 } } },
  })
  const path = '/api/v1/devices/UNIT-1/twin'
  const stale = await send('PATCH', path, { tags: {} }, { 'if-match': fresh.etag })
  expect(stale).toMatchObject({ status: 412, body: { expected: changed.body.etag } })
  const replaced = await send('PUT', path, { properties: { desired: { mode: 'eco' } } })
  expect(replaced.body.properties.desired).toMatchObject({ mode: 'eco', $version: 3 })
  expect(replaced.body.properties.desired.target).toBeUndefined()
  expect(replaced.body.tags).toEqual({ hall: 'B' })
  const bad = await send('PATCH', path, { properties: { desired: { 'a.b': 1 } } })
  expect(bad).toMatchObject({ status: 400 })
  const large = { tags: { a: 'x'.repeat(4_000), b: 'x'.repeat(4_000), c: 'x'.repeat(4_000) } }
  expect((await send('PATCH', path, large)).status).toBe(413)
})

test('a method is called with its time-outs, and each outcome has its status', async () => {
  const calls: MethodCall[] = []
  let outcome: MethodOutcome = { kind: 'answered', status: 201, payload: '{"ok":true}' }
  const { post } = await start({
    callMethod: async (_deviceId, call) => {
      calls.push(call)
      return outcome
    },
  })
  const path = '/twins/UNIT-1/methods?api-version=2021-04-12'
  const body = { methodName: 'reboot', responseTimeoutInSeconds: 7, payload: { delay: 3 } }
  expect(await post(path, body)).toMatchObject({
    status: 200,
    body: { status: 201, payload: { ok: true } },
  })
  expect(calls).toEqual([
    {
      methodName: 'reboot',
      payload: '{"delay":3}',
      responseTimeoutMs: 7_000,
      connectTimeoutMs: 0,
    },
  ])
  const statuses: readonly (readonly [MethodOutcome, number])[] = [
    [{ kind: 'offline' }, 404],
    [{ kind: 'no answer', waitedMs: 7_000 }, 504],
    [{ kind: 'busy' }, 429],
  ]
  for (const [next, status] of statuses) {
    outcome = next
    expect((await post('/api/v1/devices/UNIT-1/methods', body)).status).toBe(status)
  }
  expect((await post(path, { methodName: 'a/b' })).status).toBe(400)
  const large = { methodName: 'm', payload: 'x'.repeat(131_073) }
  expect((await post(path, large)).status).toBe(413)
})

test('who only looks may not command, and other sites look empty', async () => {
  const { get, post } = await start({
    authentication: {
      kind: 'tokens',
      tokens: [
        { sha256: tokenHash('look'), identity: { id: 'v', name: 'v', role: 'viewer' } },
        {
          sha256: tokenHash('other'),
          identity: { id: 'o', name: 'o', role: 'operator', siteIds: ['SITE-9'] },
        },
      ],
    },
  })
  const look = { authorization: 'Bearer look' }
  expect((await get('/twins/UNIT-1', look)).status).toBe(200)
  expect((await post(messages, { body: 'a' }, look)).status).toBe(403)
  const other = { authorization: 'Bearer other' }
  expect((await get('/twins/UNIT-1', other)).status).toBe(404)
  expect((await post(messages, { body: 'a' }, other)).status).toBe(404)
})
