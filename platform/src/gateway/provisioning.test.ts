import { createHmac } from 'node:crypto'
import Fastify from 'fastify'
import { connect, type MqttClient } from 'mqtt'
import { afterEach, beforeAll, expect, onTestFinished, test } from 'vitest'
import { openState } from '../objects/index.ts'
import { type KeyPair, makeCertificate } from './certificate-test-support.ts'
import { createGateway } from './gateway.ts'
import { ingestRoutes } from './http-ingest.ts'
import { cleanUp, opened, start, until } from './mqtt-test-support.ts'
import { benchHost, noRates, testFleet } from './test-support.ts'

afterEach(cleanUp)

const nowMs = Date.now()
const groupKey = Buffer.alloc(64, 5).toString('base64')
const keys = { primaryKey: groupKey, secondaryKey: Buffer.alloc(64, 6).toString('base64') }
const group = {
  enrollmentId: 'fridges',
  kind: 'group',
  attestation: { kind: 'symmetric_key' },
  isEnabled: true,
  reprovision: 'migrate',
} as const
let server: KeyPair

beforeAll(async () => {
  server = await makeCertificate({ commonName: 'localhost', nowMs, isAuthority: true })
})

/** A gateway whose directory and provisioning are one state store. */
async function startProvisioning() {
  const clock = Date.now
  const state = await openState({ path: ':memory:', secretKey: new Uint8Array(32), clock })
  const { log } = await start({ deviceIds: [] })
  const gateway = createGateway({
    log,
    clock,
    fleet: testFleet,
    directory: state.credentials.identity,
    hub: state,
    provisioning: state.enrollments,
    hostNames: [benchHost],
    limits: noRates,
  })
  const tls = { cert: server.cert, key: server.key }
  const { port } = await gateway.listenMqtt({ port: 0, host: '127.0.0.1', tls })
  const app = Fastify()
  ingestRoutes(app, gateway)
  onTestFinished(async () => {
    await app.close()
    await gateway.close()
    await state.close()
  })
  return { state, port, app, idScope: state.enrollments.idScope }
}

function keyOf(registrationId: string, from = groupKey): string {
  return createHmac('sha256', Buffer.from(from, 'base64')).update(registrationId).digest('base64')
}

function token(resource: string, key: string): string {
  const expiry = Math.floor(Date.now() / 1_000) + 3_600
  const signature = createHmac('sha256', Buffer.from(key, 'base64'))
    .update(`${resource}\n${expiry}`)
    .digest('base64')
  const encoded = encodeURIComponent(signature)
  return `SharedAccessSignature sr=${resource}&sig=${encoded}&se=${expiry}&skn=registration`
}

type Login = {
  readonly port: number
  readonly idScope: string
  readonly registrationId: string
  readonly key?: string
  readonly certificate?: KeyPair
}

/** A client on its way to a registration; rejects with the code it is refused with. */
async function registrant(login: Login): Promise<MqttClient> {
  const { port, idScope, registrationId, key, certificate } = login
  const client = connect(`mqtts://127.0.0.1:${port}`, {
    clientId: registrationId,
    username: `${idScope}/registrations/${registrationId}/api-version=2019-03-31&ClientVersion=x`,
    ...(key !== undefined && {
      password: token(`${idScope}/registrations/${registrationId}`, key),
    }),
    ...(certificate !== undefined && { cert: certificate.cert, key: certificate.key }),
    rejectUnauthorized: false,
    reconnectPeriod: 0,
  })
  opened(client)
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve())
    client.once('error', reject)
    client.once('close', () => reject(new Error('closed')))
  })
  return client
}

/** Registers as a device does: asks, and asks again for the outcome. */
async function register(login: Login) {
  const client = await registrant(login)
  const answers: { topic: string; body: Record<string, unknown> }[] = []
  client.on('message', (topic, payload) =>
    answers.push({ topic, body: JSON.parse(payload.toString()) }),
  )
  await client.subscribeAsync('$dps/registrations/res/#', { qos: 1 })
  const asked = '$dps/registrations/PUT/iotdps-register/?$rid=r-1'
  await client.publishAsync(asked, '{}', { qos: 1 })
  await until(() => answers.length === 1)
  const [first] = answers
  if (first?.topic.startsWith('$dps/registrations/res/202/?$rid=r-1&retry-after=') !== true) {
    await client.endAsync()
    return first
  }
  const operation = `operationId=${String(first.body.operationId)}`
  client.publish(`$dps/registrations/GET/iotdps-get-operationstatus/?$rid=r-2&${operation}`, ' ')
  await until(() => answers.length === 2)
  await client.endAsync()
  return answers[1]
}

