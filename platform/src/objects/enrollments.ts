import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import {
  type Credential,
  type Enrollment,
  type EnrollmentCandidate,
  IsothermError,
  newDevice,
  type ProvisioningDirectory,
  type Registration,
  type RegistrationOutcome,
} from '../contracts/index.ts'
import type { Credentials } from './credentials.ts'
import type { Twins } from './device-twins.ts'
import { oneAtATime } from './one-at-a-time.ts'
import type { Registry } from './registry.ts'
import type { SecretBox } from './secret-box.ts'
import type { Settings } from './settings.ts'
import type { StateDatabase } from './state-database.ts'
import type { JsonObject } from './twin-document.ts'

/** A pair of base64 keys. */
export type KeyPair = { readonly primaryKey: string; readonly secondaryKey: string }

/** An enrollment as it is kept: with the twin its devices begin with. */
export type KeptEnrollment = Enrollment & {
  readonly initialTwin?: { readonly tags?: JsonObject; readonly desired?: JsonObject }
}

/** Enrollments and the devices that registered through them. */
export type Enrollments = ProvisioningDirectory & {
  /** All enrollments, without keys. */
  readonly list: () => readonly KeptEnrollment[]
  /**
   * Adds an enrollment, or changes one of the same id; its keys are made unless given, and returned
   * this once. Keys of an existing one stay when none are given.
   * @throws IsothermError INPUT_INVALID
   */
  readonly put: (enrollment: KeptEnrollment, keys?: KeyPair) => Promise<KeyPair | undefined>
  /** Devices that registered stay. False if there is no such enrollment. */
  readonly remove: (enrollmentId: string) => Promise<boolean>
}

/** Parts a stored entry needs. */
export type EnrollmentParts = {
  readonly database: StateDatabase
  readonly box: SecretBox
  readonly registry: Registry
  readonly credentials: Credentials
  readonly twins: Twins
  readonly settings: Settings
  readonly clock: () => number
}

const idPattern = /^[A-Za-z0-9\-._:]{1,128}$/
const keyBytes = 64
const scopeSetting = 'provisioning.id_scope'

/**
 * Key of one device of a group: HMAC-SHA256 of its registration id under the group's key, base64.
 * Source: the symmetric key attestation of the Azure device provisioning service.
 */
export function deriveDeviceKey(groupKey: string, registrationId: string): string {
  const key = Buffer.from(groupKey, 'base64')
  return createHmac('sha256', key).update(registrationId, 'utf8').digest('base64')
}

function newKeys(): KeyPair {
  const key = () => randomBytes(keyBytes).toString('base64')
  return { primaryKey: key(), secondaryKey: key() }
}

function checkEnrollment({ enrollmentId, kind, attestation, deviceId }: KeptEnrollment): void {
  const refuse = (what: string): never => {
    throw new IsothermError('INPUT_INVALID', `enrollment ${enrollmentId}: ${what}`)
  }
  if (!idPattern.test(enrollmentId)) refuse('the id has 1 to 128 of [A-Za-z0-9-._:]')
  if (deviceId !== undefined && !idPattern.test(deviceId)) refuse(`${deviceId} is no device id`)
  if (kind === 'group' && deviceId !== undefined) refuse('a group has no device id of its own')
  if (kind === 'group' && attestation.kind === 'x509_thumbprint') {
    refuse('a group is proven by an authority, not by one certificate')
  }
  if (kind === 'individual' && attestation.kind === 'x509_ca') {
    refuse('one device is proven by the thumbprint of its certificate')
  }
}

type Kept = { readonly enrollment: KeptEnrollment; readonly secret: string | null }

class Provisioning implements Enrollments {
  readonly idScope: string
  readonly #parts: EnrollmentParts
  readonly #kept: Map<string, Kept>
  readonly #inTurn = oneAtATime()

  constructor(parts: EnrollmentParts, idScope: string, kept: Map<string, Kept>) {
    this.#parts = parts
    this.idScope = idScope
    this.#kept = kept
  }

