import { X509Certificate } from 'node:crypto'
import { connectAsync, type MqttClient } from 'mqtt'
import { afterEach, beforeAll, expect, test } from 'vitest'
import type { Credential } from '../contracts/index.ts'
import { authorityOf, type KeyPair, makeCertificate } from './certificate-test-support.ts'
import { certificateNames } from './client-certificate.ts'
import { cleanUp, client, closed, opened, start, topicOf } from './mqtt-test-support.ts'
import { hashPassword } from './password.ts'
import { benchHost, benchKeys, benchMessage, hubLogin, testDevice } from './test-support.ts'

const nowMs = Date.now()
const namesOf = ({ cert }: KeyPair) => certificateNames(new X509Certificate(cert))
const byAuthority: readonly Credential[] = [{ kind: 'x509_ca' }]
let server: KeyPair
let root: KeyPair

beforeAll(async () => {
  server = await makeCertificate({ commonName: 'localhost', nowMs, isAuthority: true })
  root = await makeCertificate({ commonName: 'Fleet root', nowMs, isAuthority: true })
})
afterEach(cleanUp)

async function startTls() {
  const bench = await start({ deviceIds: ['REF-1', 'REF-2'] })
  const { port } = await bench.gateway.listenMqtt({ port: 0, host: '127.0.0.1', tls: server })
  return { ...bench, port }
}

async function enter(port: number, pair: KeyPair, deviceId = 'REF-1'): Promise<MqttClient> {
  const device = await connectAsync(`mqtts://127.0.0.1:${port}`, {
    ...pair,
    clientId: deviceId,
    username: `${benchHost}/${deviceId}/?api-version=2021-04-12`,
    rejectUnauthorized: false,
    reconnectPeriod: 0,
  })
  opened(device)
  return device
}

const refused = expect.objectContaining({ code: 5 })

test('a device enters with either of its two certificates, by SHA-1 or SHA-256, and sends', async () => {
  const bench = await startTls()
  const [first, second, third] = await Promise.all(
    ['a', 'b', 'c'].map((commonName) => makeCertificate({ commonName, nowMs })),
  )
  if (first === undefined || second === undefined || third === undefined) throw new Error('none')
  const credential: Credential = {
    kind: 'x509_thumbprint',
    primaryThumbprint: namesOf(first).sha256,
    secondaryThumbprint: namesOf(second).sha1,
  }
  bench.directory.set({ device: testDevice('REF-1'), credentials: [credential] })
  await (await enter(bench.port, first)).endAsync()
  const device = await enter(bench.port, second)
  await device.publishAsync(topicOf('REF-1'), benchMessage('REF-1', 1), { qos: 1 })
  expect(await bench.records()).toHaveLength(1)
  await expect(enter(bench.port, third)).rejects.toEqual(refused)
  await expect(enter(bench.port, first, 'REF-2')).rejects.toEqual(refused)
})

test('a certificate of a registered authority proves the device its CN names, over an issuer', async () => {
  const bench = await startTls()
  const middle = await makeCertificate({
    commonName: 'Factory',
    nowMs,
    isAuthority: true,
    issuer: root,
  })
  const direct = await makeCertificate({ commonName: 'REF-1', nowMs, issuer: root })
  const made = await makeCertificate({ commonName: 'REF-1', nowMs, issuer: middle })
  const indirect = { key: made.key, cert: `${made.cert}\n${middle.cert}` }
  for (const id of ['REF-1', 'REF-2']) {
    bench.directory.set({ device: testDevice(id), credentials: byAuthority })
  }
  await expect(enter(bench.port, direct)).rejects.toEqual(refused)
  bench.directory.setAuthorities([authorityOf(root)])
  await (await enter(bench.port, direct)).endAsync()
  await (await enter(bench.port, indirect)).endAsync()
  await expect(enter(bench.port, made)).rejects.toEqual(refused)
  await expect(enter(bench.port, direct, 'REF-2')).rejects.toEqual(refused)
})

