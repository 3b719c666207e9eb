import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createEventHub, type EventHub } from './event-hub.ts'
import { alertRow, deviceRow, type TemporaryServer, temporaryServer } from './test-support.ts'

const closers: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

type Client = { readonly text: () => string; readonly until: (wanted: RegExp) => Promise<string> }

function client(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Client> {
  return new Promise((resolve, reject) => {
    const call = request(url, { headers }, (response: IncomingMessage) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      // A hub that closes ends the stream abruptly; the test looks at what came before.
      response.on('error', () => undefined)
      const until = async (wanted: RegExp) => {
        while (!wanted.test(text)) await new Promise((again) => setTimeout(again, 5))
        return text
      }
      resolve({ text: () => text, until })
    })
    call.on('error', reject)
    call.end()
    closers.push(() => call.destroy())
  })
}

async function serveHub(hub: EventHub): Promise<string> {
  const server: Server = createServer((incoming, response: ServerResponse) => {
    const last = incoming.headers['last-event-id']
    hub.connect(response, typeof last === 'string' ? last : undefined, (event) => event)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    hub.close()
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

const run = (stage: string) => ({ kind: 'run', stage, outcome: 'ok', at: 'now' }) as const
const stages = (text: string) => [...text.matchAll(/"stage":"([^"]+)"/g)].map((match) => match[1])

describe('server-sent events', () => {
  it('reach every client in order', async () => {
    const hub = createEventHub({ epoch: 'e' })
    const url = await serveHub(hub)
    const clients = await Promise.all([client(url), client(url)])
    for (const one of clients) await one.until(/hello/)
    for (const stage of ['a', 'b', 'c']) hub.publish(run(stage))
    for (const one of clients) expect(stages(await one.until(/"c"/))).toEqual(['a', 'b', 'c'])
  })
  it('are made up for when a client comes back with the last id it saw', async () => {
    const hub = createEventHub({ epoch: 'e', historyCount: 3 })
    const url = await serveHub(hub)
    for (const stage of ['a', 'b', 'c', 'd', 'e']) hub.publish(run(stage))
    const recent = await client(url, { 'last-event-id': 'e-3' })
    expect(stages(await recent.until(/"e"/))).toEqual(['d', 'e'])
    const current = await client(url, { 'last-event-id': 'e-5' })
    expect(stages(await current.until(/hello/))).toEqual([])
    expect(current.text()).not.toContain('reset')
  })
  it('say `reset` when what was missed is no longer kept, or of another process', async () => {
    const hub = createEventHub({ epoch: 'e', historyCount: 3 })
    const url = await serveHub(hub)
    for (const stage of ['a', 'b', 'c', 'd', 'e']) hub.publish(run(stage))
    for (const last of ['e-1', 'other-5', 'e-99', 'nonsense']) {
      expect(await (await client(url, { 'last-event-id': last })).until(/reset/)).toContain('reset')
    }
  })
  it('are not kept for a client that does not read: it is dropped and counted', async () => {
    let dropped = 0
    const hub = createEventHub({
      epoch: 'e',
      maxUnreadBytes: 64 * 1024,
      onDropped: () => {
        dropped += 1
      },
    })
    const url = await serveHub(hub)
    const call = request(url, (response) => response.pause())
    call.on('error', () => undefined)
    call.end()
    closers.push(() => call.destroy())
    const reader = await client(url)
    await reader.until(/hello/)
    while (hub.clientCount() < 2) await new Promise((again) => setTimeout(again, 5))
    const long = 'x'.repeat(32 * 1024)
    for (let index = 0; index < 400 && dropped === 0; index++) {
      hub.publish(run(`${index} ${long}`))
      await new Promise((again) => setImmediate(again))
    }
    expect(dropped).toBe(1)
    expect(hub.clientCount()).toBe(1)
    hub.publish(run('after'))
    expect(await reader.until(/after/)).toContain('after')
  })
  it('turn clients away when there are too many', async () => {
    const hub = createEventHub({ epoch: 'e', maxClientCount: 1 })
    const url = await serveHub(hub)
    await (await client(url)).until(/hello/)
    expect((await fetch(url)).status).toBe(503)
  })
})

describe('the event stream of the API', () => {
  async function listening(changes: Parameters<typeof temporaryServer>[0] = {}) {
    const test: TemporaryServer = await temporaryServer(changes)
    closers.push(() => test.remove())
    await test.state.registry.upsert([deviceRow('UNIT-1')])
    const url = await test.server.listen({ host: '127.0.0.1', port: 0 })
    return { test, url: `${url}/api/v1/events` }
  }

  it('tells of a new alert and of what becomes of it', async () => {
    const { test, url } = await listening()
    const one = await client(url)
    await one.until(/hello/)
    await test.addAlerts(alertRow('a'))
    await one.until(/"status":"OPEN"/)
    await test.post('/api/v1/alerts/a/actions/acknowledge', { expected_version: 1 })
    expect(await one.until(/"status":"ACKNOWLEDGED"/)).toContain('"alert_id":"a"')
  })
  it('leaves out what happens on sites that a person does not cover', async () => {
    const identity = { id: 'ann', name: 'Ann', role: 'technician', siteIds: ['SITE-1'] } as const
    const { test, url } = await listening({ authentication: { kind: 'open', identity } })
    const one = await client(url)
    await one.until(/hello/)
    await test.addAlerts(alertRow('foreign', { site_id: 'SITE-2' }), alertRow('own'))
    await test.addAlerts(alertRow('foreign-too', { site_id: 'SITE-2', device_id: 'UNIT-2' }))
    test.server.publish(run('score'))
    expect(await one.until(/"stage":"score"/)).not.toContain('foreign')
    expect(one.text()).toContain('"alert_id":"own"')
  })
})
