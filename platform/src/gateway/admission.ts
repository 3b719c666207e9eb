import { X509Certificate } from 'node:crypto'
import type { CertificateAuthority, DeviceIdentity, IdentityDirectory } from '../contracts/index.ts'
import {
  certificateFault,
  certificateNames,
  commonNameOf,
  followChain,
} from './client-certificate.ts'
import { isDeviceId, parseHubUsername } from './device-names.ts'
import type { PasswordCheck } from './password.ts'
import { hasThumbprint, type Proof } from './proof.ts'
import { isSasToken, policyOfToken, verifySasToken } from './sas-token.ts'

/** Why a device was not let in; what it is told follows from this and says no more. */
export type AdmissionRefusal =
  | 'identifier'
  | 'credentials'
  | 'unauthorized'
  | 'unavailable'
  | 'rate'
  | 'method'

/** Outcome of a CONNECT or of a request with credentials. */
export type Admission =
  | {
      readonly kind: 'admitted'
      readonly identity: DeviceIdentity
      readonly proof: Proof
      /** When the token ends and the session with it. */
      readonly expiresAtMs?: number
    }
  | { readonly kind: 'refused'; readonly refusal: AdmissionRefusal; readonly reason: string }

/** What a client presents. */
export type Presented = {
  readonly clientId: string
  readonly username: string | undefined
  readonly password: string | undefined
  /** Client certificate whose key the TLS handshake has proven. */
  readonly certificate?: X509Certificate | undefined
}

/** What admissions are decided with. */
export type AdmissionDesk = {
  readonly directory: IdentityDirectory
  /** In lower case. */
  readonly hostNames: ReadonlySet<string>
  readonly passwords: PasswordCheck
  readonly tokenLeewayMs: number
}

function refused(refusal: AdmissionRefusal, reason: string): Admission {
  return { kind: 'refused', refusal, reason }
}

/** A registered device that may connect, or why it may not; both refusals look alike outside. */
function activeDevice(desk: AdmissionDesk, deviceId: string): DeviceIdentity | string {
  const identity = desk.directory.device(deviceId)
  if (identity === undefined) return 'device is not registered'
  const { status } = identity.device
  return status === 'active' ? identity : `device is ${status}`
}

/**
 * Checks a token for a device, signed with one of its keys or by a shared access policy; unknown
 * devices, wrong keys and disabled ones answer alike.
 */
export function admitByToken(
  desk: AdmissionDesk,
  deviceId: string,
  token: string,
  nowMs: number,
): Admission {
  const identity = activeDevice(desk, deviceId)
  if (typeof identity === 'string') return refused('unauthorized', identity)
  const policy = policyOfToken(token)
  const keys =
    policy === undefined
      ? identity.credentials.flatMap((credential) =>
          credential.kind === 'sas' ? [credential.primaryKey, credential.secondaryKey] : [],
        )
      : desk.directory.policyKeys(policy)
  const verdict = verifySasToken(token, {
    deviceId,
    keys,
    hostNames: desk.hostNames,
    isPolicy: policy !== undefined,
    nowMs,
    leewayMs: desk.tokenLeewayMs,
  })
  if (verdict.kind === 'refused') return refused('unauthorized', verdict.reason)
  const { key, expiresAtMs } = verdict
  const proof: Proof = policy === undefined ? { kind: 'key', key } : { kind: 'policy', policy, key }
  return { kind: 'admitted', identity, proof, expiresAtMs }
}

/** Certificates of authorities, parsed once; authorities are few and seldom change. */
const parsedAuthorities = new WeakMap<CertificateAuthority, X509Certificate>()

function parseAuthority(authority: CertificateAuthority): X509Certificate {
  const known = parsedAuthorities.get(authority)
  if (known !== undefined) return known
  const parsed = new X509Certificate(authority.certificate)
  parsedAuthorities.set(authority, parsed)
  return parsed
}

