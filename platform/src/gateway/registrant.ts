import { X509Certificate } from 'node:crypto'
import type { EnrollmentCandidate } from '../contracts/index.ts'
import type { Admission, Presented } from './admission.ts'
import {
  certificateFault,
  certificateNames,
  commonNameOf,
  followChain,
} from './client-certificate.ts'
import { isDeviceId } from './device-names.ts'
import type { GatewayCore } from './gateway-core.ts'
import { isSasToken, verifySignature } from './sas-token.ts'

/** A client that has proven it may register, and as what. */
export type Registrant = {
  readonly kind: 'registrant'
  readonly registrationId: string
  readonly enrollmentId: string
  /** SHA-256 of the certificate it has proven itself with. */
  readonly thumbprint: string | undefined
  readonly expiresAtMs: number
}

/** The two parts of a registrant's name. */
export type RegistrantName = { readonly idScope: string; readonly registrationId: string }

/** Reads `{idScope}/registrations/{registrationId}[/api-version=...]`, or undefined. */
export function registrantName(username: string): RegistrantName | undefined {
  const [, idScope, registrationId] =
    /^([^/]+)\/registrations\/([^/?]+)(?:[/?].*)?$/.exec(username) ?? []
  return idScope === undefined || registrationId === undefined
    ? undefined
    : { idScope, registrationId }
}

function refused(reason: string): Admission {
  return { kind: 'refused', refusal: 'unauthorized', reason }
}

function byToken(
  core: GatewayCore,
  name: RegistrantName,
  candidates: readonly EnrollmentCandidate[],
  token: string,
): Admission | Registrant {
  const signed = verifySignature(token, {
    keys: candidates.flatMap(({ keys }) => keys),
    nowMs: core.clock(),
    leewayMs: core.limits.tokenLeewayMs,
  })
  if (signed.kind === 'refused') return refused(signed.reason)
  const { idScope, registrationId } = name
  if (signed.audience !== `${idScope}/registrations/${registrationId}`) {
    return refused('token is for another scope or registration')
  }
  const found = candidates.find(({ keys }) => keys.includes(signed.key))
  if (found?.enrollment.isEnabled !== true) return refused('the enrollment is disabled')
  const { enrollmentId } = found.enrollment
  const { leewayMs, expiresAtMs } = { ...signed, leewayMs: core.limits.tokenLeewayMs }
  return {
    kind: 'registrant',
    registrationId,
    enrollmentId,
    thumbprint: undefined,
    expiresAtMs: expiresAtMs + leewayMs,
  }
}

function isProvenBy(
  certificate: X509Certificate,
  thumbprint: string,
  { enrollment }: EnrollmentCandidate,
  core: GatewayCore,
): boolean {
  const { attestation } = enrollment
  if (attestation.kind === 'x509_thumbprint') {
    const { primaryThumbprint, secondaryThumbprint } = attestation
    return thumbprint === primaryThumbprint || thumbprint === secondaryThumbprint
  }
  if (attestation.kind !== 'x509_ca') return false
  const authority = { thumbprint: '', certificate: attestation.certificate }
  const parse = () => new X509Certificate(attestation.certificate)
  const found = followChain(certificate, [authority], parse, core.clock())
  const { isRevoked } = core.desk.directory
  return found.kind === 'issued' && !found.chain.some((one) => isRevoked(one))
}

function byCertificate(
  core: GatewayCore,
  name: RegistrantName,
  candidates: readonly EnrollmentCandidate[],
  certificate: X509Certificate,
): Admission | Registrant {
  const fault = certificateFault(certificate, core.clock())
  if (fault !== undefined) return refused(fault)
  if (commonNameOf(certificate) !== name.registrationId) {
    return refused('common name of the certificate is not the registration id')
  }
  const names = certificateNames(certificate)
  if (core.desk.directory.isRevoked(names)) return refused('certificate is revoked')
  const found = candidates.find((one) => isProvenBy(certificate, names.sha256, one, core))
  if (found === undefined) return refused('certificate belongs to no enrollment')
  if (!found.enrollment.isEnabled) return refused('the enrollment is disabled')
  return {
    kind: 'registrant',
    registrationId: name.registrationId,
    enrollmentId: found.enrollment.enrollmentId,
    thumbprint: names.sha256,
    expiresAtMs: certificate.validToDate.getTime(),
  }
}

/** Decides who may register: by a token of the enrollment's key, or by a certificate. */
export function admitRegistrant(
  core: GatewayCore,
  name: RegistrantName,
  presented: Presented,
): Admission | Registrant {
  const { provisioning } = core
  const { clientId, password, certificate } = presented
  if (provisioning === undefined || name.idScope !== provisioning.idScope) {
    return refused('another id scope')
  }
  if (clientId !== name.registrationId || !isDeviceId(clientId)) {
    const reason = 'client id is not the registration id'
    return { kind: 'refused', refusal: 'identifier', reason }
  }
  const candidates = provisioning.candidates(name.registrationId)
  if (password !== undefined && isSasToken(password)) {
    return byToken(core, name, candidates, password)
  }
  return certificate === undefined
    ? refused('neither token nor certificate')
    : byCertificate(core, name, candidates, certificate)
}
