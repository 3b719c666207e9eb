import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync, type MqttClient } from 'mqtt'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import type { BrokerSource } from './broker-source.ts'
import { cleanUp, opened, start, until } from './mqtt-test-support.ts'
import { benchMessage, testDevice } from './test-support.ts'
import { topicMap } from './topic-map.ts'

afterEach(cleanUp)

describe('a topic pattern', () => {
  test('gives the filter to subscribe to and finds the device in a topic', () => {
    const map = topicMap('plant/+/{device}/data/#')
    expect(map.filter).toBe('plant/+/+/data/#')
    expect(map.deviceIdOf('plant/h1/REF-1/data/now')).toBe('REF-1')
    expect(map.deviceIdOf('plant/h1/REF-1/data')).toBe('REF-1')
    expect(map.deviceIdOf('plant/h1/REF-1')).toBeUndefined()
    expect(map.deviceIdOf('plant/h1/RÉF/data')).toBeUndefined()
    expect(topicMap('{device}').deviceIdOf('a/b')).toBeUndefined()
  })

  test.each(['plant/data', '{device}/{device}', 'a{device}/b', '#/{device}', 'a+/{device}'])(
    '%s is refused',
    (pattern) => {
      expect(() => topicMap(pattern)).toThrow(/exactly one level/)
    },
  )
})

const mosquitto = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto'].find(existsSync)

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function startMosquitto() {
  const folder = mkdtempSync(join(tmpdir(), 'isotherm-broker-'))
  const port = await freePort()
  const file = join(folder, 'mosquitto.conf')
  writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n`)
  let child: ChildProcess | undefined
  const run = async () => {
    child = spawn(mosquitto ?? '', ['-c', file], { stdio: 'ignore' })
    for (let attempt = 0; ; attempt++) {
      try {
        const sender = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 })
        opened(sender)
        return sender
      } catch (error) {
        // It takes a moment until the broker listens.
        if (attempt === 100) throw error
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }
  const stop = async () => {
    const ended = new Promise((resolve) => child?.once('exit', resolve))
    child?.kill()
    await ended
  }
  onTestFinished(async () => {
    await stop()
    rmSync(folder, { recursive: true })
  })
  return { port, sender: await run(), stop, run }
}

const sendAll = (sender: MqttClient, from: number, to: number, deviceId = 'REF-1') =>
  Promise.all(
    Array.from({ length: to - from }, (_, n) =>
      sender.publishAsync(`plant/${deviceId}/data`, benchMessage(deviceId, from + n), { qos: 1 }),
    ),
  )

const topic = 'plant/{device}/data'

async function connected(source: BrokerSource): Promise<void> {
  await until(() => source.isConnected())
  // SUBACK follows CONNACK; the broker keeps nothing for a subscription it does not have yet.
  await new Promise((resolve) => setTimeout(resolve, 100))
}

// Debian: apt-get install mosquitto. Without it the pattern is all that is tested.
describe.skipIf(mosquitto === undefined)('an existing Mosquitto', () => {
  test('hands everything over once and in order; what names no device is a dead letter', async () => {
    const broker = await startMosquitto()
    const bench = await start({ deviceIds: ['REF-1'] })
    bench.directory.set({ device: testDevice('REF-3', { status: 'disabled' }), credentials: [] })
    const source = { host: '127.0.0.1', port: broker.port, clientId: 'one', topic }
    await connected(bench.gateway.consumeBroker(source))
    await sendAll(broker.sender, 0, 1_000)
    await sendAll(broker.sender, 0, 1, 'NEW-1')
    await sendAll(broker.sender, 0, 1, 'REF-3')
    await sendAll(broker.sender, 0, 1, 'no device')
    await until(() => bench.log.bounds(0).endOffset === 1_003)
    const records = await bench.records()
    const own = records.filter(({ deviceId }) => deviceId === 'REF-1')
    expect(own.map(({ body }) => JSON.parse(Buffer.from(body.payload).toString()))).toMatchObject(
      own.map((_, n) => ({ readings: { pressure: n } })),
    )
    expect(records.slice(1_000).map(({ deviceId, body }) => [deviceId, body.kind])).toEqual([
      ['NEW-1', 'readable'],
      ['REF-3', 'refused'],
      ['', 'refused'],
    ])
  })

  test('repeats what was not durable when a gateway stopped, and nothing is lost', async () => {
    const broker = await startMosquitto()
    const bench = await start({ deviceIds: ['REF-1'] })
    const source = { host: '127.0.0.1', port: broker.port, clientId: 'one', topic }
    await connected(bench.gateway.consumeBroker(source))
    await sendAll(broker.sender, 0, 100)
    await until(() => bench.log.bounds(0).endOffset === 100)
    await bench.gateway.close()
    await sendAll(broker.sender, 100, 400)
    const next = await start({ deviceIds: ['REF-1'] })
    next.gateway.consumeBroker(source)
    await until(() => next.log.bounds(0).endOffset >= 300)
    const all = [...(await bench.records()), ...(await next.records())]
    const numbers = all.map(
      ({ body }) => JSON.parse(Buffer.from(body.payload).toString()).readings.pressure,
    )
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 400 }, (_, n) => n))
  })

  test('is shared by the consumers of a group, and found again after it was away', async () => {
    const broker = await startMosquitto()
    const benches = [await start({ deviceIds: ['REF-1'] }), await start({ deviceIds: ['REF-1'] })]
    const sources = benches.map((bench, n) =>
      bench.gateway.consumeBroker({
        host: '127.0.0.1',
        port: broker.port,
        clientId: `consumer-${n}`,
        topic,
      }),
    )
    for (const source of sources) await connected(source)
    await sendAll(broker.sender, 0, 200)
    const counts = () => benches.map((bench) => bench.log.bounds(0).endOffset)
    await until(() => counts().reduce((sum, count) => sum + count, 0) === 200)
    for (const count of counts()) expect(count).toBeGreaterThan(0)
    await broker.stop()
    await until(() => sources.every((source) => !source.isConnected()))
    const sender = await broker.run()
    for (const source of sources) await connected(source)
    await sendAll(sender, 200, 300)
    await until(() => counts().reduce((sum, count) => sum + count, 0) === 300)
  })
})