/** Checks a client certificate for a device: by its thumbprint, or by its authority and CN. */
export function admitByCertificate(
  desk: AdmissionDesk,
  deviceId: string,
  certificate: X509Certificate,
  nowMs: number,
): Admission {
  const { directory } = desk
  const identity = activeDevice(desk, deviceId)
  if (typeof identity === 'string') return refused('unauthorized', identity)
  const fault = certificateFault(certificate, nowMs)
  if (fault !== undefined) return refused('unauthorized', fault)
  const names = certificateNames(certificate)
  if (directory.isRevoked(names)) return refused('unauthorized', 'certificate is revoked')
  const thumbprint = [names.sha256, names.sha1].find((one) => hasThumbprint(identity, one))
  if (thumbprint !== undefined) {
    const proof: Proof = { kind: 'thumbprint', thumbprint, certificate: names }
    return { kind: 'admitted', identity, proof }
  }
  if (!identity.credentials.some(({ kind }) => kind === 'x509_ca')) {
    return refused('unauthorized', 'certificate is not one of the device')
  }
  if (commonNameOf(certificate) !== deviceId) {
    return refused('unauthorized', 'common name of the certificate is not the device id')
  }
  const found = followChain(certificate, directory.authorities(), parseAuthority, nowMs)
  if (found.kind === 'refused') return refused('unauthorized', found.reason)
  if (found.chain.some((one) => directory.isRevoked(one))) {
    return refused('unauthorized', 'an issuer of the certificate is revoked')
  }
  const { authority, chain } = found
  return { kind: 'admitted', identity, proof: { kind: 'chain', authority, chain } }
}

/** Device id of an IoT Hub client, which its user name must repeat. */
function hubDeviceId(presented: Presented): string | Admission {
  const name = parseHubUsername(presented.username ?? '')
  if (name === undefined) {
    return refused('credentials', 'user name is not {host}/{device id}/?api-version=...')
  }
  if (name.clientId !== presented.clientId) {
    return refused('identifier', 'client id differs from the one in the user name')
  }
  return isDeviceId(name.clientId)
    ? name.clientId
    : refused('identifier', 'client id is not a device id')
}

/** With a certificate the user name may be missing: the client id is then the device's. */
function certifiedDeviceId(presented: Presented): string | Admission {
  const { username, clientId } = presented
  if (username !== undefined && username !== '') return hubDeviceId(presented)
  return isDeviceId(clientId) ? clientId : refused('identifier', 'client id is not a device id')
}

async function admitByPassword(desk: AdmissionDesk, presented: Presented): Promise<Admission> {
  const { username, password } = presented
  if (username === undefined || password === undefined) {
    return refused('credentials', 'user name and password are required')
  }
  const identity = desk.directory.deviceByUsername(username)
  const credential = identity?.credentials.find(
    (own) => own.kind === 'password' && own.username === username,
  )
  if (identity === undefined || credential?.kind !== 'password') {
    return refused('credentials', 'user name is not known')
  }
  const { passwordHash } = credential
  const isRight = await desk.passwords.matches(password, passwordHash)
  if (isRight === undefined) return refused('unavailable', 'too many password checks wait')
  if (!isRight) return refused('credentials', 'password is wrong')
  // Asked again: the check took a while, and the device may have been disabled meanwhile.
  const current = activeDevice(desk, identity.device.device_id)
  if (typeof current === 'string') return refused('unauthorized', current)
  const proof: Proof = { kind: 'password', username, passwordHash }
  return { kind: 'admitted', identity: current, proof }
}

/** Decides who a connecting client is, ING-4 to ING-6. */
export async function admit(
  desk: AdmissionDesk,
  presented: Presented,
  nowMs: number,
): Promise<Admission> {
  const { password, certificate } = presented
  if (password !== undefined && isSasToken(password)) {
    const deviceId = hubDeviceId(presented)
    return typeof deviceId === 'string' ? admitByToken(desk, deviceId, password, nowMs) : deviceId
  }
  const hasPassword = password !== undefined && password !== ''
  if (certificate === undefined || hasPassword) return admitByPassword(desk, presented)
  const deviceId = certifiedDeviceId(presented)
  return typeof deviceId === 'string'
    ? admitByCertificate(desk, deviceId, certificate, nowMs)
    : deviceId
}
