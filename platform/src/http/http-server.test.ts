import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { tokenHash } from './authentication.ts'
import { healthSchema } from './schemas/health-schema.ts'
import { alertRow, deviceRow, type TemporaryServer, temporaryServer } from './test-support.ts'

let test: TemporaryServer | undefined

afterEach(async () => {
  await test?.remove()
  test = undefined
})

const secret = 'a-token-that-nobody-else-has'

const tokens = {
  kind: 'tokens',
  tokens: [
    {
      sha256: tokenHash(secret),
      identity: { id: 'ann', name: 'Ann', role: 'technician', siteIds: ['SITE-1'] },
    },
    { sha256: tokenHash('data'), identity: { id: 'dan', name: 'Dan', role: 'data_engineer' } },
  ],
} as const

const as = (token: string) => ({ authorization: `Bearer ${token}` })

describe('who may in', () => {
  it('is everybody on this machine in open mode, as one named operator', async () => {
    test = await temporaryServer()
    expect((await test.get('/api/v1/me')).body).toMatchObject({
      actor_id: 'local-operator',
      role: 'operator_lead',
      authentication: 'open',
    })
  })
  it('open mode refuses an address that others can reach', async () => {
    test = await temporaryServer()
    await expect(test.server.listen({ host: '0.0.0.0', port: 0 })).rejects.toThrow(/127\.0\.0\.1/)
  })
  it('open mode refuses foreign pages and names that are not this machine', async () => {
    test = await temporaryServer()
    const foreign = await test.get('/api/v1/me', { origin: 'https://evil.example' })
    expect(foreign).toMatchObject({ status: 403, body: { found: 'evil.example' } })
    const rebound = await test.get('/api/v1/me', { host: 'rebound.example' })
    expect(rebound).toMatchObject({ status: 403, body: { where: 'header Host' } })
    const own = await test.get('/api/v1/me', {
      host: '127.0.0.1:8080',
      origin: 'http://127.0.0.1:8080',
    })
    expect(own.status).toBe(200)
  })
  it('is nobody without a known token, and the answer repeats no token', async () => {
    test = await temporaryServer({ authentication: tokens })
    for (const headers of [{}, as('wrong-token'), { authorization: `Basic ${secret}` }]) {
      const { status, body } = await test.get('/api/v1/fleet', headers)
      expect(status).toBe(401)
      expect(JSON.stringify(body)).not.toMatch(/wrong-token|nobody-else/)
    }
    expect((await test.get('/api/v1/fleet', as(secret))).status).toBe(200)
    expect((await test.server.app.inject('/metrics')).statusCode).toBe(401)
    expect((await test.server.app.inject('/healthz')).statusCode).toBe(200)
  })
  it('sees only the own sites, OBJ-32', async () => {
    test = await temporaryServer({ authentication: tokens })
    await test.state.registry.upsert([
      deviceRow('UNIT-1'),
      deviceRow('UNIT-2', { site_id: 'SITE-2' }),
    ])
    await test.addAlerts(
      alertRow('own'),
      alertRow('other', { device_id: 'UNIT-2', site_id: 'SITE-2' }),
    )
    const list = await test.get('/api/v1/alerts', as(secret))
    expect(list.body.alerts.map(({ alert_id: id }: { alert_id: string }) => id)).toEqual(['own'])
    expect((await test.get('/api/v1/alerts/other', as(secret))).status).toBe(404)
    expect((await test.get('/api/v1/alerts?site=SITE-2', as(secret))).body.alerts).toEqual([])
    expect((await test.get('/api/v1/devices/UNIT-2', as(secret))).status).toBe(404)
    expect((await test.get('/api/v1/overview', as(secret))).body.device_id).toEqual(['UNIT-1'])
  })
})

describe('queries', () => {
  const ask = (sql: string, more: object = {}) =>
    test?.post('/api/v1/query', { sql, ...more }, as('data'))

  it('answer a SELECT within their bounds', async () => {
    test = await temporaryServer({ authentication: tokens })
    const answer = await ask('SELECT i FROM range(50) AS t(i)', { max_rows: 10 })
    expect(answer).toMatchObject({ status: 200, body: { is_truncated: true } })
    expect(answer?.body.rows).toHaveLength(10)
    expect((await test.post('/api/v1/query', { sql: 'SELECT 1' }, as(secret))).status).toBe(403)
  })
  it('refuse to write, to read other files and to run for ever', async () => {
    test = await temporaryServer({ authentication: tokens })
    const bad = [
      'DELETE FROM clean_sensor_readings',
      "COPY (SELECT 1) TO '/tmp/x.csv'",
      "SELECT * FROM read_csv('/etc/passwd')",
      'SELECT 1; SELECT 2',
      'SELECT * FROM nothing',
    ]
    for (const sql of bad) expect([sql, (await ask(sql))?.status]).toEqual([sql, 400])
    const slow = 'SELECT sum(a.i * b.i) FROM range(100000000) a(i), range(100000000) b(i)'
    const stopped = await ask(slow, { timeout_ms: 200 })
    expect(stopped?.status).toBe(400)
    expect(stopped?.body.detail).toContain('0.2 s')
  })
})

