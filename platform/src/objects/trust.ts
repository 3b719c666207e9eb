import { randomBytes, X509Certificate } from 'node:crypto'
import {
  type CertificateAuthority,
  type CertificateNames,
  IsothermError,
} from '../contracts/index.ts'
import { createListeners } from './listeners.ts'
import { oneAtATime } from './one-at-a-time.ts'
import type { SecretBox } from './secret-box.ts'
import type { StateDatabase } from './state-database.ts'

/** One line of the revocation list. */
export type Revocation = {
  /** Thumbprint or serial number, upper-case hexadecimal. */
  readonly certificate: string
  readonly reason: string
  readonly revokedAtMs: number
}

/** What the deployment trusts beside the devices' own secrets. */
export type Trust = {
  readonly authorities: () => readonly CertificateAuthority[]
  /**
   * Registers a certificate authority; registering it again changes nothing.
   * @throws IsothermError INPUT_INVALID if the text is no PEM certificate that may issue others
   */
  readonly addAuthority: (certificate: string) => Promise<CertificateAuthority>
  /** Sessions that rest on it end. @returns false if it was not registered */
  readonly removeAuthority: (thumbprint: string) => Promise<boolean>
  readonly revocations: () => readonly Revocation[]
  /**
   * Puts a certificate on the revocation list; sessions that rest on it end at once.
   * @param certificate SHA-1 or SHA-256 thumbprint or serial number, hexadecimal
   * @throws IsothermError INPUT_INVALID if it is none of these
   */
  readonly revoke: (certificate: string, reason: string) => Promise<void>
  /** Takes a certificate off the list. @returns false if it was not on it */
  readonly restore: (certificate: string) => Promise<boolean>
  readonly isRevoked: (certificate: CertificateNames) => boolean
  readonly policyNames: () => readonly string[]
  /** Base64 keys of a policy that lets devices connect; empty if there is none. */
  readonly policyKeys: (name: string) => readonly string[]
  /** Sets the two keys of a policy, fresh ones if none are given, and returns them, once. */
  readonly setPolicy: (
    name: string,
    keys?: readonly [primary: string, secondary: string],
  ) => Promise<readonly [primary: string, secondary: string]>
  /** @returns false if there was no such policy */
  readonly removePolicy: (name: string) => Promise<boolean>
  readonly onChange: (listener: () => void) => () => void
}

/** Bytes of a generated key, ING-3. */
const keySize = 32
const policyPattern = /^[A-Za-z0-9\-._]{1,64}$/

function hexOf(text: string): string {
  const digits = text.replaceAll(/[\s:]/g, '').toUpperCase()
  if (/^[0-9A-F]{2,64}$/.test(digits)) return digits
  throw new IsothermError(
    'INPUT_INVALID',
    `certificate ${JSON.stringify(text.slice(0, 80))} is no thumbprint and no serial number; ` +
      'give 2 to 64 hexadecimal digits',
  )
}

function parseAuthority(text: string): CertificateAuthority {
  let parsed: X509Certificate
  try {
    parsed = new X509Certificate(text)
  } catch (cause) {
    throw new IsothermError('INPUT_INVALID', 'authority: the text is no PEM certificate', { cause })
  }
  if (!parsed.ca) {
    throw new IsothermError(
      'INPUT_INVALID',
      `authority: ${parsed.subject.replaceAll('\n', ', ')} may not issue certificates ` +
        '(basicConstraints CA is not set); give the certificate of the authority itself',
    )
  }
  return { thumbprint: hexOf(parsed.fingerprint256), certificate: parsed.toString() }
}

type TrustMemory = {
  readonly authorities: Map<string, CertificateAuthority>
  readonly revoked: Map<string, Revocation>
  readonly policies: Map<string, readonly [string, string]>
}

/** Binds a sealed policy to its name; no device id contains a blank. */
const policyOwner = (name: string) => `policy ${name}`

async function load(database: StateDatabase, box: SecretBox): Promise<TrustMemory> {
  const authorities = await database.selectFrom('certificate_authorities').selectAll().execute()
  const revoked = await database.selectFrom('revoked_certificates').selectAll().execute()
  const policies = await database.selectFrom('connect_policies').selectAll().execute()
  return {
    authorities: new Map(authorities.map((row) => [row.thumbprint, row])),
    revoked: new Map(
      revoked.map((row) => [
        row.certificate,
        { certificate: row.certificate, reason: row.reason, revokedAtMs: row.revoked_at },
      ]),
    ),
    policies: new Map(
      policies.map(({ name, secret }) => [
        name,
        JSON.parse(box.open(secret, policyOwner(name))) as [string, string],
      ]),
    ),
  }
}

