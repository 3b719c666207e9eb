import { setImmediate } from 'node:timers/promises'
import type { SimulatedMessage } from '../contracts/index.ts'
import { createArrivals } from './arrivals.ts'
import { type BatchEndpoint, postBatch } from './batch-endpoint.ts'
import { deviceAt, minuteAtOrAfter, plansByDevice, type SimulationOptions } from './fleet.ts'

const minuteMs = 60_000

/** What to publish as history, and where. */
export type HistoryOptions = SimulationOptions &
  BatchEndpoint & {
    /** Readings of [startMs, endMs) are published. */
    readonly startMs: number
    readonly endMs: number
    /** Messages sent before the next are generated; default 5,000. */
    readonly batchSize?: number
    /** Requests at a time; each carries other devices, so the order per device holds. Default 2. */
    readonly concurrency?: number
    /**
     * Told the messages accepted so far and how far the fleet's clock has got. The next batch waits
     * for a promise it returns.
     */
    readonly onProgress?: (messageCount: number, timeMs: number) => void | Promise<void>
  }

/** What a history run did. */
export type HistorySummary = {
  /** Messages the gateway has on disk, dead letters included. */
  readonly messageCount: number
  readonly refusedCount: number
  readonly requestCount: number
  readonly retryCount: number
  readonly byteCount: number
}

/** One stripe of devices per request at a time; a device always uses the same stripe. */
function stripesOf(devices: HistoryOptions['devices'], count: number): ReadonlyMap<string, number> {
  return new Map(devices.map(({ device_id }, index) => [device_id, index % count]))
}

/**
 * Publishes a span of simulated history through the gateway's batch endpoint, all devices minute
 * by minute in order of arrival. The gateway stamps each message with its `sent_at`, which is
 * reading time plus delay. While one batch is on its way the next is generated; a slow gateway
 * (429, 503, `Retry-After`) slows the simulation, nothing is dropped.
 * @throws IsothermError INPUT_INVALID if messages are refused; the signal's reason on abort
 */
export async function publishHistory(options: HistoryOptions): Promise<HistorySummary> {
  const { devices, endMs, batchSize = 5000, concurrency = 2, onProgress } = options
  const startMs = minuteAtOrAfter(options.startMs)
  const plans = plansByDevice(options)
  const fleet = devices.map((device) =>
    deviceAt(options, device, plans.get(device.device_id) ?? [], startMs),
  )
  const stripeOf = stripesOf(devices, concurrency)
  const summary = {
    ...{ messageCount: 0, refusedCount: 0 },
    ...{ requestCount: 0, retryCount: 0, byteCount: 0 },
  }
  const endpoint: BatchEndpoint = {
    ...options,
    onRetry: (reason) => {
      summary.retryCount += 1
      options.onRetry?.(reason)
    },
  }
  let stripes: string[][] = Array.from({ length: concurrency }, () => [])
  let waiting = 0
  let underWay: Promise<void> = Promise.resolve()

  async function post(bodies: readonly (readonly string[])[], count: number, timeMs: number) {
    const filled = bodies.filter(({ length }) => length > 0)
    const posted = await Promise.all(filled.map((body) => postBatch(endpoint, body)))
    summary.requestCount += posted.length
    summary.byteCount += posted.reduce((sum, { byteCount }) => sum + byteCount, 0)
    summary.refusedCount += posted.reduce((sum, { refusedCount }) => sum + refusedCount, 0)
    summary.messageCount += count
    await onProgress?.(summary.messageCount, timeMs)
  }

  /** Waits for the batch under way, then sends what waits. */
  async function flush(timeMs: number): Promise<void> {
    await underWay
    underWay = post(stripes, waiting, timeMs)
    // A failure is reported by the next await; until then it must not count as unhandled.
    underWay.catch(() => undefined)
    stripes = Array.from({ length: concurrency }, () => [])
    waiting = 0
    await setImmediate()
  }

  async function enqueue(messages: readonly SimulatedMessage[], timeMs: number): Promise<void> {
    for (const { deviceId, payload } of messages) {
      stripes[stripeOf.get(deviceId) ?? 0]?.push(payload)
      waiting += 1
      if (waiting >= batchSize) await flush(timeMs)
    }
  }

  const arrivals = createArrivals()
  for (let timeMs = startMs; timeMs < endMs; timeMs += minuteMs) {
    options.signal?.throwIfAborted()
    arrivals.measure(fleet, timeMs)
    await enqueue(arrivals.takeMinute(timeMs), timeMs)
  }
  await enqueue(arrivals.takeRest(), endMs)
  await flush(endMs)
  await underWay
  return summary
}
