import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { publishHistory } from './history.ts'
import { type Answer, startBatchServer } from './testing/batch-server.ts'
import { countingFleet } from './testing/counting-fleet.ts'

const startMs = Date.UTC(2026, 0, 15)
const minuteMs = 60_000
let server: Awaited<ReturnType<typeof startBatchServer>> | undefined

afterEach(async () => {
  await server?.close()
  server = undefined
})

async function publish(
  change: Partial<Parameters<typeof publishHistory>[0]> = {},
  answer?: (index: number) => Answer | undefined,
) {
  await server?.close()
  server = await startBatchServer(answer)
  const waits: number[] = []
  const summary = await publishHistory({
    simulator: countingFleet,
    devices: countingFleet.devices({ count: 5, seed: 1 }),
    faults: [],
    seed: 1,
    startMs,
    endMs: startMs + 20 * minuteMs,
    baseUrl: server.baseUrl,
    token: 'secret',
    batchSize: 12,
    sleep: async (ms) => {
      waits.push(ms)
    },
    ...change,
  })
  return { summary, server, waits }
}

describe('publishHistory', () => {
  test('every reading of the span arrives once, in order per device', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 15 }),
        fc.boolean(),
        async (count, batchSize, concurrency, minutes, gzip) => {
          const devices = countingFleet.devices({ count, seed: 1 })
          const endMs = startMs + minutes * minuteMs
          const { summary, server } = await publish({
            ...{ devices, batchSize, concurrency, endMs, gzip },
          })
          expect(summary.messageCount).toBe(count * minutes)
          for (const { device_id } of devices) {
            const own = server.messages.filter((message) => message.device_id === device_id)
            expect(own.map(({ n }) => n)).toEqual(Array.from({ length: minutes }, (_, n) => n))
          }
          expect(server.mostOpen()).toBeLessThanOrEqual(concurrency)
        },
      ),
      { numRuns: 30 },
    )
  })

  test('the fleet advances together: no device is a batch ahead of another', async () => {
    const { server } = await publish({ batchSize: 10 })
    let newest = 0
    for (const { timestamp } of server.messages) {
      newest = Math.max(newest, timestamp)
      expect(newest - timestamp).toBeLessThanOrEqual(3 * minuteMs)
    }
  })

  test('requests carry the collector token and ask for event time', async () => {
    const { server } = await publish()
    for (const { url, headers } of server.requests) {
      expect(url).toBe('/messages/batch')
      expect(headers.authorization).toBe('Bearer secret')
      expect(headers['x-isotherm-time']).toBe('event')
      expect(headers['content-type']).toBe('application/x-ndjson')
    }
  })

  test('messages the gateway put to the dead letters are counted', async () => {
    const { summary } = await publish()
    expect(summary.refusedCount).toBe(2 * summary.requestCount)
  })

  test('a full gateway is waited for as long as it says, and nothing is lost', async () => {
    const { summary, server, waits } = await publish({ concurrency: 1 }, (index) => {
      if (index === 1) return { status: 429, retryAfterS: 7 }
      if (index === 2) return { status: 503, retryAfterS: 2 }
      return index === 4 ? { status: 500 } : undefined
    })
    expect(waits.slice(0, 2)).toEqual([7000, 2000])
    expect(summary.retryCount).toBe(3)
    expect(server.messages).toHaveLength(100)
  })

  test('a gateway that closes the socket gets the same bytes again', async () => {
    server = await startBatchServer()
    const { baseUrl } = server
    await server.close()
    let restarted = false
    const messages: unknown[] = []
    const summary = await publishHistory({
      simulator: countingFleet,
      devices: countingFleet.devices({ count: 2, seed: 1 }),
      ...{ faults: [], seed: 1, startMs, endMs: startMs + 5 * minuteMs, baseUrl, token: 't' },
      sleep: async () => {
        if (restarted) return
        restarted = true
        server = await startBatchServer(undefined, Number(new URL(baseUrl).port))
      },
    })
    messages.push(...(server?.messages ?? []))
    expect(summary.retryCount).toBeGreaterThan(0)
    expect(messages).toHaveLength(10)
  })

  test('a refusal ends the run with what the gateway said', async () => {
    await expect(publish({}, () => ({ status: 401 }))).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('answered 401'),
    })
  })

  test('it gives up after the allowed repetitions', async () => {
    await expect(
      publish({ maxRetries: 3, concurrency: 1 }, () => ({ status: 503, retryAfterS: 1 })),
    ).rejects.toThrow('in 3 repetitions')
  })

  test('an abort stops it between batches', async () => {
    const controller = new AbortController()
    const onProgress = () => controller.abort(new Error('enough'))
    await expect(publish({ signal: controller.signal, onProgress })).rejects.toThrow()
    expect(server?.messages.length).toBeLessThan(100)
  })

  test('readings held back by a device come late but all come', async () => {
    const faults = [{ deviceId: 'C-2', mode: 'held', onsetMs: startMs + 5 * minuteMs }]
    const { server } = await publish({ faults, endMs: startMs + 60 * minuteMs })
    expect(server.messages).toHaveLength(300)
    const arrival = server.messages.findIndex(({ device_id, n }) => device_id === 'C-2' && n === 5)
    expect(server.messages[arrival - 1]?.timestamp).toBeGreaterThan(startMs + 25 * minuteMs)
  })

  test('a span that starts after the physics continues it', async () => {
    const { server } = await publish({
      physicsStartMs: startMs - 30 * minuteMs,
      endMs: startMs + minuteMs,
    })
    expect(server.messages.map(({ n }) => n)).toEqual([30, 30, 30, 30, 30])
  })

  test('a plan for a device that is not simulated is refused', async () => {
    const faults = [{ deviceId: 'other', mode: 'silent', onsetMs: startMs }]
    await expect(publish({ faults })).rejects.toThrow('device other is not simulated')
  })
})
