import type { DeviceRow } from './device-registry.ts'

/** How the devices of an enrollment prove who they are; secrets are kept apart. */
export type Attestation =
  | { readonly kind: 'symmetric_key' }
  /** Individual: upper-case hexadecimal SHA-256 of the device's certificate. */
  | {
      readonly kind: 'x509_thumbprint'
      readonly primaryThumbprint: string
      readonly secondaryThumbprint: string | null
    }
  /** Group: PEM certificate of the authority that issues the devices' certificates. */
  | { readonly kind: 'x509_ca'; readonly certificate: string }

/** What a repeated registration does to a device that is known already. */
export type ReprovisionPolicy = 'migrate' | 'reset' | 'never'

/** Leave for one device, or a group of devices, to register itself. */
export type Enrollment = {
  /** Registration id of an individual enrollment, name of a group. */
  readonly enrollmentId: string
  readonly kind: 'individual' | 'group'
  readonly attestation: Attestation
  readonly isEnabled: boolean
  /** `migrate` keeps the twin, `reset` begins it anew, `never` changes nothing any more. */
  readonly reprovision: ReprovisionPolicy
  /** Individual: id of the device; default the registration id. */
  readonly deviceId?: string
  /** What the registry says of a device that registers. */
  readonly device?: Partial<Pick<DeviceRow, 'site_id' | 'model' | 'region' | 'equipment_class'>>
}

/** An enrollment a device may belong to, with the keys that device would have. */
export type EnrollmentCandidate = {
  readonly enrollment: Enrollment
  /** Base64; empty for certificates. */
  readonly keys: readonly string[]
}

/** A device that has registered itself. */
export type Registration = {
  readonly registrationId: string
  readonly enrollmentId: string
  readonly deviceId: string
  readonly operationId: string
  readonly substatus: 'initialAssignment' | 'deviceDataMigrated' | 'deviceDataReset'
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

/** Outcome of a registration. */
export type RegistrationOutcome =
  | { readonly kind: 'assigned'; readonly registration: Registration }
  | { readonly kind: 'refused'; readonly errorCode: number; readonly message: string }

/** The provisioning service as the gateway asks it. */
export type ProvisioningDirectory = {
  /** First part of user names and paths of devices that register. */
  readonly idScope: string
  /** The individual enrollment of a device alone, else all groups; disabled ones included. */
  readonly candidates: (registrationId: string) => readonly EnrollmentCandidate[]
  /**
   * Registers a device that has proven itself.
   * @param thumbprint SHA-256 of its certificate, if it has proven itself with one
   */
  readonly register: (
    enrollmentId: string,
    registrationId: string,
    thumbprint: string | undefined,
  ) => Promise<RegistrationOutcome>
  readonly registration: (registrationId: string) => Promise<Registration | undefined>
}