test('certificates of a namesake authority, expired ones, server ones and leaves that issue are refused', async () => {
  const bench = await startTls()
  bench.directory.set({ device: testDevice('REF-1'), credentials: byAuthority })
  bench.directory.setAuthorities([authorityOf(root)])
  const commonName = 'REF-1'
  const stranger = await makeCertificate({ commonName: 'Fleet root', nowMs, isAuthority: true })
  const leaf = await makeCertificate({ commonName: 'REF-2', nowMs, issuer: root })
  const byLeaf = await makeCertificate({ commonName, nowMs, issuer: leaf })
  const wrong = [
    await makeCertificate({ commonName, nowMs, issuer: stranger }),
    await makeCertificate({ commonName, nowMs, issuer: root, validDays: [-9, -1] }),
    await makeCertificate({ commonName, nowMs, issuer: root, validDays: [1, 9] }),
    await makeCertificate({ commonName, nowMs, issuer: root, usage: 'serverAuth' }),
    { key: byLeaf.key, cert: `${byLeaf.cert}\n${leaf.cert}` },
    await makeCertificate({ commonName, nowMs }),
  ]
  for (const pair of wrong) await expect(enter(bench.port, pair)).rejects.toEqual(refused)
  const right = await makeCertificate({ commonName, nowMs, issuer: root, usage: 'clientAuth' })
  expect((await enter(bench.port, right)).connected).toBe(true)
})

test('a revoked serial number, a revoked issuer and a removed authority end the session', async () => {
  const bench = await startTls()
  bench.directory.set({ device: testDevice('REF-1'), credentials: byAuthority })
  const pair = await makeCertificate({ commonName: 'REF-1', nowMs, issuer: root })
  const cases = [
    () => bench.directory.setAuthorities([]),
    () => bench.directory.revokeCertificate(namesOf(pair).serialNumber),
    () => bench.directory.revokeCertificate(namesOf(root).sha256),
  ]
  bench.directory.setAuthorities([authorityOf(root)])
  for (const end of cases) {
    const other = await makeCertificate({ commonName: 'REF-1', nowMs, issuer: root })
    bench.directory.setAuthorities([authorityOf(root)])
    const device = await enter(bench.port, end === cases[2] ? other : pair)
    end()
    await closed(device)
  }
  await expect(enter(bench.port, pair)).rejects.toEqual(refused)
})

test('changing the key a session does not rest on leaves it open, changing its own ends it', async () => {
  const bench = await start({ deviceIds: ['REF-1'] })
  const device = await client(bench.port, hubLogin('REF-1', benchKeys.primaryKey))
  const fresh = Buffer.alloc(32, 9).toString('base64')
  const set = (primaryKey: string, secondaryKey: string) =>
    bench.directory.set({
      device: testDevice('REF-1'),
      credentials: [{ kind: 'sas', primaryKey, secondaryKey }],
    })
  set(benchKeys.primaryKey, fresh)
  await device.publishAsync(topicOf('REF-1'), benchMessage('REF-1', 1), { qos: 1 })
  set(fresh, benchKeys.primaryKey)
  await device.publishAsync(topicOf('REF-1'), benchMessage('REF-1', 2), { qos: 1 })
  set(fresh, fresh)
  await closed(device)
})

test('a plain client sends on the topics it has of its own and on no others', async () => {
  const bench = await start({ deviceIds: ['REF-1'] })
  const passwordHash = await hashPassword('pump', new Uint8Array(16))
  const topics = ['plant/pump-1/data']
  bench.directory.set({
    device: testDevice('REF-1'),
    credentials: [{ kind: 'password', username: 'pump', passwordHash, topics }],
  })
  const login = { clientId: 'x', username: 'pump', password: 'pump' }
  const device = await client(bench.port, login)
  await device.publishAsync('plant/pump-1/data', benchMessage('REF-1', 1), { qos: 1 })
  expect(await bench.records()).toMatchObject([{ deviceId: 'REF-1', body: { kind: 'readable' } }])
  device.publish('plant/pump-2/data', benchMessage('REF-1', 2), { qos: 1 })
  await closed(device)
  expect(await bench.records()).toHaveLength(1)
})
