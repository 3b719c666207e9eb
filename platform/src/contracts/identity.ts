import type { DeviceRow } from './device-registry.ts'

/** How a device proves who it is. SAS keys are base64 of at least 32 random bytes, ING-3. */
export type Credential =
  | { readonly kind: 'sas'; readonly primaryKey: string; readonly secondaryKey: string }
  | {
      readonly kind: 'password'
      readonly username: string
      readonly passwordHash: string
      /** Topics of its own that carry telemetry, beside IoT Hub's; exact names. */
      readonly topics?: readonly string[]
    }
  /** Upper-case hexadecimal SHA-1 (40 digits) or SHA-256 (64) of a client certificate. */
  | {
      readonly kind: 'x509_thumbprint'
      readonly primaryThumbprint: string
      readonly secondaryThumbprint: string | null
    }
  /** A client certificate with the device id as its CN, issued by a registered authority. */
  | { readonly kind: 'x509_ca' }

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

/** A certificate authority whose certificates prove devices. */
export type CertificateAuthority = {
  /** Upper-case hexadecimal SHA-256 of the certificate. */
  readonly thumbprint: string
  /** PEM text of one certificate. */
  readonly certificate: string
}

/** Names of one certificate: the revocation list may hold any of them, upper-case hexadecimal. */
export type CertificateNames = {
  readonly sha1: string
  readonly sha256: string
  readonly serialNumber: string
}

/** Lookup of identities, answered from memory; the state store keeps it fresh, ING-4. */
export type IdentityDirectory = {
  readonly device: (deviceId: string) => DeviceIdentity | undefined
  /** A device by its user name, for plain MQTT clients. */
  readonly deviceByUsername: (username: string) => DeviceIdentity | undefined
  /** Collector by SHA-256 (hex) of its bearer token. */
  readonly collector: (tokenHash: string) => CollectorIdentity | undefined
  /** Authorities that device certificates may come from. */
  readonly authorities: () => readonly CertificateAuthority[]
  readonly isRevoked: (certificate: CertificateNames) => boolean
  /** Base64 keys of a shared access policy that lets devices connect; empty if there is none. */
  readonly policyKeys: (name: string) => readonly string[]
  /** Calls back when a device's row or credentials change, so that sessions can be closed. */
  readonly onChange: (listener: (deviceId: string) => void) => () => void
  /** Calls back when authorities, revocations or policies change: every session is asked again. */
  readonly onTrustChange: (listener: () => void) => () => void
}
