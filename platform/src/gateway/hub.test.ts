import { createServer } from 'node:http'
import { connect, connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { generate, type IConnackPacket } from 'mqtt-packet'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { openState } from '../objects/index.ts'
import {
  cleanUp,
  client,
  closed,
  connectFrame,
  opened,
  pressuresOf,
  rawSocket,
  reasonOf,
  start,
  topicOf,
  until,
} from './mqtt-test-support.ts'
import { benchMessage, hubLogin } from './test-support.ts'

afterEach(cleanUp)

const boundFor = (deviceId: string) => `devices/${deviceId}/messages/devicebound/#`

/** A gateway over a real state store. */
async function startHub(options: { readonly clock?: () => number } = {}) {
  const clock = options.clock ?? Date.now
  const state = await openState({ path: ':memory:', secretKey: new Uint8Array(32), clock })
  onTestFinished(() => state.close())
  const bench = await start({ deviceIds: ['REF-1', 'REF-2'], ...options, hub: state })
  return { ...bench, state }
}

type Received = { readonly topic: string; readonly text: string; readonly dup: boolean }

/** Everything a client is sent, in order. */
function listen(device: MqttClient): readonly Received[] {
  const received: Received[] = []
  device.on('message', (topic, payload, { dup }) =>
    received.push({ topic, text: payload.toString(), dup }),
  )
  return received
}

const send = (text: string) => ({ messageId: text, payload: Buffer.from(text) })

describe('subscriptions', () => {
  test('one that asks for nothing is a protocol error and not our failure', async () => {
    for (const frame of [Buffer.from([0x82, 2, 0, 1]), Buffer.from([0xa2, 2, 0, 1])]) {
      const bench = await startHub()
      const socket = await rawSocket(bench.port)
      socket.write(Buffer.concat([connectFrame('REF-1'), frame]))
      await until(() => bench.metric('gateway_disconnects_total') === 1)
      expect(bench.metric('gateway_disconnects_total', 'unexpected packet')).toBe(1)
    }
  })

  test('those of device SDKs are granted, at most QoS 1; every other one is refused', async () => {
    const bench = await startHub()
    const device = await client(bench.port, hubLogin('REF-1'))
    const granted = await device.subscribeAsync({
      [boundFor('REF-1')]: { qos: 2 },
      '$iothub/twin/res/#': { qos: 0 },
      '$iothub/methods/POST/#': { qos: 1 },
      '$iothub/twin/PATCH/properties/desired/#': { qos: 0 },
    })
    expect(granted.map(({ qos }) => qos)).toEqual([1, 0, 1, 0])
    for (const filter of [boundFor('REF-2'), '#', 'devices/+/messages/devicebound/#', '$SYS/#']) {
      await expect(device.subscribeAsync(filter)).rejects.toThrow()
    }
    await device.publishAsync(topicOf('REF-1'), benchMessage('REF-1', 5), { qos: 1 })
    expect(await pressuresOf(bench)).toEqual([5])
  })

  test('they go on when a session that was kept comes back, and end with a clean one', async () => {
    const bench = await startHub()
    const come = async (clean: boolean) => {
      const device = connect(`mqtt://127.0.0.1:${bench.port}`, {
        ...hubLogin('REF-1'),
        clean,
        resubscribe: false,
        reconnectPeriod: 0,
      })
      opened(device)
      // A kept session may have something to say right after CONNACK.
      const received = listen(device)
      const { sessionPresent } = await new Promise<IConnackPacket>((resolve) =>
        device.once('connect', resolve),
      )
      return { device, received, sessionPresent }
    }
    const first = await come(false)
    expect(first.sessionPresent).toBe(false)
    await first.device.subscribeAsync(boundFor('REF-1'), { qos: 1 })
    await first.device.endAsync()
    await bench.state.messages.enqueue('REF-1', send('while away'))
    const second = await come(false)
    expect(second.sessionPresent).toBe(true)
    await until(() => second.received.length === 1)
    expect(second.received[0]?.text).toBe('while away')
    await second.device.endAsync()
    const third = await come(true)
    expect(third.sessionPresent).toBe(false)
    await bench.state.messages.enqueue('REF-1', send('not subscribed'))
    await third.device.publishAsync(topicOf('REF-1'), benchMessage('REF-1', 1), { qos: 1 })
    expect(third.received).toEqual([])
    await third.device.subscribeAsync(boundFor('REF-1'), { qos: 1 })
    await until(() => third.received.length === 1)
    expect(bench.state.sessions.subscriptionsOf('REF-1')).toBeUndefined()
  })
})

describe('messages to a device', () => {
  test('arrive with their properties, complete on PUBACK, and the window is kept', async () => {
    const bench = await startHub()
    const device = await client(bench.port, { ...hubLogin('REF-1'), clean: false })
    const received = listen(device)
    await device.subscribeAsync(boundFor('REF-1'), { qos: 1 })
    const properties = { 'a b': 'c/d', level: 'high' }
    await bench.state.messages.enqueue('REF-1', { ...send('m-0'), properties, ack: 'full' })
    for (let n = 1; n < 40; n++) await bench.state.messages.enqueue('REF-1', send(`m-${n}`))
    await until(() => received.length === 40 && !bench.state.messages.hasPending('REF-1'))
    expect(received.map(({ text }) => text)).toEqual(received.map((_, n) => `m-${n}`))
    const bag = received[0]?.topic.split('/')[4] ?? ''
    const found = Object.fromEntries(
      bag.split('&').map((pair) => pair.split('=').map(decodeURIComponent)),
    )
    expect(found).toMatchObject({
      '$.mid': 'm-0',
      '$.to': '/devices/REF-1/messages/devicebound',
      'iothub-ack': 'full',
      ...properties,
    })
    const [feedback] = await bench.state.messages.feedbackAfter(0)
    expect(feedback).toMatchObject({ originalMessageId: 'm-0', statusCode: 'Success' })
  })

  test('without PUBACK they come again to the next connection, marked and with the same id', async () => {
    const bench = await startHub()
    const bytesOf = async (isFirst: boolean) => {
      const socket = await rawSocket(bench.port)
      let bytes = Buffer.alloc(0)
      socket.on('data', (chunk: Buffer) => {
        bytes = Buffer.concat([bytes, chunk])
      })
      const hello = connectFrame('REF-1')
      // Clean session is bit 1 of the connect flags, behind the protocol name and level.
      hello[hello.indexOf('MQTT') + 5]! &= ~2
      socket.write(hello)
      if (isFirst) {
        socket.write(
          generate({
            cmd: 'subscribe',
            messageId: 1,
            subscriptions: [{ topic: boundFor('REF-1'), qos: 1 }],
          }),
        )
      }
      await until(() => bytes.includes('m-1'))
      socket.destroy()
      return bytes
    }
    await bench.state.messages.enqueue('REF-1', send('m-1'))
    const first = await bytesOf(true)
    const second = await bytesOf(false)
    const idOf = (bytes: Buffer) => bytes.readUInt16BE(bytes.lastIndexOf('m-1') - 2)
    expect(idOf(first)).toBe(idOf(second))
    expect([...second.subarray(0, 4)]).toEqual([0x20, 2, 1, 0])
    // QoS 1, and DUP only the second time; the header stands two bytes before the topic's length.
    const headerOf = (bytes: Buffer) => bytes[bytes.indexOf('devices/REF-1/messages/') - 5]
    expect([headerOf(first), headerOf(second)]).toEqual([0x32, 0x3a])
  })

  test('an expired one is not delivered, and a PUBACK for nothing ends the session', async () => {
    let nowMs = Date.UTC(2026, 1, 15)
    const bench = await startHub({ clock: () => nowMs })
    await bench.state.messages.enqueue('REF-1', { ...send('late'), timeToLiveMs: 60_000 })
    nowMs += 60_001
    const device = await client(bench.port, hubLogin('REF-1'))
    const received = listen(device)
    await device.subscribeAsync(boundFor('REF-1'), { qos: 1 })
    await bench.state.messages.enqueue('REF-1', send('fresh'))
    await until(() => received.length === 1)
    expect(received[0]?.text).toBe('fresh')
    const socket = await rawSocket(bench.port)
    socket.resume()
    socket.write(Buffer.concat([connectFrame('REF-2'), Buffer.from([0x40, 2, 0, 9])]))
    await new Promise((resolve) => socket.once('close', resolve))
  })
})

describe('the twin', () => {
  const twinOf = async (device: MqttClient) => {
    const received = listen(device)
    await device.subscribeAsync(['$iothub/twin/res/#', '$iothub/twin/PATCH/properties/desired/#'])
    return received
  }

  test('is read, reported to and pushed; a bad patch is answered in topic and body', async () => {
    const bench = await startHub()
    const device = await client(bench.port, hubLogin('REF-1'))
    const received = await twinOf(device)
    await bench.state.twins.update('REF-1', { desired: { target: 4 }, tags: { hall: 'B' } })
    await until(() => received.length === 1)
    device.publish('$iothub/twin/GET/?$rid=r%2F1', ' ')
    await until(() => received.length === 2)
    device.publish('$iothub/twin/PATCH/properties/reported/?$rid=7', '{"target":4}')
    await until(() => received.length === 3)
    await device.publishAsync('$iothub/twin/PATCH/properties/reported/?$rid=8', '{"a.b":1}', {
      qos: 1,
    })
    await until(() => received.length === 4)
    expect(received.map(({ topic }) => topic)).toEqual([
      '$iothub/twin/PATCH/properties/desired/?$version=2',
      '$iothub/twin/res/200/?$rid=r%2F1',
      '$iothub/twin/res/204/?$rid=7&$version=2',
      '$iothub/twin/res/400/?$rid=8',
    ])
    expect(JSON.parse(received[0]?.text ?? '')).toEqual({ target: 4, $version: 2 })
    expect(JSON.parse(received[1]?.text ?? '')).toEqual({
      desired: { target: 4, $version: 2 },
      reported: { $version: 1 },
    })
    expect(JSON.parse(received[3]?.text ?? '')).toMatchObject({ errorCode: 400_004 })
  })

  test('a flood of requests is answered with 429, each once', async () => {
    const bench = await startHub()
    const device = await client(bench.port, hubLogin('REF-1'))
    const received = await twinOf(device)
    for (let n = 0; n < 60; n++) device.publish(`$iothub/twin/GET/?$rid=${n}`, ' ')
    await until(() => received.length === 60)
    const statuses = received.map(({ topic }) => topic.split('/')[3])
    expect(new Set(statuses)).toEqual(new Set(['200', '429']))
    expect(new Set(received.map(({ topic }) => topic.split('$rid=')[1])).size).toBe(60)
  })
})

describe('methods', () => {
  test('are answered with status and payload; offline and silent devices are told apart', async () => {
    const bench = await startHub()
    const call = { methodName: 'reboot', payload: '{"delay":3}', responseTimeoutMs: 200 }
    expect(await bench.gateway.callMethod('REF-1', call)).toEqual({ kind: 'offline' })
    const device = await client(bench.port, hubLogin('REF-1'))
    device.on('message', (topic, payload) => {
      const requestId = topic.split('$rid=')[1]
      if (payload.toString() === '"silent"') return
      device.publish(`$iothub/methods/res/201/?$rid=${requestId}`, payload)
    })
    expect(await bench.gateway.callMethod('REF-1', call)).toEqual({ kind: 'offline' })
    await device.subscribeAsync('$iothub/methods/POST/#')
    expect(await bench.gateway.callMethod('REF-1', call)).toEqual({
      kind: 'answered',
      status: 201,
      payload: '{"delay":3}',
    })
    const silent = { ...call, payload: '"silent"' }
    expect(await bench.gateway.callMethod('REF-1', silent)).toEqual({
      kind: 'no answer',
      waitedMs: 200,
    })
  })

  test('a call can wait for its device to connect; another device cannot answer for it', async () => {
    const bench = await startHub()
    const call = { methodName: 'm', payload: '', responseTimeoutMs: 500, connectTimeoutMs: 5_000 }
    const outcome = bench.gateway.callMethod('REF-1', call)
    const thief = await client(bench.port, hubLogin('REF-2'))
    const device = await client(bench.port, hubLogin('REF-1'))
    device.on('message', (topic) => {
      const requestId = topic.split('$rid=')[1]
      thief.publish(`$iothub/methods/res/666/?$rid=${requestId}`, '"theft"')
      setTimeout(() => device.publish(`$iothub/methods/res/200/?$rid=${requestId}`, '"mine"'), 100)
    })
    await device.subscribeAsync('$iothub/methods/POST/#')
    expect(await outcome).toEqual({ kind: 'answered', status: 200, payload: '"mine"' })
  })

  test('more open calls than one device may have are refused', async () => {
    const bench = await startHub()
    const device = await client(bench.port, hubLogin('REF-1'))
    await device.subscribeAsync('$iothub/methods/POST/#')
    const call = { methodName: 'm', payload: '', responseTimeoutMs: 300 }
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, () => bench.gateway.callMethod('REF-1', call)),
    )
    expect(outcomes.filter(({ kind }) => kind === 'busy')).toHaveLength(8)
  })
})

