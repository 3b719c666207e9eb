import type { PresenceEvent } from '../gateway/index.ts'

/** What is known of a device's presence since the start of the server. */
export type DevicePresence = {
  readonly isConnected: boolean
  /** False from the moment it fell silent until it reports again. */
  readonly isReporting: boolean
  readonly changedMs: number
}

/** Events kept for people who come later. */
const keptCount = 500

/**
 * The newest of what the gateway told about devices that come, leave, fall silent and report
 * again. One entry for each device heard of since the start, as the gateway itself keeps.
 */
export class PresenceBoard {
  readonly #devices = new Map<string, DevicePresence>()
  readonly #events: PresenceEvent[] = []

  note(event: PresenceEvent): void {
    const before = this.#devices.get(event.deviceId)
    const isConnected =
      event.kind === 'online' || (event.kind !== 'offline' && before?.isConnected === true)
    const isReporting =
      event.kind === 'reporting again' ||
      (event.kind !== 'stopped reporting' && before?.isReporting !== false)
    this.#devices.set(event.deviceId, { isConnected, isReporting, changedMs: event.atMs })
    this.#events.push(event)
    if (this.#events.length > keptCount) this.#events.shift()
  }

  /** Undefined for a device that was not heard of since the start. */
  of(deviceId: string): DevicePresence | undefined {
    return this.#devices.get(deviceId)
  }

  /** Newest first. */
  events(): readonly PresenceEvent[] {
    return this.#events.toReversed()
  }

  counts(): { readonly connected: number; readonly silent: number } {
    let connected = 0
    let silent = 0
    for (const { isConnected, isReporting } of this.#devices.values()) {
      if (isConnected) connected++
      if (!isReporting) silent++
    }
    return { connected, silent }
  }
}