test('a device of a group registers over MQTT, connects with its key, and keeps its id', async () => {
  const bench = await startProvisioning()
  const initialTwin = { desired: { target: 4 }, tags: { hall: 'B' } }
  await bench.state.enrollments.put({ ...group, initialTwin }, keys)
  const login = { ...bench, registrationId: 'sn-007', key: keyOf('sn-007') }
  const first = await register(login)
  expect(first?.topic).toBe('$dps/registrations/res/200/?$rid=r-2')
  expect(first?.body).toMatchObject({
    status: 'assigned',
    registrationState: {
      registrationId: 'sn-007',
      deviceId: 'sn-007',
      assignedHub: benchHost,
      status: 'assigned',
      substatus: 'initialAssignment',
    },
  })
  const { credentials } = bench.state.credentials.identity.device('sn-007') ?? {}
  expect(credentials).toMatchObject([{ kind: 'sas', primaryKey: keyOf('sn-007') }])
  expect(await bench.state.twins.document('sn-007')).toMatchObject({
    tags: { hall: 'B' },
    properties: { desired: { target: 4 } },
  })
  await bench.state.twins.update('sn-007', { tags: { hall: 'C' } })
  const again = await register(login)
  expect(again?.body).toMatchObject({
    registrationState: { deviceId: 'sn-007', substatus: 'deviceDataMigrated' },
  })
  expect((await bench.state.twins.document('sn-007')).tags).toEqual({ hall: 'C' })
  await bench.state.enrollments.put({ ...group, initialTwin, reprovision: 'reset' })
  const reset = await register(login)
  expect(reset?.body).toMatchObject({ registrationState: { substatus: 'deviceDataReset' } })
  expect((await bench.state.twins.document('sn-007')).tags).toEqual({ hall: 'B' })
})

test('who may not register is refused, and nothing is registered', async () => {
  const bench = await startProvisioning()
  await bench.state.enrollments.put(group, keys)
  const right = { ...bench, registrationId: 'sn-1', key: keyOf('sn-1') }
  const attempts: readonly (readonly [Partial<Login>, number])[] = [
    [{ key: keyOf('sn-2') }, 5],
    [{ key: groupKey }, 5],
    [{ idScope: '0neOTHER' }, 5],
    [{ registrationId: 'a b' }, 2],
  ]
  for (const [changes, code] of attempts) {
    await expect(registrant({ ...right, ...changes })).rejects.toMatchObject({ code })
  }
  await bench.state.enrollments.put({ ...group, isEnabled: false })
  await expect(registrant(right)).rejects.toMatchObject({ code: 5 })
  await bench.state.enrollments.remove('fridges')
  await expect(registrant(right)).rejects.toMatchObject({ code: 5 })
  expect(bench.state.registry.devices()).toEqual([])
})

test('a group does not take over a device that came another way; an individual one may', async () => {
  const bench = await startProvisioning()
  await bench.state.enrollments.put(group, keys)
  const own = { ...group, enrollmentId: 'sn-9', kind: 'individual', deviceId: 'PUMP-9' } as const
  await bench.state.enrollments.put(own, keys)
  expect((await register({ ...bench, registrationId: 'sn-9', key: groupKey }))?.body).toMatchObject(
    {
      registrationState: { deviceId: 'PUMP-9' },
    },
  )
  // The group's key does not open an individual enrollment, not even a disabled one.
  await bench.state.enrollments.put({ ...own, isEnabled: false })
  const derived = { ...bench, registrationId: 'sn-9', key: keyOf('sn-9') }
  await expect(registrant(derived)).rejects.toMatchObject({ code: 5 })
  const thief = { ...bench, registrationId: 'PUMP-9', key: keyOf('PUMP-9') }
  expect(await register(thief)).toMatchObject({
    topic: '$dps/registrations/res/409/?$rid=r-1',
    body: { errorCode: 409_001 },
  })
})

test('certificates register: by thumbprint for one device, by authority for a group', async () => {
  const bench = await startProvisioning()
  const root = await makeCertificate({ commonName: 'Fleet root', nowMs, isAuthority: true })
  const leaf = await makeCertificate({ commonName: 'cold-1', nowMs, issuer: root })
  const other = await makeCertificate({ commonName: 'cold-1', nowMs, isAuthority: true })
  const attestation = { kind: 'x509_ca', certificate: root.cert } as const
  await bench.state.enrollments.put({ ...group, attestation })
  const login = { ...bench, registrationId: 'cold-1', certificate: leaf }
  expect((await register(login))?.body).toMatchObject({
    registrationState: { deviceId: 'cold-1' },
  })
  const { credentials } = bench.state.credentials.identity.device('cold-1') ?? {}
  expect(credentials).toMatchObject([{ kind: 'x509_thumbprint' }])
  await expect(registrant({ ...login, certificate: other })).rejects.toMatchObject({ code: 5 })
  await expect(registrant({ ...login, registrationId: 'cold-2' })).rejects.toMatchObject({
    code: 5,
  })
})

test('the same over HTTPS: register, poll, look up', async () => {
  const { state, app, idScope } = await startProvisioning()
  await state.enrollments.put({ ...group, reprovision: 'never' }, keys)
  const path = `/${idScope}/registrations/sn-5`
  const call = (method: 'PUT' | 'GET' | 'POST', what: string, key = keyOf('sn-5')) =>
    app.inject({
      method,
      url: `${path}${what}?api-version=2019-03-31`,
      headers: { authorization: token(`${idScope}/registrations/sn-5`, key) },
    })
  expect((await call('POST', '')).statusCode).toBe(404)
  const asked = await call('PUT', '/register')
  expect(asked.statusCode).toBe(202)
  expect(asked.headers['retry-after']).toBe('1')
  const { operationId } = asked.json()
  const polled = await call('GET', `/operations/${operationId}`)
  expect(polled.json()).toMatchObject({ registrationState: { deviceId: 'sn-5' } })
  expect((await call('GET', '/operations/other')).statusCode).toBe(404)
  const before = await state.enrollments.registration('sn-5')
  await call('PUT', '/register')
  expect(await state.enrollments.registration('sn-5')).toEqual(before)
  expect((await call('POST', '')).json()).toMatchObject({ deviceId: 'sn-5', status: 'assigned' })
  expect((await call('PUT', '/register', keyOf('sn-6'))).statusCode).toBe(401)
})