describe('MQTT over WebSocket', () => {
  async function startSockets() {
    const bench = await startHub()
    const server = createServer()
    bench.gateway.takeWebSockets(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    return { ...bench, webPort: port }
  }

  const connectTo = async (port: number, path: string, options: IClientOptions = {}) => {
    const device = await connectAsync(`ws://127.0.0.1:${port}${path}`, {
      ...hubLogin('REF-1'),
      reconnectPeriod: 0,
      ...options,
    })
    opened(device)
    return device
  }

  test.each(['/$iothub/websocket', '/%24iothub/websocket?iothub-no-client-cert=true', '/mqtt'])(
    'devices send and receive at %s',
    async (path) => {
      const bench = await startSockets()
      const device = await connectTo(bench.webPort, path)
      const received = listen(device)
      await device.subscribeAsync(boundFor('REF-1'), { qos: 1 })
      const sends = Array.from({ length: 100 }, (_, n) =>
        device.publishAsync(topicOf('REF-1'), benchMessage('REF-1', n), { qos: 1 }),
      )
      await Promise.all(sends)
      expect(await pressuresOf(bench)).toEqual(sends.map((_, n) => n))
      await bench.state.messages.enqueue('REF-1', send('hello'))
      await until(() => received.length === 1)
      await device.endAsync()
      await until(() => bench.metric('gateway_connections') === 0)
    },
  )

  test('a session over TCP replaces one over WebSocket', async () => {
    const bench = await startSockets()
    const first = await connectTo(bench.webPort, '/mqtt', { protocolVersion: 5 })
    const told = reasonOf(first)
    await client(bench.port, hubLogin('REF-1'))
    expect(await told).toBe(0x8e)
    await closed(first)
  })

  test('other paths, a missing sub-protocol, text frames and huge frames are turned away', async () => {
    const bench = await startSockets()
    const outcome = (path: string, protocols: string[], greet?: (socket: WebSocket) => void) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(`ws://127.0.0.1:${bench.webPort}${path}`, protocols)
        let isOpen = false
        socket.onopen = () => {
          isOpen = true
          greet?.(socket)
        }
        socket.onclose = () => resolve(isOpen ? 'closed' : 'refused')
      })
    expect(await outcome('/elsewhere', ['mqtt'])).toBe('refused')
    expect(await outcome('/%E0%A4%A', ['mqtt'])).toBe('refused')
    expect(await outcome('/mqtt', [])).toBe('refused')
    expect(await outcome('/mqtt', ['chat'])).toBe('refused')
    expect(await outcome('/mqtt', ['mqtt'], (socket) => socket.send('text'))).toBe('closed')
    const huge = new Uint8Array((1 << 20) + 1)
    expect(await outcome('/mqtt', ['mqtt'], (socket) => socket.send(huge))).toBe('closed')
    await until(() => bench.metric('gateway_connections') === 0)
  })
})
