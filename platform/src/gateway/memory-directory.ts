import type { CollectorIdentity, DeviceIdentity, IdentityDirectory } from '../contracts/index.ts'

/** An identity directory in memory; whoever owns the registry keeps it up to date. */
export class MemoryDirectory implements IdentityDirectory {
  readonly #devices = new Map<string, DeviceIdentity>()
  readonly #deviceIdsByUsername = new Map<string, string>()
  readonly #collectors = new Map<string, CollectorIdentity>()
  readonly #listeners = new Set<(deviceId: string) => void>()

  device(deviceId: string): DeviceIdentity | undefined {
    return this.#devices.get(deviceId)
  }

  deviceByUsername(username: string): DeviceIdentity | undefined {
    const deviceId = this.#deviceIdsByUsername.get(username)
    return deviceId === undefined ? undefined : this.#devices.get(deviceId)
  }

  collector(tokenHash: string): CollectorIdentity | undefined {
    return this.#collectors.get(tokenHash)
  }

  onChange(listener: (deviceId: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Adds a device or replaces what was known of it. */
  set(identity: DeviceIdentity): void {
    const deviceId = identity.device.device_id
    this.#forgetUsernames(deviceId)
    this.#devices.set(deviceId, identity)
    for (const credential of identity.credentials) {
      if (credential.kind === 'password') {
        this.#deviceIdsByUsername.set(credential.username, deviceId)
      }
    }
    this.#changed(deviceId)
  }

  remove(deviceId: string): void {
    this.#forgetUsernames(deviceId)
    if (this.#devices.delete(deviceId)) this.#changed(deviceId)
  }

  setCollector(collector: CollectorIdentity): void {
    this.#collectors.set(collector.tokenHash, collector)
  }

  #forgetUsernames(deviceId: string): void {
    for (const credential of this.#devices.get(deviceId)?.credentials ?? []) {
      if (credential.kind === 'password') this.#deviceIdsByUsername.delete(credential.username)
    }
  }

  #changed(deviceId: string): void {
    for (const listener of this.#listeners) listener(deviceId)
  }
}
