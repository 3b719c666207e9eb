import { connect as connectTcp, type Socket } from 'node:net'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { generate } from 'mqtt-packet'
import selfsigned from 'selfsigned'
import { afterEach, expect, test } from 'vitest'
import { hashPassword } from '../gateway/index.ts'
import {
  type Bench,
  benchDevice,
  benchKeys,
  benchMessage,
  hubLogin,
  openBench,
} from './ingest-fixture.ts'
import { openLog } from './log.ts'
import { diskCalls } from './segment-writer.ts'

const benches: Bench[] = []
const clients: MqttClient[] = []
const sockets: Socket[] = []

afterEach(async () => {
  for (const client of clients.splice(0)) client.end(true)
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const bench of benches.splice(0)) await bench.close()
})

async function start(options: Parameters<typeof openBench>[0]) {
  const bench = openBench(options)
  benches.push(bench)
  const { port } = await bench.gateway.listenMqtt({ port: 0, host: '127.0.0.1' })
  return { ...bench, port }
}

async function client(port: number, options: IClientOptions): Promise<MqttClient> {
  const opened = await connectAsync(`mqtt://127.0.0.1:${port}`, {
    reconnectPeriod: 0,
    connectTimeout: 5_000,
    ...options,
  })
  clients.push(opened)
  // A session ended by the gateway is what several tests are about.
  opened.on('error', () => undefined)
  return opened
}

const topicOf = (deviceId: string, bag = ''): string => `devices/${deviceId}/messages/events/${bag}`

const closed = (client: MqttClient): Promise<void> =>
  new Promise((resolve) => (client.connected ? client.once('close', () => resolve()) : resolve()))

const reasonOf = (client: MqttClient): Promise<number | undefined> =>
  new Promise((resolve) => client.once('disconnect', ({ reasonCode }) => resolve(reasonCode)))

async function until(isTrue: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !isTrue(); i++) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(isTrue()).toBe(true)
}

async function pressuresOf(bench: Bench): Promise<readonly number[]> {
  return (await bench.records()).map(
    ({ body }) => JSON.parse(Buffer.from(body.payload).toString()).readings.pressure,
  )
}

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
  clients.push(device)
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
    device: benchDevice('REF-9'),
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
    device: benchDevice('REF-3', { status: 'disabled' }),
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

test('the subscriptions of device SDKs are granted, others are not, and twins say they are not there', async () => {
  const bench = await start({ deviceIds: ['REF-1'] })
  const device = await client(bench.port, { ...hubLogin('REF-1'), clean: false })
  const granted = await device.subscribeAsync({
    'devices/REF-1/messages/devicebound/#': { qos: 1 },
    '$iothub/twin/res/#': { qos: 0 },
    '$iothub/methods/POST/#': { qos: 2 },
  })
  expect(granted.map(({ qos }) => qos)).toEqual([1, 0, 1])
  await expect(device.subscribeAsync('devices/+/messages/#')).rejects.toThrow()
  const answered = new Promise<readonly string[]>((resolve) =>
    device.once('message', (topic, payload) => resolve([topic, payload.toString()])),
  )
  device.publish('$iothub/twin/GET/?$rid=r-1', ' ')
  const [topic, body = ''] = await answered
  expect(topic).toBe('$iothub/twin/res/501/?$rid=r-1')
  expect(JSON.parse(body)).toMatchObject({ errorCode: 501001 })
  await device.unsubscribeAsync('$iothub/twin/res/#')
  await device.publishAsync(topicOf('REF-1'), benchMessage('REF-1', 5), { qos: 1 })
  expect(await pressuresOf(bench)).toEqual([5])
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
    device: benchDevice('REF-1', { timestamp_mode: 'local', timezone: 'Europe/Berlin' }),
    credentials: [benchKeys],
  })
  const local = '{"device_id":"REF-1","timestamp":"2026-02-15T01:00:00","readings":{"flow":1}}'
  await device.publishAsync(topicOf('REF-1'), local, { qos: 1 })
  const [record] = await bench.records()
  expect(record?.body).toMatchObject({ deviceTimeMs: Date.UTC(2026, 1, 15) })
  const told = reasonOf(device)
  bench.directory.set({
    device: benchDevice('REF-1', { status: 'disabled' }),
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
          ...diskCalls,
          write: async (...call) => {
            if (fault.isFull) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
            return diskCalls.write(...call)
          },
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

function rawSocket(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1', () => resolve(socket))
    socket.on('error', () => undefined)
    sockets.push(socket)
  })
}

const ended = (socket: Socket): Promise<void> =>
  new Promise((resolve) => (socket.destroyed ? resolve() : socket.once('close', () => resolve())))

