import { fdatasync, write } from 'node:fs'
import { promisify } from 'node:util'
import { connectAsync, type IClientOptions } from 'mqtt'
import selfsigned from 'selfsigned'
import { afterEach, expect, test } from 'vitest'
import { openLog } from '../log/index.ts'
import {
  cleanUp,
  client,
  closed,
  connectFrame,
  ended,
  opened,
  pressuresOf,
  rawSocket,
  reasonOf,
  start,
  topicOf,
  until,
} from './mqtt-test-support.ts'
import { hashPassword } from './password.ts'
import { benchKeys, benchMessage, hubLogin, testDevice } from './test-support.ts'

afterEach(cleanUp)

for (const protocolVersion of [4, 5] as const) {
  test(`MQTT ${protocolVersion}: QoS 1 messages are stored once, in order, before PUBACK`, async () => {
    const bench = await start({ deviceIds: ['REF-1'] })
    const device = await client(bench.port, { ...hubLogin('REF-1'), protocolVersion })
    const sends = Array.from({ length: 200 }, async (_, n) => {
      await device.publishAsync(topicOf('REF-1', `%24.mid=m-${n}`), benchMessage('REF-1', n), {
        qos: 1,
      })
      expect(bench.log.bounds(0).endOffset).toBeGreaterThan(n)
    })
    await Promise.all(sends)
    const records = await bench.records()
    expect(records.map(({ messageId }) => messageId)).toEqual(sends.map((_, n) => `m-${n}`))
    expect(await pressuresOf(bench)).toEqual(sends.map((_, n) => n))
    expect(records[0]).toMatchObject({
      deviceId: 'REF-1',
      protocol: protocolVersion === 5 ? 'mqtt5' : 'mqtt3',
      body: { kind: 'readable', format: 'wide', deviceTimeMs: Date.UTC(2026, 1, 15) },
    })
  })
}

test('QoS 0, a retained flag and a topic without property bag are taken', async () => {
  const bench = await start({ deviceIds: ['REF-1'] })
  const device = await client(bench.port, hubLogin('REF-1'))
  device.publish('devices/REF-1/messages/events', benchMessage('REF-1', 1), { qos: 0 })
  await device.publishAsync(topicOf('REF-1'), benchMessage('REF-1', 2), { qos: 1, retain: true })
  expect(await pressuresOf(bench)).toEqual([1, 2])
})

test('TLS clients are served, and plain text on a TLS port is not', async () => {
  const bench = await start({ deviceIds: ['REF-1'] })
  const pems = await selfsigned.generate([{ name: 'commonName', value: 'localhost' }], {
    keySize: 2048,
  })
  const { port } = await bench.gateway.listenMqtt({
    port: 0,
    host: '127.0.0.1',
    tls: { cert: pems.cert, key: pems.private },
  })
  const device = await connectAsync(`mqtts://127.0.0.1:${port}`, {
    ...hubLogin('REF-1'),
    rejectUnauthorized: false,
    reconnectPeriod: 0,
  })
  opened(device)
  await device.publishAsync(topicOf('REF-1'), benchMessage('REF-1', 7), { qos: 1 })
  expect(await pressuresOf(bench)).toEqual([7])
  const plain = await rawSocket(port)
  plain.resume()
  plain.write(connectFrame('REF-1'))
  await ended(plain)
  expect(bench.metric('gateway_connects_total', 'tls')).toBe(1)
})

test('a plain client with user name and password uses the same topic', async () => {
  const bench = await start({ deviceIds: [] })
  const passwordHash = await hashPassword('secret', Buffer.alloc(16, 3))
  bench.directory.set({
    device: testDevice('REF-9'),
    credentials: [{ kind: 'password', username: 'unit-9', passwordHash }],
  })
  const device = await client(bench.port, { clientId: '', username: 'unit-9', password: 'secret' })
  await device.publishAsync(topicOf('REF-9'), benchMessage('REF-9', 3), { qos: 1 })
  expect(await pressuresOf(bench)).toEqual([3])
  await expect(
    client(bench.port, { username: 'unit-9', password: 'wrong', protocolVersion: 5 }),
  ).rejects.toMatchObject({ code: 0x86 })
})