  list(): readonly KeptEnrollment[] {
    return [...this.#kept.values()].map(({ enrollment }) => enrollment)
  }

  put(enrollment: KeptEnrollment, keys?: KeyPair): Promise<KeyPair | undefined> {
    checkEnrollment(enrollment)
    return this.#inTurn(async () => {
      const { enrollmentId, attestation } = enrollment
      const known = this.#kept.get(enrollmentId)?.secret ?? undefined
      const needsKeys = attestation.kind === 'symmetric_key'
      const fresh = needsKeys ? (keys ?? (known === undefined ? newKeys() : undefined)) : undefined
      const sealed =
        fresh === undefined ? known : this.#parts.box.seal(JSON.stringify(fresh), enrollmentId)
      const secret = needsKeys ? (sealed ?? null) : null
      const row = { body: JSON.stringify(enrollment), secret }
      await this.#parts.database
        .insertInto('enrollments')
        .values({ enrollment_id: enrollmentId, ...row })
        .onConflict((conflict) => conflict.column('enrollment_id').doUpdateSet(row))
        .execute()
      this.#kept.set(enrollmentId, { enrollment, secret })
      return fresh
    })
  }

  remove(enrollmentId: string): Promise<boolean> {
    return this.#inTurn(async () => {
      await this.#parts.database
        .deleteFrom('enrollments')
        .where('enrollment_id', '=', enrollmentId)
        .execute()
      return this.#kept.delete(enrollmentId)
    })
  }

  candidates(registrationId: string): readonly EnrollmentCandidate[] {
    const own = this.#kept.get(registrationId)
    const isIndividual = own?.enrollment.kind === 'individual'
    const found = isIndividual
      ? [own]
      : [...this.#kept.values()].filter(({ enrollment }) => enrollment.kind === 'group')
    return found.map((kept) => {
      const keys = this.#keysOf(kept, registrationId)
      const { enrollment } = kept
      return { enrollment, keys: keys === undefined ? [] : [keys.primaryKey, keys.secondaryKey] }
    })
  }

  register(
    enrollmentId: string,
    registrationId: string,
    thumbprint: string | undefined,
  ): Promise<RegistrationOutcome> {
    return this.#inTurn(() => this.#register(enrollmentId, registrationId, thumbprint))
  }

  async registration(registrationId: string): Promise<Registration | undefined> {
    const row = await this.#parts.database
      .selectFrom('registrations')
      .select('body')
      .where('registration_id', '=', registrationId)
      .executeTakeFirst()
    return row === undefined ? undefined : (JSON.parse(row.body) as Registration)
  }

  /** Keys a device has under an enrollment; those of a group are never stored. */
  #keysOf({ enrollment, secret }: Kept, registrationId: string): KeyPair | undefined {
    if (secret === null) return undefined
    const keys = JSON.parse(this.#parts.box.open(secret, enrollment.enrollmentId)) as KeyPair
    if (enrollment.kind === 'individual') return keys
    return {
      primaryKey: deriveDeviceKey(keys.primaryKey, registrationId),
      secondaryKey: deriveDeviceKey(keys.secondaryKey, registrationId),
    }
  }

  async #register(
    enrollmentId: string,
    registrationId: string,
    thumbprint: string | undefined,
  ): Promise<RegistrationOutcome> {
    const kept = this.#kept.get(enrollmentId)
    if (kept === undefined || !kept.enrollment.isEnabled) {
      return { kind: 'refused', errorCode: 401_002, message: 'the enrollment is not there' }
    }
    const { enrollment } = kept
    const deviceId = enrollment.deviceId ?? registrationId
    const earlier = await this.registration(registrationId)
    const isKnown = this.#parts.registry.device(deviceId) !== undefined
    const isOurs = earlier?.enrollmentId === enrollmentId && earlier.deviceId === deviceId
    if (isKnown && !isOurs && enrollment.kind === 'group') {
      // Who holds a group's key must not take over a device that came another way.
      const message = `device ${deviceId} is registered already, not through this group`
      return { kind: 'refused', errorCode: 409_001, message }
    }
    if (isKnown && isOurs && enrollment.reprovision === 'never') {
      return { kind: 'assigned', registration: earlier }
    }
    await this.#writeDevice(kept, registrationId, deviceId, thumbprint, isKnown)
    const nowMs = this.#parts.clock()
    const again = enrollment.reprovision === 'reset' ? 'deviceDataReset' : 'deviceDataMigrated'
    const registration: Registration = {
      registrationId,
      enrollmentId,
      deviceId,
      operationId: `4.${randomUUID()}`,
      substatus: isKnown && isOurs ? again : 'initialAssignment',
      createdAtMs: isOurs ? earlier.createdAtMs : nowMs,
      updatedAtMs: nowMs,
    }
    const body = JSON.stringify(registration)
    await this.#parts.database
      .insertInto('registrations')
      .values({ registration_id: registrationId, body })
      .onConflict((conflict) => conflict.column('registration_id').doUpdateSet({ body }))
      .execute()
    return { kind: 'assigned', registration }
  }

  async #writeDevice(
    kept: Kept,
    registrationId: string,
    deviceId: string,
    thumbprint: string | undefined,
    isKnown: boolean,
  ): Promise<void> {
    const { registry, credentials, twins, clock } = this.#parts
    const { device = {}, initialTwin, reprovision } = kept.enrollment
    if (!isKnown) {
      await registry.upsert([newDevice({ ...device, device_id: deviceId, valid_from: clock() })])
    }
    const keys = this.#keysOf(kept, registrationId)
    const credential: Credential | undefined =
      keys !== undefined
        ? { kind: 'sas', ...keys }
        : thumbprint === undefined
          ? undefined
          : {
              kind: 'x509_thumbprint',
              primaryThumbprint: thumbprint,
              secondaryThumbprint: null,
            }
    if (credential !== undefined) await credentials.set([{ deviceId, credential }])
    if (initialTwin === undefined || (isKnown && reprovision !== 'reset')) return
    await twins.update(deviceId, { ...initialTwin, isReplace: true })
  }
}

/** Opens the provisioning service; its id scope is made on first use. */
export async function openEnrollments(parts: EnrollmentParts): Promise<Enrollments> {
  const { database, settings } = parts
  const found = await settings.get(scopeSetting)
  let idScope = typeof found === 'string' ? found : ''
  if (idScope === '') {
    idScope = `0ne${randomBytes(4).toString('hex').toUpperCase()}`
    await settings.set(scopeSetting, idScope)
  }
  const rows = await database.selectFrom('enrollments').selectAll().execute()
  const kept = new Map(
    rows.map((row) => {
      const enrollment = JSON.parse(row.body) as KeptEnrollment
      return [row.enrollment_id, { enrollment, secret: row.secret }] as const
    }),
  )
  return new Provisioning(parts, idScope, kept)
}
