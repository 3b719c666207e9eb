import type { HubStores, MethodCall, MethodOutcome } from '../contracts/index.ts'
import type { HubTopics } from './hub-topics.ts'

/** Calls that wait for a device or its answer, all devices together. */
const maxCalls = 10_000
/** Calls one device may have open: it answers them one after the other. */
const maxCallsOfDevice = 32
const defaultResponseMs = 30_000

type OpenCall = {
  readonly deviceId: string
  readonly settle: (outcome: MethodOutcome) => void
}

/** Stands between the stores of the hub and the devices that are connected now. */
export class HubDesk {
  readonly stores: HubStores
  readonly #topics = new Map<string, HubTopics>()
  readonly #calls = new Map<string, OpenCall>()
  readonly #callCounts = new Map<string, number>()
  readonly #awaited = new Map<string, Set<() => void>>()
  readonly #stopListening: readonly (() => void)[]
  #lastRequest = 0

  constructor(stores: HubStores) {
    this.stores = stores
    this.#stopListening = [
      stores.messages.onQueued((deviceId) => this.#topics.get(deviceId)?.deliver()),
      stores.twins.onDesired(({ deviceId, patch, version }) =>
        this.#topics.get(deviceId)?.pushDesired(patch, version),
      ),
    ]
  }

  opened(deviceId: string, topics: HubTopics): void {
    this.#topics.set(deviceId, topics)
  }

  closed(deviceId: string, topics: HubTopics): void {
    if (this.#topics.get(deviceId) === topics) this.#topics.delete(deviceId)
  }

  /** A device takes method calls from now on. */
  takesMethods(deviceId: string): void {
    for (const wake of this.#awaited.get(deviceId) ?? []) wake()
  }

  /** Calls a method of a device and waits for the answer; calls are neither queued nor ordered. */
  async call(deviceId: string, call: MethodCall): Promise<MethodOutcome> {
    const openCount = this.#callCounts.get(deviceId) ?? 0
    if (this.#calls.size >= maxCalls || openCount >= maxCallsOfDevice) return { kind: 'busy' }
    this.#callCounts.set(deviceId, openCount + 1)
    try {
      if (!this.#isListening(deviceId)) await this.#connection(deviceId, call.connectTimeoutMs ?? 0)
      return await this.#ask(deviceId, call)
    } finally {
      const left = (this.#callCounts.get(deviceId) ?? 1) - 1
      if (left === 0) this.#callCounts.delete(deviceId)
      else this.#callCounts.set(deviceId, left)
    }
  }

  /** An answer of a device; one that nobody waits for, or of another device, is left alone. */
  answered(deviceId: string, requestId: string, status: number, payload: string): void {
    const open = this.#calls.get(requestId)
    if (open?.deviceId === deviceId) open.settle({ kind: 'answered', status, payload })
  }

  close(): void {
    for (const stop of this.#stopListening) stop()
    for (const { settle } of this.#calls.values()) settle({ kind: 'offline' })
    for (const waiting of this.#awaited.values()) for (const wake of waiting) wake()
  }

  #isListening(deviceId: string): boolean {
    return this.#topics.get(deviceId)?.takesMethods === true
  }

  #ask(deviceId: string, call: MethodCall): Promise<MethodOutcome> {
    const topics = this.#topics.get(deviceId)
    const requestId = String(++this.#lastRequest)
    const isSent = topics?.pushMethod(call.methodName, requestId, call.payload) === true
    if (!isSent) return Promise.resolve({ kind: 'offline' })
    const waitedMs = call.responseTimeoutMs ?? defaultResponseMs
    return new Promise((resolve) => {
      const settle = (outcome: MethodOutcome) => {
        clearTimeout(timer)
        this.#calls.delete(requestId)
        resolve(outcome)
      }
      const timer = setTimeout(() => settle({ kind: 'no answer', waitedMs }), waitedMs)
      this.#calls.set(requestId, { deviceId, settle })
    })
  }

  /** Resolves when the device takes methods, or the time is over. */
  #connection(deviceId: string, waitMs: number): Promise<void> {
    if (waitMs <= 0) return Promise.resolve()
    return new Promise((resolve) => {
      const waiting = this.#awaited.get(deviceId) ?? new Set()
      const wake = () => {
        clearTimeout(timer)
        waiting.delete(wake)
        if (waiting.size === 0) this.#awaited.delete(deviceId)
        resolve()
      }
      const timer = setTimeout(wake, waitMs)
      waiting.add(wake)
      this.#awaited.set(deviceId, waiting)
    })
  }
}
