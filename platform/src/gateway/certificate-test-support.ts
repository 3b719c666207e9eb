import { X509Certificate } from 'node:crypto'
import { generate } from 'selfsigned'
import type { CertificateAuthority } from '../contracts/index.ts'
import { certificateNames } from './client-certificate.ts'

/** A certificate with its key, PEM. */
export type KeyPair = { readonly cert: string; readonly key: string }

const dayMs = 86_400_000

/** A certificate of our own, self-signed unless an issuer is given. */
export async function makeCertificate(options: {
  readonly commonName: string
  readonly nowMs: number
  readonly isAuthority?: boolean
  readonly issuer?: KeyPair
  /** Days from now; default yesterday until in a year. */
  readonly validDays?: readonly [from: number, until: number]
  readonly usage?: 'serverAuth' | 'clientAuth'
}): Promise<KeyPair> {
  const { commonName, nowMs, isAuthority = false, issuer, validDays = [-1, 365], usage } = options
  const made = await generate([{ name: 'commonName', value: commonName }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(nowMs + validDays[0] * dayMs),
    notAfterDate: new Date(nowMs + validDays[1] * dayMs),
    ...(issuer !== undefined && { ca: issuer }),
    extensions: [
      { name: 'basicConstraints', cA: isAuthority, critical: true },
      ...(usage === undefined ? [] : [{ name: 'extKeyUsage' as const, [usage]: true }]),
    ],
  })
  return { cert: made.cert, key: made.private }
}

/** An authority as the registry keeps it. */
export function authorityOf({ cert }: KeyPair): CertificateAuthority {
  return { thumbprint: certificateNames(new X509Certificate(cert)).sha256, certificate: cert }
}
