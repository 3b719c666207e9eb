import type { DeviceRow } from './device-registry.ts'

/** How a device proves who it is. SAS keys are base64 of at least 32 random bytes, ING-3. */
export type Credential =
  | { readonly kind: 'sas'; readonly primaryKey: string; readonly secondaryKey: string }
  | { readonly kind: 'password'; readonly username: string; readonly passwordHash: string }

/** What the gateway needs to know about a device at connect time. */
export type DeviceIdentity = {
  readonly device: DeviceRow
  readonly credentials: readonly Credential[]
}

/** A caller that may send for many devices: a collector, an importer. */
export type CollectorIdentity = {
  readonly collectorId: string
  readonly tokenHash: string
  /** May stamp records with the readings' own time: imports and history. */
  readonly mayBackdate: boolean
}

/** Lookup of identities, answered from memory; the state store keeps it fresh, ING-4. */
export type IdentityDirectory = {
  readonly device: (deviceId: string) => DeviceIdentity | undefined
  /** A device by its user name, for plain MQTT clients. */
  readonly deviceByUsername: (username: string) => DeviceIdentity | undefined
  /** Collector by SHA-256 (hex) of its bearer token. */
  readonly collector: (tokenHash: string) => CollectorIdentity | undefined
  /** Calls back when a device's row or credentials change, so that sessions can be closed. */
  readonly onChange: (listener: (deviceId: string) => void) => () => void
}
