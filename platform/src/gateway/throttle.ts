import type { DoorBooks } from '../contracts/index.ts'
import type { Counters } from './counters.ts'
import type { GatewayLimits } from './limits.ts'
import { TokenBucket } from './token-bucket.ts'

/** Rates of ING-12: per device, for the deployment, and for new connections. */
export class Throttle {
  readonly #limits: GatewayLimits
  readonly #devices = new Map<string, TokenBucket>()
  readonly #tenants = new Map<string, TokenBucket>()
  readonly #tenantOf: (deviceId: string) => string | undefined
  readonly #deployment: TokenBucket
  readonly #connections: TokenBucket
  readonly #counters: Counters
  readonly #books: DoorBooks | undefined
  #noted: Promise<void> = Promise.resolve()

  constructor(
    limits: GatewayLimits,
    counters: Counters,
    nowMs: number,
    more: {
      readonly books?: DoorBooks | undefined
      /** Whose rate a device shares; default: nobody's. */
      readonly tenantOf?: (deviceId: string) => string | undefined
    } = {},
  ) {
    this.#books = more.books
    this.#tenantOf = more.tenantOf ?? (() => undefined)
    this.#limits = limits
    this.#counters = counters
    this.#deployment = new TokenBucket(
      limits.deploymentMessagesPerSecond,
      limits.deploymentBurst,
      nowMs,
    )
    this.#connections = new TokenBucket(
      limits.connectionsPerSecond,
      limits.connectionsPerSecond,
      nowMs,
    )
  }

  /** Bucket of a device; it outlives sessions, so that reconnecting refills nothing. */
  #bucket(deviceId: string, nowMs: number): TokenBucket {
    let bucket = this.#devices.get(deviceId)
    if (bucket === undefined) {
      const { deviceMessagesPerSecond, deviceBurst } = this.#limits
      bucket = new TokenBucket(deviceMessagesPerSecond, deviceBurst, nowMs)
      this.#devices.set(deviceId, bucket)
    }
    return bucket
  }

  /** Bucket of a device's tenant; undefined without a rate for tenants. */
  #tenantBucket(deviceId: string, nowMs: number): TokenBucket | undefined {
    const { tenantMessagesPerSecond: rate, tenantBurst } = this.#limits
    if (rate === 0) return undefined
    const tenant = this.#tenantOf(deviceId)
    if (tenant === undefined) return undefined
    let bucket = this.#tenants.get(tenant)
    if (bucket === undefined) {
      bucket = new TokenBucket(rate, tenantBurst === 0 ? 60 * rate : tenantBurst, nowMs)
      this.#tenants.set(tenant, bucket)
    }
    return bucket
  }

  /** Resolves when what was turned away so far is in the ledger. */
  noted(): Promise<void> {
    return this.#noted
  }

  #turnAway(deviceId: string, count: number, atMs: number): void {
    if (this.#books === undefined) return
    const notes = [{ deviceId, atMs, kind: 'OVER_RATE', count }] as const
    this.#noted = this.#books
      .note(notes)
      .catch(() => this.#counters.add('gateway_append_errors_total', 'code', 'DISK_FULL'))
  }

  /**
   * Delay of the answer to one message, in ms; it is counted if there is one. Over `maxDelayMs` the
   * message is turned away and takes nothing: a device that comes again and again must not use up
   * what its site and the others share.
   */
  message(deviceId: string, nowMs: number): number {
    const bucket = this.#bucket(deviceId, nowMs)
    const tenantBucket = this.#tenantBucket(deviceId, nowMs)
    const own = bucket.waitMs(nowMs)
    const shared = this.#deployment.waitMs(nowMs)
    const tenant = tenantBucket?.waitMs(nowMs) ?? 0
    if (own > 0) this.#counters.add('gateway_throttled_total', 'scope', 'device')
    if (shared > 0) this.#counters.add('gateway_throttled_total', 'scope', 'deployment')
    if (tenant > 0) this.#counters.add('gateway_throttled_total', 'scope', 'tenant')
    const delayMs = Math.max(own, shared, tenant)
    if (delayMs > this.#limits.maxDelayMs) {
      this.#turnAway(deviceId, 1, nowMs)
      return delayMs
    }
    bucket.take(1, nowMs)
    this.#deployment.take(1, nowMs)
    tenantBucket?.take(1, nowMs)
    return delayMs
  }

  /** Takes a batch from the deployment's rate unless it is exhausted; else the wait in ms. */
  batch(count: number, nowMs: number): number {
    const waitMs = this.#deployment.waitMs(nowMs)
    if (waitMs === 0) this.#deployment.take(count, nowMs)
    else {
      this.#counters.add('gateway_throttled_total', 'scope', 'deployment')
      this.#turnAway('', count, nowMs)
    }
    return waitMs
  }

  /** Takes messages for a requester that can be told to come back; else the wait in ms. */
  request(deviceId: string, nowMs: number, count: number): number {
    const bucket = this.#bucket(deviceId, nowMs)
    const own = bucket.waitMs(nowMs)
    const shared = this.#deployment.waitMs(nowMs)
    const tenantBucket = this.#tenantBucket(deviceId, nowMs)
    const tenant = tenantBucket?.waitMs(nowMs) ?? 0
    if (own === 0 && shared === 0 && tenant === 0) {
      bucket.take(count, nowMs)
      tenantBucket?.take(count, nowMs)
      this.#deployment.take(count, nowMs)
      return 0
    }
    const most = Math.max(own, shared, tenant)
    const scope = most === own ? 'device' : most === tenant ? 'tenant' : 'deployment'
    this.#counters.add('gateway_throttled_total', 'scope', scope)
    this.#turnAway(deviceId, count, nowMs)
    return most
  }

  /**
   * Delay of a new connection, in ms. One that would wait too long takes nothing: clients that are
   * sent away and come again must not use up the places of those who wait.
   */
  connection(nowMs: number): number {
    const waitMs = this.#connections.waitMs(nowMs)
    const delayMs = waitMs > this.#limits.maxDelayMs ? waitMs : this.#connections.take(1, nowMs)
    if (delayMs > 0) this.#counters.add('gateway_throttled_total', 'scope', 'connect')
    return delayMs
  }

  /**
   * Messages of one session that may wait for their answers before the next one is read. While all
   * devices together are over their rate it is one, so that what there is is shared evenly and
   * nobody waits behind the windows of others, ING-14.
   */
  window(nowMs: number): number {
    return this.#deployment.waitMs(nowMs) > 0 ? 1 : this.#limits.maxUnacknowledged
  }

  /** Forgets devices whose bucket is full again, so that memory follows the active fleet. */
  forgetIdle(nowMs: number): void {
    for (const [deviceId, bucket] of this.#devices) {
      if (bucket.isFull(nowMs)) this.#devices.delete(deviceId)
    }
    for (const [tenant, bucket] of this.#tenants) {
      if (bucket.isFull(nowMs)) this.#tenants.delete(tenant)
    }
  }
}
