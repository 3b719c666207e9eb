import { X509Certificate } from 'node:crypto'
import { request } from 'node:https'
import Fastify from 'fastify'
import { connectAsync } from 'mqtt'
import { afterEach, beforeAll, expect, onTestFinished, test } from 'vitest'
import { authorityOf, type KeyPair, makeCertificate } from './certificate-test-support.ts'
import { certificateNames } from './client-certificate.ts'
import { ingestRoutes } from './http-ingest.ts'
import { cleanUp, closed, opened, start, topicOf } from './mqtt-test-support.ts'
import { benchHost, benchMessage, hubLogin, testDevice } from './test-support.ts'

const nowMs = Date.now()
let server: KeyPair
let root: KeyPair
let own: KeyPair

beforeAll(async () => {
  server = await makeCertificate({ commonName: 'localhost', nowMs, isAuthority: true })
  root = await makeCertificate({ commonName: 'Fleet root', nowMs, isAuthority: true })
  own = await makeCertificate({ commonName: 'REF-1', nowMs, issuer: root })
})
afterEach(cleanUp)

/** The gateway behind an HTTPS server that asks for certificates, as the platform's own does. */
async function startWeb() {
  const bench = await start({ deviceIds: ['REF-1', 'REF-2'] })
  const https = { ...server, requestCert: true, rejectUnauthorized: false }
  const app = Fastify({ https, forceCloseConnections: true })
  onTestFinished(() => app.close())
  ingestRoutes(app as never, bench.gateway)
  bench.gateway.takeWebSockets(app.server)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const address = app.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  for (const id of ['REF-1', 'REF-2']) {
    bench.directory.set({ device: testDevice(id), credentials: [{ kind: 'x509_ca' }] })
  }
  bench.directory.setAuthorities([authorityOf(root)])
  return { ...bench, port }
}

function post(
  port: number,
  pair: KeyPair | undefined,
  headers: Readonly<Record<string, string>> = {},
  deviceId = 'REF-1',
): Promise<number> {
  const path = `/devices/${deviceId}/messages/events?api-version=2021-04-12`
  const target = { host: '127.0.0.1', port, path, rejectUnauthorized: false }
  return new Promise((resolve, reject) => {
    const sent = request(
      { ...target, ...pair, method: 'POST', headers, agent: false },
      (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      },
    )
    sent.on('error', reject)
    sent.end(benchMessage(deviceId, 1))
  })
}

async function enter(port: number, pair: KeyPair, deviceId = 'REF-1') {
  const client = await connectAsync(`wss://127.0.0.1:${port}/$iothub/websocket`, {
    ...pair,
    clientId: deviceId,
    username: `${benchHost}/${deviceId}/?api-version=2021-04-12`,
    rejectUnauthorized: false,
    reconnectPeriod: 0,
  })
  opened(client)
  return client
}

test('over HTTPS a device sends with its certificate alone, for itself alone', async () => {
  const bench = await startWeb()
  expect(await post(bench.port, own)).toBe(204)
  expect(await post(bench.port, own, {}, 'REF-2')).toBe(401)
  expect(await post(bench.port, undefined)).toBe(401)
  const stranger = await makeCertificate({ commonName: 'REF-1', nowMs })
  expect(await post(bench.port, stranger)).toBe(401)
  expect(await bench.records()).toMatchObject([{ deviceId: 'REF-1', protocol: 'https' }])
})

test('a token that is sent is what counts, also beside a good certificate', async () => {
  const bench = await startWeb()
  const authorization = hubLogin('REF-1').password
  expect(await post(bench.port, own, { authorization })).toBe(401)
  expect(await post(bench.port, own, { authorization: 'nonsense' })).toBe(401)
})

test('revoked between two requests, a certificate is refused', async () => {
  const bench = await startWeb()
  expect(await post(bench.port, own)).toBe(204)
  bench.directory.revokeCertificate(certificateNames(new X509Certificate(own.cert)).serialNumber)
  expect(await post(bench.port, own)).toBe(401)
})

test('over WebSocket a certificate opens the session, and revoking it ends it', async () => {
  const bench = await startWeb()
  await expect(enter(bench.port, own, 'REF-2')).rejects.toMatchObject({ code: 5 })
  const device = await enter(bench.port, own)
  await device.publishAsync(topicOf('REF-1'), benchMessage('REF-1', 1), { qos: 1 })
  expect(await bench.records()).toHaveLength(1)
  bench.directory.revokeCertificate(certificateNames(new X509Certificate(root.cert)).sha256)
  await closed(device)
})