describe('answers', () => {
  it('carry the headers that keep a browser safe', async () => {
    test = await temporaryServer()
    const { headers } = await test.get('/api/v1/fleet')
    expect(headers['content-security-policy']).toContain("default-src 'none'")
    expect(headers['content-security-policy']).not.toContain('unsafe')
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    })
    expect(headers['access-control-allow-origin']).toBeUndefined()
  })
  it('are problem documents for everything that goes wrong, RFC 9457', async () => {
    test = await temporaryServer()
    const missing = await test.get('/api/v1/nothing')
    expect(missing.status).toBe(404)
    expect(missing.headers['content-type']).toContain('application/problem+json')
    expect(missing.body).toMatchObject({ type: '/problems/not-found', instance: '/api/v1/nothing' })
    const text = await test.server.app.inject({
      method: 'POST',
      url: '/api/v1/alerts/a/actions/acknowledge',
      headers: { 'content-type': 'text/plain' },
      payload: '{}',
    })
    expect(text.statusCode).toBe(415)
    const broken = await test.server.app.inject({
      method: 'POST',
      url: '/api/v1/query',
      headers: { 'content-type': 'application/json' },
      payload: '{"sql":',
    })
    expect(broken.statusCode).toBe(400)
  })
  it('say nothing about the inside when the server itself fails', async () => {
    test = await temporaryServer({
      components: () => {
        throw new Error('secret path /srv/keys')
      },
    })
    const { status, body } = await test.get('/api/v1/health')
    expect(status).toBe(500)
    expect(JSON.stringify(body)).not.toContain('/srv/keys')
    expect(body.request_id).toBeTypeOf('string')
    expect(test.failures).toHaveLength(1)
  })
  it('are compressed when large and asked for', async () => {
    test = await temporaryServer()
    await test.state.registry.upsert(
      Array.from({ length: 300 }, (_, index) => deviceRow(`UNIT-${index}`)),
    )
    const headers = { 'accept-encoding': 'gzip' }
    const answer = await test.server.app.inject({ url: '/api/v1/overview', headers })
    expect(answer.headers['content-encoding']).toBe('gzip')
    expect(answer.rawPayload.length).toBeLessThan(3000)
  })
})

describe('health and metrics', () => {
  it('tell the freshness of every table and the state of every part', async () => {
    const components = [{ name: 'gateway', state: 'failed' as const, detail: 'port in use' }]
    test = await temporaryServer({ components: () => components, metrics: () => ['up 1'] })
    await test.state.registry.upsert([deviceRow('UNIT-1')])
    const view = healthSchema.parse((await test.get('/api/v1/health')).body)
    expect(view).toMatchObject({ status: 'failed', score_state: 'none', newest_reading_at: null })
    expect(view.tables.map(({ table }) => table)).toContain('clean_sensor_readings')
    expect((await test.server.app.inject('/readyz')).statusCode).toBe(503)
    const metrics = await test.server.app.inject('/metrics')
    expect(metrics.body).toMatch(/^up 1$/m)
    expect(metrics.body).toContain('isotherm_http_request_duration_seconds_count')
  })
})

describe('the OpenAPI document', () => {
  it('describes every operation with its input, its answer and its problems', async () => {
    test = await temporaryServer()
    const { body } = await test.get('/api/openapi.json')
    expect(body.openapi).toBe('3.1.0')
    const paths = Object.keys(body.paths)
    expect(paths).toContain('/api/v1/alerts/{alert_id}/actions/false-positive')
    expect(paths).toContain('/api/v1/devices/{device_id}/readings')
    const { get } = body.paths['/api/v1/devices/{device_id}/readings']
    const names = get.parameters.map(({ name }: { name: string }) => name)
    expect(names).toEqual(['device_id', 'from', 'to', 'points'])
    const { post } = body.paths['/api/v1/alerts/{alert_id}/actions/resolve']
    expect(JSON.stringify(post.requestBody)).toContain('NO_FAULT_FOUND')
    expect(JSON.stringify(body)).not.toContain('undefined')
  })
})

describe('the console’s files', () => {
  it('are served with hashed assets for ever and the page for every page address', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'isotherm-console-'))
    mkdirSync(join(directory, 'assets'))
    writeFileSync(join(directory, 'index.html'), '<!doctype html><title>Isotherm</title>')
    writeFileSync(join(directory, 'assets', 'index-1a2b.js'), 'export {}')
    test = await temporaryServer({ consoleDirectory: directory })
    const page = { accept: 'text/html' }
    for (const url of ['/', '/fleet', '/devices/REF-1?range=7d']) {
      const answer = await test.server.app.inject({ url, headers: page })
      expect([url, answer.statusCode]).toEqual([url, 200])
      expect(answer.headers['cache-control']).toBe('no-cache')
      expect(answer.body).toContain('<title>Isotherm</title>')
    }
    const asset = await test.server.app.inject('/assets/index-1a2b.js')
    expect(asset.headers['cache-control']).toContain('immutable')
    const gone = await test.server.app.inject({ url: '/assets/gone.js', headers: page })
    expect(gone.statusCode).toBe(404)
    const api = await test.server.app.inject({ url: '/api/v1/nothing', headers: page })
    expect(api.statusCode).toBe(404)
    const outside = await test.server.app.inject('/assets/../../../etc/passwd')
    expect(outside.statusCode).toBe(404)
    rmSync(directory, { recursive: true, force: true })
  })
  it('say what to run when they were not built', async () => {
    test = await temporaryServer({ consoleDirectory: '/nowhere' })
    const answer = await test.server.app.inject({ url: '/', headers: { accept: 'text/html' } })
    expect(answer.json()).toMatchObject({
      status: 404,
      what_to_do: expect.stringContaining('build:console'),
    })
  })
})