type TrustParts = {
  readonly database: StateDatabase
  readonly memory: TrustMemory
  readonly box: SecretBox
  readonly clock: () => number
}

function authorityChanges({ database, memory }: TrustParts) {
  return {
    addAuthority: async (text: string) => {
      const authority = parseAuthority(text)
      const known = memory.authorities.get(authority.thumbprint)
      if (known !== undefined) return known
      await database.insertInto('certificate_authorities').values(authority).execute()
      memory.authorities.set(authority.thumbprint, authority)
      return authority
    },
    removeAuthority: async (text: string) => {
      const thumbprint = hexOf(text)
      if (!memory.authorities.has(thumbprint)) return false
      const rows = database.deleteFrom('certificate_authorities')
      await rows.where('thumbprint', '=', thumbprint).execute()
      return memory.authorities.delete(thumbprint)
    },
  }
}

function revocationChanges({ database, memory, clock }: TrustParts) {
  return {
    revoke: async (text: string, reason: string) => {
      const certificate = hexOf(text)
      const revocation = { certificate, reason, revokedAtMs: clock() }
      await database
        .insertInto('revoked_certificates')
        .values({ certificate, reason, revoked_at: revocation.revokedAtMs })
        .onConflict((conflict) => conflict.column('certificate').doUpdateSet({ reason }))
        .execute()
      memory.revoked.set(certificate, revocation)
    },
    restore: async (text: string) => {
      const certificate = hexOf(text)
      if (!memory.revoked.has(certificate)) return false
      const rows = database.deleteFrom('revoked_certificates')
      await rows.where('certificate', '=', certificate).execute()
      return memory.revoked.delete(certificate)
    },
  }
}

function policyChanges({ database, memory, box }: TrustParts) {
  const freshKey = () => randomBytes(keySize).toString('base64')
  return {
    setPolicy: async (name: string, given?: readonly [string, string]) => {
      if (!policyPattern.test(name)) {
        throw new IsothermError(
          'INPUT_INVALID',
          `policy ${JSON.stringify(name.slice(0, 80))}: use 1 to 64 of A-Z a-z 0-9 - . _`,
        )
      }
      const keys = given ?? ([freshKey(), freshKey()] as const)
      const secret = box.seal(JSON.stringify(keys), policyOwner(name))
      await database
        .insertInto('connect_policies')
        .values({ name, secret })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ secret }))
        .execute()
      memory.policies.set(name, keys)
      return keys
    },
    removePolicy: async (name: string) => {
      if (!memory.policies.has(name)) return false
      await database.deleteFrom('connect_policies').where('name', '=', name).execute()
      return memory.policies.delete(name)
    },
  }
}

/** Opens authorities, revocation list and policies over their tables. */
export async function openTrust(
  database: StateDatabase,
  box: SecretBox,
  clock: () => number,
): Promise<Trust> {
  const memory = await load(database, box)
  const inTurn = oneAtATime()
  const changed = createListeners<undefined>()
  const parts = { database, memory, box, clock }
  /** One change after the other, told once it is on disk. */
  const change =
    <Args extends readonly unknown[], Result>(work: (...args: Args) => Promise<Result>) =>
    (...args: Args) =>
      inTurn(async () => {
        const result = await work(...args)
        changed.tell(undefined)
        return result
      })
  const authorities = authorityChanges(parts)
  const revocations = revocationChanges(parts)
  const policies = policyChanges(parts)
  return {
    authorities: () => [...memory.authorities.values()],
    addAuthority: change(authorities.addAuthority),
    removeAuthority: change(authorities.removeAuthority),
    revocations: () => [...memory.revoked.values()],
    revoke: change(revocations.revoke),
    restore: change(revocations.restore),
    isRevoked: ({ sha1, sha256, serialNumber }) =>
      memory.revoked.has(sha1) || memory.revoked.has(sha256) || memory.revoked.has(serialNumber),
    policyNames: () => [...memory.policies.keys()],
    policyKeys: (name) => memory.policies.get(name) ?? [],
    setPolicy: change(policies.setPolicy),
    removePolicy: change(policies.removePolicy),
    onChange: (listener) => changed.add(() => listener()),
  }
}
