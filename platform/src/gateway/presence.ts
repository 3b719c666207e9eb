/** What became of a device's presence. */
export type PresenceEvent = {
  readonly deviceId: string
  /** `stopped reporting` is silence, whatever the connection does. */
  readonly kind: 'online' | 'offline' | 'stopped reporting' | 'reporting again'
  readonly atMs: number
}

type Seen = {
  /** When the last connection ended; undefined while there is one. */
  leftMs: number | undefined
  lastHeardMs: number
  intervalMs: number
  isOnline: boolean
  isSilent: boolean
}

/** Renewing a token breaks the connection every 45 minutes; a device is back within seconds. */
const graceMs = 60_000
/** Intervals without a message after which a device counts as silent. */
const silentIntervals = 1.5

/**
 * Who is connected and who reports. A connection that ends is told only when it has not come back
 * within a grace of a minute, so that a device which renews its token is never offline; a device
 * whose messages stop is found within two of its reporting intervals, also if it stays connected.
 * One entry for each device heard since the start.
 */
export class Presence {
  readonly #seen = new Map<string, Seen>()
  readonly #listeners = new Set<(event: PresenceEvent) => void>()
  #onlineCount = 0
  #silentCount = 0

  get onlineCount(): number {
    return this.#onlineCount
  }

  get silentCount(): number {
    return this.#silentCount
  }

  onEvent(listener: (event: PresenceEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  connected(deviceId: string, intervalMs: number, nowMs: number): void {
    const seen = this.#of(deviceId, intervalMs, nowMs)
    seen.leftMs = undefined
    if (seen.isOnline) return
    seen.isOnline = true
    this.#onlineCount++
    this.#tell({ deviceId, kind: 'online', atMs: nowMs })
  }

  left(deviceId: string, nowMs: number): void {
    const seen = this.#seen.get(deviceId)
    if (seen !== undefined) seen.leftMs = nowMs
  }

  /** A message came. */
  heard(deviceId: string, intervalMs: number, nowMs: number): void {
    const seen = this.#of(deviceId, intervalMs, nowMs)
    seen.lastHeardMs = nowMs
    seen.intervalMs = intervalMs
    if (!seen.isSilent) return
    seen.isSilent = false
    this.#silentCount--
    this.#tell({ deviceId, kind: 'reporting again', atMs: nowMs })
  }

  /** Finds who has left and who has fallen silent; to be called every few seconds. */
  sweep(nowMs: number): void {
    for (const [deviceId, seen] of this.#seen) {
      if (seen.isOnline && seen.leftMs !== undefined && nowMs - seen.leftMs >= graceMs) {
        seen.isOnline = false
        this.#onlineCount--
        this.#tell({ deviceId, kind: 'offline', atMs: nowMs })
      }
      if (!seen.isSilent && nowMs - seen.lastHeardMs > silentIntervals * seen.intervalMs) {
        seen.isSilent = true
        this.#silentCount++
        this.#tell({ deviceId, kind: 'stopped reporting', atMs: nowMs })
      }
    }
  }

  #of(deviceId: string, intervalMs: number, nowMs: number): Seen {
    let seen = this.#seen.get(deviceId)
    if (seen === undefined) {
      seen = {
        leftMs: nowMs,
        lastHeardMs: nowMs,
        intervalMs,
        isOnline: false,
        isSilent: false,
      }
      this.#seen.set(deviceId, seen)
    }
    return seen
  }

  #tell(event: PresenceEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}
