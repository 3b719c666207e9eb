import type { X509Certificate } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import type { CertificateAuthority, CertificateNames } from '../contracts/index.ts'

/** Links from a device to a registered authority; a longer chain is nobody's. */
const maxChainLength = 5
/** Extended key usages that let a certificate prove a client, RFC 5280 section 4.2.1.12. */
const clientUsages = ['1.3.6.1.5.5.7.3.2', '2.5.29.37.0']

const hex = (text: string) => text.replaceAll(':', '').toUpperCase()

/** Names of a certificate as lists of thumbprints and serial numbers have them. */
export function certificateNames(certificate: X509Certificate): CertificateNames {
  return {
    sha1: hex(certificate.fingerprint),
    sha256: hex(certificate.fingerprint256),
    serialNumber: hex(certificate.serialNumber),
  }
}

/** Streams that run over a socket of another layer, WebSocket for one. */
const carriers = new WeakMap<object, object>()

/** Notes the socket that carries a stream: the peer's certificate is the socket's. */
export function carriedBy(stream: object, socket: object): void {
  carriers.set(stream, socket)
}

/**
 * The certificate a peer has proven to own in its TLS handshake, with those it sent beside it.
 * Undefined without TLS or without a certificate.
 */
export function peerCertificate(stream: object): X509Certificate | undefined {
  const socket = carriers.get(stream) ?? stream
  return socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
}

/** The one common name of a certificate, or undefined if it has none or several. */
export function commonNameOf(certificate: X509Certificate): string | undefined {
  const names = certificate.subject
    .split('\n')
    .filter((line) => line.startsWith('CN='))
    .map((line) => line.slice(3))
  return names.length === 1 ? names[0] : undefined
}

/** Why a certificate does not hold at an instant or for a client, or undefined. */
export function certificateFault(certificate: X509Certificate, nowMs: number): string | undefined {
  if (nowMs < certificate.validFromDate.getTime()) return 'certificate is not valid yet'
  if (nowMs >= certificate.validToDate.getTime()) return 'certificate has expired'
  // Node calls the extended key usages this.
  const usages: readonly string[] | undefined = certificate.keyUsage
  const isForClients = usages === undefined || usages.some((one) => clientUsages.includes(one))
  return isForClients ? undefined : 'certificate is not for clients'
}

/** Outcome of looking for the authority behind a certificate. */
export type ChainVerdict =
  | {
      readonly kind: 'issued'
      /** From the device's certificate to the authority's. */
      readonly chain: readonly CertificateNames[]
      readonly authority: string
    }
  | { readonly kind: 'refused'; readonly reason: string }

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

/**
 * Follows a certificate to a registered authority, over the issuers the peer has sent, checking
 * signature, validity and the right to issue at every link (RFC 5280 section 6.1, without policies
 * and name constraints).
 * @param parse certificate of an authority; the caller may remember it
 */
export function followChain(
  leaf: X509Certificate,
  authorities: readonly CertificateAuthority[],
  parse: (authority: CertificateAuthority) => X509Certificate,
  nowMs: number,
): ChainVerdict {
  const chain: CertificateNames[] = []
  let current = leaf
  while (chain.length < maxChainLength) {
    const fault = certificateFault(current, nowMs)
    if (fault !== undefined && current === leaf) return { kind: 'refused', reason: fault }
    if (fault !== undefined) return { kind: 'refused', reason: `an issuer's ${fault}` }
    chain.push(certificateNames(current))
    for (const authority of authorities) {
      const issuer = parse(authority)
      if (!isIssuedBy(current, issuer)) continue
      const authorityFault = certificateFault(issuer, nowMs)
      if (authorityFault !== undefined) continue
      chain.push(certificateNames(issuer))
      return { kind: 'issued', chain, authority: authority.thumbprint }
    }
    const issuer = current.issuerCertificate
    if (issuer === undefined || !isIssuedBy(current, issuer)) break
    if (issuer.fingerprint256 === current.fingerprint256) break
    current = issuer
  }
  return { kind: 'refused', reason: 'certificate comes from no registered authority' }
}
