import type { IdentityDirectory } from '../contracts/index.ts'
import { disconnectReason } from './mqtt-answers.ts'
import type { MqttSession } from './mqtt-session.ts'
import type { Presence } from './presence.ts'
import { isStillProven, type Proof } from './proof.ts'

type Place = { readonly session: MqttSession; readonly proof: Proof }

/** All connections, and the one session each device may have. */
export class Sessions {
  readonly #connections = new Set<MqttSession>()
  readonly #byDevice = new Map<string, Place>()
  readonly #presence: Presence
  readonly #clock: () => number

  constructor(presence: Presence, clock: () => number) {
    this.#presence = presence
    this.#clock = clock
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  get sessionCount(): number {
    return this.#byDevice.size
  }

  opened(connection: MqttSession): void {
    this.#connections.add(connection)
  }

  closed(connection: MqttSession, deviceId: string | undefined): void {
    this.#connections.delete(connection)
    if (deviceId !== undefined && this.#byDevice.get(deviceId)?.session === connection) {
      this.#byDevice.delete(deviceId)
      this.#presence.left(deviceId, this.#clock())
    }
  }

  /** Gives a device's place to a new session; the older one is closed, ING-6. */
  claim(deviceId: string, session: MqttSession, proof: Proof): void {
    const older = this.#byDevice.get(deviceId)?.session
    this.#byDevice.set(deviceId, { session, proof })
    const intervalS = session.identity?.device.reporting_interval_s ?? 60
    this.#presence.connected(deviceId, intervalS * 1_000, this.#clock())
    older?.close(disconnectReason.sessionTakenOver, 'taken over')
  }

  /** Ends a session that could not be opened again as it was; other changes are taken over. */
  deviceChanged(deviceId: string, directory: IdentityDirectory): void {
    const place = this.#byDevice.get(deviceId)
    if (place === undefined) return
    const current = directory.device(deviceId)
    if (current !== undefined && isStillProven(place.proof, current, directory)) {
      place.session.identityChanged(current)
    } else place.session.close(disconnectReason.notAuthorized, 'device changed')
  }

  /** Asks of every session whether it may go on: authorities, revocations or policies changed. */
  trustChanged(directory: IdentityDirectory): void {
    for (const deviceId of [...this.#byDevice.keys()]) this.deviceChanged(deviceId, directory)
  }

  /** Closes what is silent, late, expired or does not read. */
  sweep(nowMs: number): void {
    for (const connection of this.#connections) connection.checkTime(nowMs)
  }

  all(): readonly MqttSession[] {
    return [...this.#connections]
  }
}