test('who may not connect is refused with the code devices act on, ING-4', async () => {
  const bench = await start({ deviceIds: ['REF-1', 'REF-2'] })
  bench.directory.set({
    device: testDevice('REF-3', { status: 'disabled' }),
    credentials: [benchKeys],
  })
  const wrongKey = Buffer.alloc(32, 9).toString('base64')
  const attempts: readonly (readonly [IClientOptions, number, number])[] = [
    [hubLogin('REF-1', wrongKey), 5, 0x87],
    [hubLogin('REF-3'), 5, 0x87],
    [hubLogin('REF-4'), 5, 0x87],
    [{ ...hubLogin('REF-1'), password: hubLogin('REF-2').password }, 5, 0x87],
    [{ ...hubLogin('REF-1'), clientId: 'REF-2' }, 2, 0x85],
    [{ ...hubLogin('REF-1'), username: 'REF-1' }, 4, 0x86],
    [{ clientId: 'REF-1' }, 4, 0x86],
  ]
  for (const [options, code4, code5] of attempts) {
    for (const [protocolVersion, code] of [
      [4, code4],
      [5, code5],
    ] as const) {
      await expect(client(bench.port, { ...options, protocolVersion })).rejects.toMatchObject({
        code,
      })
    }
  }
  await client(bench.port, hubLogin('REF-1', benchKeys.secondaryKey))
  expect(bench.log.bounds(0).endOffset).toBe(0)
})

test('a foreign topic and QoS 2 end the session and store nothing, ING-6', async () => {
  const bench = await start({ deviceIds: ['REF-1', 'REF-2'] })
  const cases: readonly (readonly [string, 0 | 1 | 2, number])[] = [
    [topicOf('REF-2'), 1, 0x90],
    ['devices/REF-1/messages/eventsX', 1, 0x90],
    ['anything', 0, 0x90],
  ]
  for (const [topic, qos, reason] of cases) {
    const device = await client(bench.port, { ...hubLogin('REF-1'), protocolVersion: 5 })
    const told = reasonOf(device)
    device.publish(topic, benchMessage('REF-1', 1), { qos })
    expect(await told).toBe(reason)
  }
  const device = await client(bench.port, hubLogin('REF-1'))
  device.publish(topicOf('REF-1'), benchMessage('REF-1', 1), { qos: 2 })
  await closed(device)
  expect(bench.log.bounds(0).endOffset).toBe(0)
})

test('a gateway that only takes telemetry grants no subscription', async () => {
  const bench = await start({ deviceIds: ['REF-1'] })
  const device = await client(bench.port, { ...hubLogin('REF-1'), protocolVersion: 5 })
  const told = reasonOf(device)
  device.subscribe('$iothub/twin/res/#')
  expect(await told).toBe(0x82)
})

test('a second session of a device replaces the first', async () => {
  const bench = await start({ deviceIds: ['REF-1'] })
  const first = await client(bench.port, { ...hubLogin('REF-1'), protocolVersion: 5 })
  const told = reasonOf(first)
  const second = await client(bench.port, hubLogin('REF-1'))
  expect(await told).toBe(0x8e)
  await closed(first)
  await second.publishAsync(topicOf('REF-1'), benchMessage('REF-1', 1), { qos: 1 })
  expect(bench.metric('gateway_sessions')).toBe(1)
})

test('a disabled device loses its session; other changes of its row do not end it', async () => {
  const bench = await start({ deviceIds: ['REF-1'] })
  const device = await client(bench.port, { ...hubLogin('REF-1'), protocolVersion: 5 })
  bench.directory.set({
    device: testDevice('REF-1', { timestamp_mode: 'local', timezone: 'Europe/Berlin' }),
    credentials: [benchKeys],
  })
  const local = '{"device_id":"REF-1","timestamp":"2026-02-15T01:00:00","readings":{"current":1}}'
  await device.publishAsync(topicOf('REF-1'), local, { qos: 1 })
  const [record] = await bench.records()
  expect(record?.body).toMatchObject({ deviceTimeMs: Date.UTC(2026, 1, 15) })
  const told = reasonOf(device)
  bench.directory.set({
    device: testDevice('REF-1', { status: 'disabled' }),
    credentials: [benchKeys],
  })
  expect(await told).toBe(0x87)
})

test('bad payloads are acknowledged as dead letters and good ones pass between them', async () => {
  const bench = await start({ deviceIds: ['REF-1'] })
  const device = await client(bench.port, hubLogin('REF-1'))
  const payloads = [
    '{',
    Buffer.from([0xff]),
    benchMessage('REF-1', 1),
    '',
    benchMessage('REF-2', 2),
  ]
  for (const payload of payloads) {
    await device.publishAsync(topicOf('REF-1'), payload, { qos: 1 })
  }
  const found = (await bench.records()).map(({ body }) =>
    body.kind === 'refused' ? body.reason : body.kind,
  )
  expect(found).toEqual([
    'INVALID_JSON',
    'INVALID_ENCODING',
    'readable',
    'EMPTY_PAYLOAD',
    'IDENTITY_MISMATCH',
  ])
  expect(bench.metric('gateway_messages_refused_total')).toBe(4)
  expect(bench.metric('gateway_messages_received_total')).toBe(5)
})

