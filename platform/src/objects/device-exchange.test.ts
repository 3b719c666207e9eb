import { expect, it, onTestFinished } from 'vitest'
import { type HubDevice, hubDeviceSchema } from './hub-device.ts'
import { temporaryState } from './test-support.ts'

async function opened() {
  const store = await temporaryState()
  onTestFinished(store.remove)
  return store.state
}

const key = (byte: number) => Buffer.alloc(32, byte).toString('base64')

/** Lines as IoT Hub writes them. */
const lines: readonly HubDevice[] = [
  {
    id: 'sas-1',
    eTag: 'MA==',
    status: 'enabled',
    statusReason: 'commissioned',
    authentication: {
      type: 'sas',
      symmetricKey: { primaryKey: key(1), secondaryKey: key(2) },
      x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
    },
    twinETag: 'AAAAAAAAAAc=',
    tags: { site_id: 'NORTH-7', floor: { level: 3 } },
    properties: {
      desired: { interval: 60, $metadata: { $lastUpdated: '2026-01-01T00:00:00Z' }, $version: 4 },
      reported: { fan: 'on', $metadata: { $lastUpdated: '2026-01-02T00:00:00Z' }, $version: 9 },
    },
    capabilities: { iotEdge: false },
  },
  {
    id: 'thumb-1',
    eTag: 'MQ==',
    status: 'disabled',
    authentication: {
      type: 'selfSigned',
      x509Thumbprint: { primaryThumbprint: 'AB'.repeat(20), secondaryThumbprint: 'CD'.repeat(20) },
    },
  },
  { id: 'ca-1', status: 'enabled', authentication: { type: 'certificateAuthority' } },
  { id: 'none-1', status: 'enabled', authentication: { type: 'none' } },
].map((line) => hubDeviceSchema.parse(line))

const all = { limit: 100, withKeys: true }

it("takes over an IoT Hub's registry: keys, thumbprints, status, tags, properties", async () => {
  const { exchange, registry, credentials, twins } = await opened()
  const outcomes = await exchange.importDevices(lines, { model: 'CF-200' })
  expect(outcomes.map(({ result }) => result)).toEqual(lines.map(() => 'created'))
  expect(registry.device('sas-1')).toMatchObject({ site_id: 'NORTH-7', model: 'CF-200' })
  expect(registry.device('thumb-1')?.status).toBe('disabled')
  expect(credentials.identity.device('ca-1')?.credentials).toEqual([{ kind: 'x509_ca' }])
  const twin = JSON.parse(await twins.propertiesOf('sas-1'))
  expect(twin).toEqual({
    desired: { interval: 60, $version: 4 },
    reported: { fan: 'on', $version: 9 },
  })
  const exported = await exchange.exportDevices(all)
  const byId = new Map(exported.map((device) => [device.id, device]))
  for (const line of lines) {
    const { twinETag: _etag, ...same } = line
    expect(byId.get(line.id)).toMatchObject(same)
  }
})

it('an export imported elsewhere is exported equal, and imported again changes nothing', async () => {
  const from = await opened()
  await from.exchange.importDevices(lines, { site_name: 'North' })
  await from.credentials.set([
    {
      deviceId: 'none-1',
      credential: { kind: 'password', username: 'u', passwordHash: 'h', topics: ['a/b'] },
    },
  ])
  const exported = await from.exchange.exportDevices(all)
  const to = await opened()
  const text = exported.map((device) => JSON.stringify(device))
  const parsed = text.map((line) => hubDeviceSchema.parse(JSON.parse(line)))
  await to.exchange.importDevices(parsed, {})
  expect(await to.exchange.exportDevices(all)).toEqual(exported)
  const version = to.registry.version()
  const again = parsed.map((device) => ({ ...device, tags: null, properties: null }))
  await to.exchange.importDevices(again, {})
  expect(to.registry.version()).toBe(version)
  expect(await to.exchange.exportDevices(all)).toEqual(exported)
})

it('shows no secret unless asked for', async () => {
  const { exchange } = await opened()
  await exchange.importDevices(lines, {})
  const text = JSON.stringify(await exchange.exportDevices({ ...all, withKeys: false }))
  expect(text).not.toContain(key(1))
  expect(text).not.toContain(key(2))
  expect(text).toContain('AB'.repeat(20))
})

it('does what each import mode says, and a bad line costs no other', async () => {
  const { exchange, registry } = await opened()
  const at = (id: string, more: Partial<HubDevice> = {}): HubDevice => ({ id, ...more })
  const results = async (...devices: readonly HubDevice[]) =>
    (await exchange.importDevices(devices, {})).map(({ result }) => result)
  expect(await results(at('a', { importMode: 'create', eTag: 'MQ==' }), at('a'))).toEqual([
    'created',
    'failed',
  ])
  expect(
    await results(
      at('a', { importMode: 'create' }),
      at('b', { importMode: 'update' }),
      at('c/d'),
      at('e', { moduleId: 'm' }),
      at('f', { authentication: { type: 'selfSigned' } }),
      at('g', { tags: { 'bad.key': 1 } }),
      at('h'),
    ),
  ).toEqual(['failed', 'failed', 'failed', 'failed', 'failed', 'failed', 'created'])
  expect(registry.devices().map(({ device_id: id }) => id)).toEqual(['a', 'h'])
  const mode = { importMode: 'updateIfMatchETag' } as const
  expect(await results(at('a', { ...mode, eTag: 'OTk=' }))).toEqual(['failed'])
  expect(await results(at('a', { ...mode, eTag: 'MQ==', status: 'disabled' }))).toEqual(['updated'])
  expect(registry.device('a')?.status).toBe('disabled')
  expect(await results(at('a', { importMode: 'updateTwin', tags: { x: 1 } }))).toEqual(['updated'])
  expect(await results(at('a', { importMode: 'delete' }))).toEqual(['deleted'])
  expect(registry.device('a')?.status).toBe('decommissioned')
})

it('keeps keys on an update that does not speak of them, and makes missing ones', async () => {
  const { exchange, credentials } = await opened()
  await exchange.importDevices([{ id: 'a' }], {})
  const made = credentials.identity.device('a')?.credentials
  expect(made).toMatchObject([{ kind: 'sas' }])
  await exchange.importDevices([{ id: 'a', status: 'disabled' }], {})
  expect(credentials.identity.device('a')?.credentials).toEqual(made)
  const withoutKeys = await exchange.exportDevices({ ...all, withKeys: false })
  await exchange.importDevices(withoutKeys, {})
  expect(credentials.identity.device('a')?.credentials).toEqual(made)
})