function connectFrame(deviceId: string): Buffer {
  const { clientId, username, password } = hubLogin(deviceId)
  return generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    keepalive: 60,
    clientId,
    username,
    password: Buffer.from(password),
  })
}

function publishFrame(deviceId: string, n: number): Buffer {
  return generate({
    cmd: 'publish',
    topic: topicOf(deviceId),
    payload: benchMessage(deviceId, n),
    qos: 1,
    messageId: n + 1,
    dup: false,
    retain: false,
  })
}

test('packets cut anywhere are put together, byte by byte too', async () => {
  const bench = await start({ deviceIds: ['REF-1'] })
  const frames = Buffer.concat([
    connectFrame('REF-1'),
    ...Array.from({ length: 20 }, (_, n) => publishFrame('REF-1', n)),
    Buffer.from([0xc0, 0]),
  ])
  for (const step of [1, 7, 1_000]) {
    const socket = await rawSocket(bench.port)
    const answers: Buffer[] = []
    socket.on('data', (chunk: Buffer) => answers.push(chunk))
    for (let at = 0; at < frames.length; at += step) {
      if (!socket.write(frames.subarray(at, at + step))) {
        await new Promise((resolve) => socket.once('drain', resolve))
      }
      if (step > 1 || at % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    const expected = Buffer.concat([
      Buffer.from([0x20, 2, 0, 0]),
      ...Array.from({ length: 20 }, (_, n) => Buffer.from([0x40, 2, 0, n + 1])),
    ])
    // The ping overtakes acknowledgements: it needs no disk.
    await until(() => Buffer.concat(answers).length === expected.length + 2)
    const found = Buffer.concat(answers).toString('hex').replace('d000', '')
    expect(found).toBe(expected.toString('hex'))
    socket.destroy()
  }
  expect(bench.log.bounds(0).endOffset).toBe(60)
})

test('garbage and broken packets end their connection only', async () => {
  const bench = await start({ deviceIds: ['REF-1', 'REF-2'] })
  const good = await client(bench.port, hubLogin('REF-2'))
  const login = connectFrame('REF-1')
  const publish = publishFrame('REF-1', 1)
  const withBytes = (frame: Buffer, at: number, ...bytes: number[]): Buffer => {
    const copy = Buffer.from(frame)
    copy.set(bytes, at)
    return copy
  }
  const hostile: readonly Buffer[] = [
    Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0x7f]),
    Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f, 0, 4]),
    Buffer.from([0x00, 0x00]),
    Buffer.from([0x10, 0x02, 0x00, 0x04]),
    withBytes(login, 8, 9),
    publish,
    Buffer.concat([login, login]),
    Buffer.concat([login, withBytes(publish, 0, 0x36)]),
    Buffer.concat([login, Buffer.from([0x32, 4, 0xff, 0xff, 0, 0])]),
    Buffer.concat([login, Buffer.from([0x82, 2, 0, 1])]),
    Buffer.concat([login, Buffer.from([0xf0, 0])]),
    Buffer.concat([login, Buffer.from([0x62, 2, 0, 1])]),
    Buffer.concat([login, Buffer.alloc(500, 0xff)]),
  ]
  for (const bytes of hostile) {
    const socket = await rawSocket(bench.port)
    socket.resume()
    socket.write(bytes)
    await ended(socket)
  }
  await good.publishAsync(topicOf('REF-2'), benchMessage('REF-2', 1), { qos: 1 })
  expect(await pressuresOf(bench)).toEqual([1])
  await until(() => bench.metric('gateway_connections') === 1)
})

test('a client that sends without reading is not read further, and ends after a while', async () => {
  const bench = await start({
    deviceIds: ['REF-1', 'REF-2'],
    limits: { slowReaderTimeoutMs: 500, maxUnacknowledged: 1_000 },
  })
  const socket = await rawSocket(bench.port)
  socket.pause()
  socket.write(connectFrame('REF-1'))
  const pings = Buffer.alloc(1 << 20, Buffer.from([0xc0, 0]))
  const flood = setInterval(() => {
    if (socket.writableLength < 4 << 20) socket.write(pings)
  }, 5)
  await until(() => bench.metric('gateway_disconnects_total', 'slow reader') === 1)
  clearInterval(flood)
  expect(process.memoryUsage().rss).toBeLessThan(2e9)
  const good = await client(bench.port, hubLogin('REF-2'))
  await good.publishAsync(topicOf('REF-2'), benchMessage('REF-2', 1), { qos: 1 })
})

test('a connection that never says who it is ends', async () => {
  const bench = await start({ deviceIds: [], limits: { connectTimeoutMs: 300 } })
  const socket = await rawSocket(bench.port)
  socket.resume()
  await ended(socket)
  expect(bench.metric('gateway_disconnects_total', 'no CONNECT')).toBe(1)
})
