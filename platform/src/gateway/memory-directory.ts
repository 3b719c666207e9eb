import type {
  CertificateAuthority,
  CertificateNames,
  CollectorIdentity,
  DeviceIdentity,
  IdentityDirectory,
} from '../contracts/index.ts'

/** An identity directory in memory; whoever owns the registry keeps it up to date. */
export class MemoryDirectory implements IdentityDirectory {
  readonly #devices = new Map<string, DeviceIdentity>()
  readonly #deviceIdsByUsername = new Map<string, string>()
  readonly #collectors = new Map<string, CollectorIdentity>()
  readonly #listeners = new Set<(deviceId: string) => void>()
  readonly #trustListeners = new Set<() => void>()
  #authorities: readonly CertificateAuthority[] = []
  readonly #revoked = new Set<string>()
  readonly #policies = new Map<string, readonly string[]>()

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

  authorities(): readonly CertificateAuthority[] {
    return this.#authorities
  }

  isRevoked({ sha1, sha256, serialNumber }: CertificateNames): boolean {
    return [sha1, sha256, serialNumber].some((name) => this.#revoked.has(name))
  }

  policyKeys(name: string): readonly string[] {
    return this.#policies.get(name) ?? []
  }

  onTrustChange(listener: () => void): () => void {
    this.#trustListeners.add(listener)
    return () => this.#trustListeners.delete(listener)
  }

  setAuthorities(authorities: readonly CertificateAuthority[]): void {
    this.#authorities = authorities
    this.#trustChanged()
  }

  /** @param name thumbprint or serial number, upper-case hexadecimal */
  revokeCertificate(name: string): void {
    this.#revoked.add(name)
    this.#trustChanged()
  }

  /** Sets the keys of a shared access policy; none removes it. */
  setPolicy(name: string, keys: readonly string[]): void {
    this.#policies.set(name, keys)
    this.#trustChanged()
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

  #trustChanged(): void {
    for (const listener of this.#trustListeners) listener()
  }

  #changed(deviceId: string): void {
    for (const listener of this.#listeners) listener(deviceId)
  }
}
