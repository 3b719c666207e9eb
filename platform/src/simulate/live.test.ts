import { setTimeout } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { type LiveOptions, publishLive } from './live.ts'
import { startBatchServer } from './testing/batch-server.ts'
import { countingFleet } from './testing/counting-fleet.ts'
import { type Behaviour, startMqttServer } from './testing/mqtt-server.ts'

const startMs = Date.UTC(2026, 0, 15)
const minuteMs = 60_000
const closers: (() => Promise<void>)[] = []

afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()))
})

/** A clock that jumps to the end of every sleep, once real I/O had a moment. */
function jumpingClock() {
  let nowMs = startMs
  let isStopped = false
  return {
    nowMs: () => nowMs,
    stop: () => {
      isStopped = true
    },
    sleep: async (ms: number, signal?: AbortSignal) => {
      // Acknowledgement timers run beside the minutes and must not move the clock.
      if (ms === 30_000 || isStopped) {
        await setTimeout(5000, undefined, { signal: signal as AbortSignal }).catch(() => undefined)
        return
      }
      await setTimeout(2)
      nowMs += ms
    },
  }
}

function optionsFor(transport: LiveOptions['transport'], change: Partial<LiveOptions> = {}) {
  const clock = jumpingClock()
  const controller = new AbortController()
  const options: LiveOptions = {
    simulator: countingFleet,
    devices: countingFleet.devices({ count: 3, seed: 1 }),
    faults: [],
    seed: 1,
    transport,
    nowMs: clock.nowMs,
    sleep: clock.sleep,
    random: () => 0.5,
    signal: controller.signal,
    ...change,
  }
  return { options, controller }
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 2000) throw new Error('waited ten seconds in vain')
    await setTimeout(5)
  }
}

async function mqttServer(behaviour?: Behaviour) {
  const server = await startMqttServer(behaviour)
  closers.push(server.close)
  return server
}

function mqttTransport(url: string) {
  return {
    kind: 'mqtt' as const,
    url,
    login: (deviceId: string) => ({ username: `user-${deviceId}`, password: 'secret' }),
  }
}

describe('publishLive over MQTT', () => {
  test.each([4, 5] as const)(
    'version %i: one connection a device, QoS 1, message id in the topic',
    async (protocolVersion) => {
      const server = await mqttServer()
      const { options, controller } = optionsFor({ ...mqttTransport(server.url), protocolVersion })
      const publisher = publishLive(options)
      await until(() => publisher.counts().sentCount >= 15)
      controller.abort()
      const counts = await publisher.done
      expect(server.connects.map(({ clientId }) => clientId).sort()).toEqual(['C-0', 'C-1', 'C-2'])
      expect(server.connects[0]).toMatchObject({ username: 'user-C-0', protocolVersion })
      for (const { topic, qos, message } of server.received) {
        expect(qos).toBe(1)
        expect(topic).toContain(
          `devices/${message.device_id}/messages/events/$.mid=m-${message.n}&`,
        )
      }
      expect(counts.sentCount).toBeGreaterThanOrEqual(15)
      expect(counts.droppedCount).toBe(0)
      await until(() => server.openCount() === 0)
    },
  )

  test('a cut connection loses nothing: the message goes again with the same id', async () => {
    const server = await mqttServer({
      publish: (_, index) => (index % 4 === 2 ? 'cut' : 'acknowledge'),
    })
    const troubles: string[] = []
    const { options, controller } = optionsFor(mqttTransport(server.url), {
      onTrouble: (_, reason) => troubles.push(reason),
    })
    const publisher = publishLive(options)
    await until(() => server.received.length >= 40)
    controller.abort()
    await publisher.done
    expect(troubles.length).toBeGreaterThan(0)
    for (const deviceId of ['C-0', 'C-1', 'C-2']) {
      const own = server.received.filter(({ message }) => message.device_id === deviceId)
      const numbers = own.map(({ message }) => message.n)
      expect(numbers).toEqual(numbers.map((_, index) => index))
    }
  })

  test('a refused login asks for a fresh one and tries again', async () => {
    const server = await mqttServer({ connect: (_, index) => (index < 3 ? 5 : 0) })
    const { options, controller } = optionsFor(mqttTransport(server.url))
    const publisher = publishLive(options)
    await until(() => server.received.length >= 6)
    controller.abort()
    await publisher.done
    expect(server.connects.length).toBeGreaterThanOrEqual(6)
  })

  test('while the gateway is away each device keeps the newest messages, up to its buffer', async () => {
    const server = await mqttServer({ connect: () => 3 })
    const { options, controller } = optionsFor(mqttTransport(server.url), { bufferedCount: 10 })
    const publisher = publishLive(options)
    await until(() => publisher.counts().droppedCount >= 5)
    controller.abort()
    const counts = await publisher.done
    expect(counts.sentCount).toBe(0)
    expect(counts.waitingCount).toBeLessThanOrEqual(3 * 11)
  })
})

