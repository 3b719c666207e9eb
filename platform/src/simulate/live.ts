import {
  type FaultPlan,
  IsothermError,
  type SimulatedDevice,
  type SimulatedMessage,
} from '../contracts/index.ts'
import { createArrivals } from './arrivals.ts'
import { type BatchEndpoint, postBatch } from './batch-endpoint.ts'
import { deviceAt, plansByDevice, type SimulationOptions } from './fleet.ts'
import { createHttpsLink, type HttpsTransport } from './https-link.ts'
import { createMqttLink, type LinkContext, type MqttTransport } from './mqtt-link.ts'
import { createOutbox, type Link, type Outbox, type SendCounts } from './outbox.ts'

const minuteMs = 60_000

/** A collector that posts for all devices and stamps event time; the way to run faster than time. */
export type CollectorTransport = { readonly kind: 'collector' } & Pick<
  BatchEndpoint,
  'baseUrl' | 'token' | 'gzip'
>

/** What to publish live, and how. */
export type LiveOptions = SimulationOptions &
  Omit<LinkContext, 'onTrouble'> & {
    /** Simulated instant at which publishing begins; default now. */
    readonly startMs?: number
    /** Simulated time per real time; above 1 only a collector's stamps make sense. Default 1. */
    readonly speed?: number
    readonly transport: MqttTransport | HttpsTransport | CollectorTransport
    readonly nowMs: () => number
    /** Messages a device keeps while the gateway is away; default 1,440, a day (ING-13). */
    readonly bufferedCount?: number
    readonly onTrouble?: LinkContext['onTrouble']
  }

/** A fault to start while publishing; from now on, or from a later instant. */
export type Injection = Omit<FaultPlan, 'onsetMs'> & { readonly onsetMs?: number }

/** A running simulation. */
export type LivePublisher = {
  /** Simulated time now, epoch ms. */
  readonly timeMs: () => number
  /**
   * Starts a fault at the next minute or later; returns the plan as it will happen.
   * @throws IsothermError INPUT_INVALID for an unknown device or mode
   */
  readonly inject: (injection: Injection) => FaultPlan
  /** Ground truth: the faults whose onset has passed. */
  readonly activeFaults: () => readonly FaultPlan[]
  readonly counts: () => SendCounts
  /** Resolves after the signal, once connections are closed; rejects if the gateway refuses. */
  readonly done: Promise<SendCounts>
}

function collectorLink(transport: CollectorTransport, context: LinkContext): Link {
  const endpoint: BatchEndpoint = {
    ...transport,
    sleep: context.sleep,
    signal: context.signal,
    maxRetries: Number.POSITIVE_INFINITY,
    onRetry: (reason) => context.onTrouble('collector', reason),
  }
  const send = async (messages: readonly SimulatedMessage[]) => {
    await postBatch(
      endpoint,
      messages.map(({ payload }) => payload),
    )
  }
  return { batchSize: 5000, send, close: async () => undefined }
}

/** The outbox of each device; a collector has one for all. */
function createOutboxes(
  options: LiveOptions,
  context: LinkContext,
  onFailure: (error: unknown) => void,
): { readonly of: (deviceId: string) => Outbox | undefined; readonly all: readonly Outbox[] } {
  const { transport, devices, bufferedCount = 1440 } = options
  if (transport.kind === 'collector') {
    const link = collectorLink(transport, context)
    const outbox = createOutbox(link, bufferedCount * devices.length, onFailure)
    return { of: () => outbox, all: [outbox] }
  }
  const byDevice = new Map(
    devices.map(({ device_id }) => {
      const link =
        transport.kind === 'mqtt'
          ? createMqttLink(device_id, transport, context)
          : createHttpsLink(device_id, transport, context)
      return [device_id, createOutbox(link, bufferedCount, onFailure)]
    }),
  )
  return { of: (deviceId) => byDevice.get(deviceId), all: [...byDevice.values()] }
}

