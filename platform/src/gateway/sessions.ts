import type { Credential, DeviceIdentity, IdentityDirectory } from '../contracts/index.ts'
import { disconnectReason } from './mqtt-answers.ts'
import type { MqttSession } from './mqtt-session.ts'

function isSameCredentials(a: readonly Credential[], b: readonly Credential[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** All connections, and the one session each device may have. */
export class Sessions {
  readonly #connections = new Set<MqttSession>()
  readonly #byDevice = new Map<string, MqttSession>()

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
    if (deviceId !== undefined && this.#byDevice.get(deviceId) === connection) {
      this.#byDevice.delete(deviceId)
    }
  }

  /** Gives a device's place to a new session; the older one is closed, ING-6. */
  claim(deviceId: string, session: MqttSession): void {
    const older = this.#byDevice.get(deviceId)
    this.#byDevice.set(deviceId, session)
    older?.close(disconnectReason.sessionTakenOver, 'taken over')
  }

  /** Ends a session whose device may no longer connect as it did; other changes are taken over. */
  deviceChanged(deviceId: string, directory: IdentityDirectory): void {
    const session = this.#byDevice.get(deviceId)
    if (session === undefined) return
    const current: DeviceIdentity | undefined = directory.device(deviceId)
    const isSame =
      current?.device.status === 'active' &&
      session.identity !== undefined &&
      isSameCredentials(current.credentials, session.identity.credentials)
    if (isSame) session.identityChanged(current)
    else session.close(disconnectReason.notAuthorized, 'device changed')
  }

  /** Closes what is silent, late, expired or does not read. */
  sweep(nowMs: number): void {
    for (const connection of this.#connections) connection.checkTime(nowMs)
  }

  all(): readonly MqttSession[] {
    return [...this.#connections]
  }
}
