import { expect, onTestFinished, test } from 'vitest'
import type { PresenceEvent } from '../gateway/index.ts'
import { tokenHash } from './authentication.ts'
import type { HttpServerOptions } from './http-server.ts'
import { deviceRow, minuteMs, startMs, temporaryServer } from './test-support.ts'

async function start(changes: Partial<HttpServerOptions> = {}) {
  const server = await temporaryServer(changes)
  onTestFinished(async () => {
    expect(server.failures).toEqual([])
    await server.remove()
  })
  await server.state.registry.upsert([deviceRow('UNIT-1'), deviceRow('UNIT-2')])
  return server
}

const device = '/api/v1/devices/UNIT-1'
const helloHash = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'

test('every command is written down with who, what, when and its result', async () => {
  const outcomes = [
    { kind: 'answered', status: 200, payload: '{"done":true}' },
    { kind: 'offline' },
  ]
  const { post, get, server, state, time } = await start({
    callMethod: async () => (outcomes.shift() ?? { kind: 'busy' }) as never,
  })
  await post(`${device}/messages`, {
    body: 'hello',
    message_id: 'm-1',
    properties: { key: 'pass' },
  })
  time.nowMs += minuteMs
  await post(`${device}/methods`, { methodName: 'reboot', payload: { password: 'hunter2' } })
  await post(`${device}/methods`, { methodName: 'reboot' })
  await server.app.inject({
    method: 'PATCH',
    url: `${device}/twin`,
    payload: { properties: { desired: { setpoint: -18 } } },
  })
  await server.app.inject({
    method: 'PATCH',
    url: `${device}/twin`,
    payload: { tags: {} },
    headers: { 'if-match': '"old"' },
  })
  await server.app.inject({ method: 'DELETE', url: `${device}/messages` })
  const { body } = await get(`${device}/commands`)
  expect(body.commands).toMatchObject([
    { command: 'purge messages', result: 'ok', answer: { purged_count: 1 } },
    { command: 'change twin', result: 'conflict' },
    {
      command: 'change twin',
      result: 'ok',
      parameters: { desired: { setpoint: -18 } },
      answer: { desired_version: 2 },
    },
    {
      command: 'call method',
      result: 'failed',
      reason: 'UNIT-1 is not connected, or takes no method calls.',
    },
    {
      command: 'call method',
      result: 'ok',
      parameters: { method: 'reboot', size_bytes: 22 },
      answer: { status: 200 },
      asked_at: new Date(startMs + minuteMs).toISOString(),
    },
    {
      command: 'send message',
      by: 'local-operator',
      role: 'operator_lead',
      result: 'ok',
      parameters: { size_bytes: 5, sha256: helloHash, properties: ['key'] },
      answer: { message_id: 'm-1' },
    },
  ])
  const text = JSON.stringify(body)
  for (const secret of ['hello', 'hunter2', '"pass"']) expect(text).not.toContain(secret)
  expect(await state.alerts.checkAudit()).toEqual({ kind: 'intact', entryCount: 6 })
  expect((await get('/api/v1/devices/UNIT-2/commands')).body.commands).toEqual([])
})

test('a command of somebody who may give none is refused and written down', async () => {
  const { post, get } = await start({
    authentication: {
      kind: 'tokens',
      tokens: [
        {
          sha256: tokenHash('look'),
          identity: { id: 'eve', name: 'Eve', role: 'viewer' },
        },
        { sha256: tokenHash('lead'), identity: { id: 'ada', name: 'Ada', role: 'operator_lead' } },
      ],
    },
  })
  const refused = await post(
    `${device}/methods`,
    { methodName: 'reboot' },
    { authorization: 'Bearer look' },
  )
  expect(refused.status).toBe(403)
  const { body } = await get(`${device}/commands`, { authorization: 'Bearer lead' })
  expect(body.commands).toMatchObject([{ command: 'call method', by: 'eve', result: 'denied' }])
})

test('presence is told per device, as a list, and as one event for a sweep', async () => {
  const listeners = new Set<(event: PresenceEvent) => void>()
  const { get, server } = await start({
    onPresence: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  })
  const tell = (deviceId: string, kind: PresenceEvent['kind'], atMs: number) => {
    for (const listener of listeners) listener({ deviceId, kind, atMs })
  }
  const unknown = { connected: null, reporting: null, changed_at: null }
  expect((await get(`${device}/presence`)).body).toMatchObject(unknown)
  const address = await server.listen({ host: '127.0.0.1', port: 0 })
  const abort = new AbortController()
  onTestFinished(() => abort.abort())
  const stream = await fetch(`${address}/api/v1/events`, { signal: abort.signal })
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader()
  tell('UNIT-1', 'online', startMs)
  tell('UNIT-1', 'stopped reporting', startMs + 90_000)
  tell('UNIT-2', 'stopped reporting', startMs + 90_000)
  let text = ''
  while (!text.includes('event: presence')) text += (await reader?.read())?.value ?? ''
  while (!/event: presence\n[\s\S]*\n\n/.test(text)) text += (await reader?.read())?.value ?? ''
  expect(text).toContain('"count":3')
  expect(text).toContain('"kind":"stopped reporting"')
  expect((await get(`${device}/presence`)).body).toEqual({
    device_id: 'UNIT-1',
    connected: true,
    reporting: false,
    changed_at: new Date(startMs + 90_000).toISOString(),
  })
  const { body } = await get('/api/v1/presence?kind=stopped%20reporting')
  expect(body).toMatchObject({ connected: 1, silent: 2 })
  expect(body.events.map(({ device_id: id }: { device_id: string }) => id)).toEqual([
    'UNIT-2',
    'UNIT-1',
  ])
  expect((await get('/api/v1/devices/NOBODY/presence')).status).toBe(404)
})