test('a message above 256 KB becomes a dead letter and ends the session', async () => {
  const bench = await start({ deviceIds: ['REF-1'] })
  for (const sizeBytes of [262_145, 3_000_000]) {
    const device = await client(bench.port, hubLogin('REF-1'))
    device.publish(topicOf('REF-1', '%24.mid=big'), Buffer.alloc(sizeBytes, 0x20), { qos: 1 })
    await closed(device)
  }
  await until(() => bench.log.bounds(0).endOffset === 2)
  for (const { body, messageId } of await bench.records()) {
    expect(body).toMatchObject({ kind: 'refused', reason: 'PAYLOAD_TOO_LARGE' })
    expect(body.payload.length).toBe(262_144)
    expect(messageId).toBe('big')
  }
})

test('over its rate a device is slowed down, and closed when that would take too long, ING-12', async () => {
  const bench = await start({
    deviceIds: ['REF-1', 'REF-2'],
    limits: { deviceMessagesPerSecond: 20, deviceBurst: 10, maxDelayMs: 10_000 },
  })
  const device = await client(bench.port, hubLogin('REF-1'))
  const startedMs = performance.now()
  await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      device.publishAsync(topicOf('REF-1'), benchMessage('REF-1', n), { qos: 1 }),
    ),
  )
  expect(performance.now() - startedMs).toBeGreaterThan(400)
  expect(bench.metric('gateway_throttled_total', 'device')).toBeGreaterThan(0)
  const strict = await start({
    deviceIds: ['REF-1'],
    limits: { deviceMessagesPerSecond: 1, deviceBurst: 5, maxDelayMs: 2_000 },
  })
  const flood = await client(strict.port, { ...hubLogin('REF-1'), protocolVersion: 5 })
  const told = reasonOf(flood)
  for (let n = 0; n < 16; n++) flood.publish(topicOf('REF-1'), benchMessage('REF-1', n), { qos: 1 })
  expect(await told).toBe(0x97)
})

test('a session ends when its token expires, and when it is silent too long', async () => {
  let nowMs = Date.UTC(2026, 1, 15)
  const bench = await start({ deviceIds: ['REF-1', 'REF-2'], clock: () => nowMs })
  const silent = await client(bench.port, {
    ...hubLogin('REF-1'),
    keepalive: 60,
    protocolVersion: 5,
  })
  const silentTold = reasonOf(silent)
  nowMs += 90_001
  expect(await silentTold).toBe(0x8d)
  const expiring = await client(bench.port, {
    ...hubLogin('REF-2'),
    keepalive: 0,
    protocolVersion: 5,
  })
  const expiringTold = reasonOf(expiring)
  nowMs = Date.UTC(2100, 0, 1)
  expect(await expiringTold).toBe(0x87)
})

test('while the disk is full nothing is acknowledged, afterwards everything is, once', async () => {
  const fault = { isFull: false }
  const bench = await start({
    deviceIds: ['REF-1'],
    log: (directory) =>
      openLog({
        directory,
        clock: Date.now,
        tickMs: 1,
        disk: {
          write: async (descriptor, bytes, length, position) => {
            if (fault.isFull) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
            await promisify(write)(descriptor, bytes, 0, length, position)
          },
          syncData: promisify(fdatasync),
          usedShare: () => 0,
        },
      }),
  })
  const device = await client(bench.port, hubLogin('REF-1'))
  fault.isFull = true
  let acknowledged = 0
  const sends = Array.from({ length: 30 }, async (_, n) => {
    await device.publishAsync(topicOf('REF-1'), benchMessage('REF-1', n), { qos: 1 })
    acknowledged++
  })
  await until(() => bench.metric('gateway_log_stalled') === 1)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(acknowledged).toBe(0)
  expect(bench.metric('gateway_messages_received_total')).toBeLessThanOrEqual(16)
  fault.isFull = false
  await Promise.all(sends)
  expect(await pressuresOf(bench)).toEqual(sends.map((_, n) => n))
})

test('closing the gateway answers what it has read and loses nothing that was answered', async () => {
  const bench = await start({ deviceIds: ['REF-1'] })
  const device = await client(bench.port, { ...hubLogin('REF-1'), protocolVersion: 5 })
  const told = reasonOf(device)
  const acknowledged: number[] = []
  for (let n = 0; n < 300; n++) {
    device.publish(topicOf('REF-1'), benchMessage('REF-1', n), { qos: 1 }, (error) => {
      if (error === undefined || error === null) acknowledged.push(n)
    })
  }
  await until(() => acknowledged.length > 20)
  await bench.gateway.close()
  expect(await told).toBe(0x8b)
  await closed(device)
  const stored = await pressuresOf(bench)
  expect(new Set(stored).size).toBe(stored.length)
  expect(acknowledged.filter((n) => !stored.includes(n))).toEqual([])
})

test('a port in use is named', async () => {
  const bench = await start({ deviceIds: [] })
  await expect(
    bench.gateway.listenMqtt({ port: bench.port, host: '127.0.0.1' }),
  ).rejects.toMatchObject({ code: 'PORT_IN_USE' })
})