/** The devices with their faults; injecting one replays its device up to the current minute. */
function createFleet(options: SimulationOptions, startMs: number) {
  const plans = new Map(plansByDevice(options))
  const rows = new Map(options.devices.map((device) => [device.device_id, device]))
  const physics = { ...options, physicsStartMs: options.physicsStartMs ?? startMs }
  const simulated = new Map<string, SimulatedDevice>(
    options.devices.map((device) => [
      device.device_id,
      deviceAt(physics, device, plans.get(device.device_id) ?? [], startMs),
    ]),
  )

  function inject(injection: Injection, nextMinuteMs: number): FaultPlan {
    const device = rows.get(injection.deviceId)
    if (device === undefined) {
      throw new IsothermError(
        'INPUT_INVALID',
        `injected fault ${injection.mode}: device ${injection.deviceId} is not simulated; name one of the ${rows.size} devices`,
      )
    }
    const onsetMs = Math.max(nextMinuteMs, injection.onsetMs ?? 0)
    const plan = { ...injection, onsetMs }
    const all = [...(plans.get(plan.deviceId) ?? []), plan]
    simulated.set(plan.deviceId, deviceAt(physics, device, all, nextMinuteMs))
    plans.set(plan.deviceId, all)
    return plan
  }
  return {
    inject,
    devices: () => [...simulated.values()],
    plans: () => [...plans.values()].flat(),
  }
}

/** Publishes a fleet in real or accelerated time until the signal aborts. */
export function publishLive(options: LiveOptions): LivePublisher {
  const { nowMs, sleep, signal, speed = 1 } = options
  const beganMs = nowMs()
  const firstMinuteMs = Math.floor((options.startMs ?? beganMs) / minuteMs) * minuteMs
  const originMs = options.startMs ?? beganMs
  const timeMs = () => originMs + (nowMs() - beganMs) * speed
  const failure = new AbortController()
  const stop = AbortSignal.any([signal, failure.signal])
  const context = { ...options, signal: stop, onTrouble: options.onTrouble ?? (() => undefined) }
  const onFailure = (error: unknown) => {
    if (!stop.aborted) failure.abort(error)
  }
  const outboxes = createOutboxes(options, context, onFailure)
  const fleet = createFleet(options, firstMinuteMs)
  let nextMinuteMs = firstMinuteMs

  async function waitUntil(simulatedMs: number): Promise<void> {
    const waitMs = (simulatedMs - timeMs()) / speed
    if (waitMs > 0) await sleep(waitMs, stop)
  }

  async function run(): Promise<SendCounts> {
    const arrivals = createArrivals()
    while (!stop.aborted) {
      const minute = nextMinuteMs
      await waitUntil(minute)
      if (stop.aborted) break
      arrivals.measure(fleet.devices(), minute)
      nextMinuteMs = minute + minuteMs
      for (const message of arrivals.takeMinute(minute)) {
        await waitUntil(message.timeMs + message.delayMs)
        if (stop.aborted) break
        outboxes.of(message.deviceId)?.add(message)
      }
    }
    await Promise.all(outboxes.all.map((outbox) => outbox.close()))
    if (failure.signal.aborted) throw failure.signal.reason
    return counts()
  }

  function counts(): SendCounts {
    const all = outboxes.all.map((outbox) => outbox.counts())
    return {
      sentCount: all.reduce((sum, { sentCount }) => sum + sentCount, 0),
      droppedCount: all.reduce((sum, { droppedCount }) => sum + droppedCount, 0),
      waitingCount: all.reduce((sum, { waitingCount }) => sum + waitingCount, 0),
    }
  }
  return {
    timeMs,
    inject: (injection) => fleet.inject(injection, nextMinuteMs),
    activeFaults: () => fleet.plans().filter(({ onsetMs }) => onsetMs <= timeMs()),
    counts,
    done: run(),
  }
}