describe('publishLive', () => {
  test('a fault injected while running acts from the next minute and is ground truth', async () => {
    const server = await mqttServer()
    const { options, controller } = optionsFor(mqttTransport(server.url))
    const publisher = publishLive(options)
    await until(() => server.received.length >= 6)
    expect(publisher.activeFaults()).toEqual([])
    const plan = publisher.inject({ deviceId: 'C-1', mode: 'silent' })
    await until(() => publisher.timeMs() > plan.onsetMs + 10 * minuteMs)
    controller.abort()
    await publisher.done
    expect(publisher.activeFaults()).toEqual([plan])
    const own = server.received.filter(({ message }) => message.device_id === 'C-1')
    expect(Math.max(...own.map(({ message }) => message.timestamp))).toBe(plan.onsetMs - minuteMs)
    // The others, and the past of the faulty device, are untouched.
    expect(own.map(({ message }) => message.n)).toEqual(own.map((_, index) => index))
    expect(() => publisher.inject({ deviceId: 'X', mode: 'silent' })).toThrow('X is not simulated')
  })

  test('it continues physics that began earlier, where an injected fault replays them', async () => {
    const server = await mqttServer()
    const { options, controller } = optionsFor(mqttTransport(server.url), {
      physicsStartMs: startMs - 100 * minuteMs,
    })
    const publisher = publishLive(options)
    await until(() => server.received.length >= 3)
    const plan = publisher.inject({ deviceId: 'C-0', mode: 'held' })
    await until(() => publisher.timeMs() > plan.onsetMs + 40 * minuteMs)
    controller.abort()
    await publisher.done
    const own = server.received.filter(({ message }) => message.device_id === 'C-0')
    expect(own.map(({ message }) => message.n)).toEqual(own.map((_, index) => 100 + index))
  })

  test('an accelerated fleet sends through a collector in event time', async () => {
    const server = await startBatchServer()
    closers.push(server.close)
    const transport = { kind: 'collector' as const, baseUrl: server.baseUrl, token: 'secret' }
    const { options, controller } = optionsFor(transport, {
      speed: 60,
      startMs: startMs - 7200_000,
    })
    const publisher = publishLive(options)
    await until(() => server.messages.length >= 60)
    const elapsedMs = options.nowMs() - startMs
    controller.abort()
    await publisher.done
    expect(server.requests[0]?.headers['x-isotherm-time']).toBe('event')
    expect(elapsedMs).toBeLessThan(25_000)
    expect(server.messages[0]?.timestamp).toBe(startMs - 7200_000)
  })

  test('over HTTPS each device posts to its own endpoint and waits as told', async () => {
    const server = await startBatchServer((index) =>
      index === 1 ? { status: 429, retryAfterS: 3 } : undefined,
    )
    closers.push(server.close)
    const { options, controller } = optionsFor({
      kind: 'https',
      baseUrl: server.baseUrl,
      authorization: (deviceId) => `token ${deviceId}`,
    })
    const publisher = publishLive(options)
    await until(() => server.messages.length >= 9)
    controller.abort()
    await publisher.done
    const { url, headers } = server.requests[0] ?? { url: '', headers: {} }
    const deviceId = url.split('/')[2]
    expect(url).toBe(`/devices/${deviceId}/messages/events`)
    expect(headers.authorization).toBe(`token ${deviceId}`)
    const sent = server.messages.filter((message) => message.device_id === deviceId)
    expect(sent.map(({ n }) => n)).toEqual(sent.map((_, index) => index))
  })

  test('a collector token the gateway refuses ends the run with an error', async () => {
    const server = await startBatchServer(() => ({ status: 403 }))
    closers.push(server.close)
    const transport = { kind: 'collector' as const, baseUrl: server.baseUrl, token: 'wrong' }
    const { options } = optionsFor(transport)
    await expect(publishLive(options).done).rejects.toThrow('answered 403')
  })
})
