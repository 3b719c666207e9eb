import {
  type CertificateNames,
  type DeviceIdentity,
  type IdentityDirectory,
  unreachable,
} from '../contracts/index.ts'

/** What a session was let in with; as long as it holds, the session may go on. */
export type Proof =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'policy'; readonly policy: string; readonly key: string }
  | { readonly kind: 'password'; readonly username: string; readonly passwordHash: string }
  | {
      readonly kind: 'thumbprint'
      /** The one that was registered, SHA-1 or SHA-256. */
      readonly thumbprint: string
      readonly certificate: CertificateNames
    }
  | {
      readonly kind: 'chain'
      /** Thumbprint of the registered authority. */
      readonly authority: string
      readonly chain: readonly CertificateNames[]
    }

/** Whether a device's registered thumbprints hold one. */
export function hasThumbprint(identity: DeviceIdentity, thumbprint: string): boolean {
  return identity.credentials.some(
    (own) =>
      own.kind === 'x509_thumbprint' &&
      (own.primaryThumbprint === thumbprint || own.secondaryThumbprint === thumbprint),
  )
}

function hasKey(identity: DeviceIdentity, key: string): boolean {
  return identity.credentials.some(
    (own) => own.kind === 'sas' && (own.primaryKey === key || own.secondaryKey === key),
  )
}

/**
 * Whether what a device once proved itself with is still accepted. Another key of the same device
 * may change without ending its session: that is how keys are rolled over, ING-5.
 */
export function isStillProven(
  proof: Proof,
  identity: DeviceIdentity,
  directory: IdentityDirectory,
): boolean {
  if (identity.device.status !== 'active') return false
  switch (proof.kind) {
    case 'key':
      return hasKey(identity, proof.key)
    case 'policy':
      return directory.policyKeys(proof.policy).includes(proof.key)
    case 'password':
      return identity.credentials.some(
        (own) =>
          own.kind === 'password' &&
          own.username === proof.username &&
          own.passwordHash === proof.passwordHash,
      )
    case 'thumbprint':
      return hasThumbprint(identity, proof.thumbprint) && !directory.isRevoked(proof.certificate)
    case 'chain':
      return (
        identity.credentials.some(({ kind }) => kind === 'x509_ca') &&
        directory.authorities().some(({ thumbprint }) => thumbprint === proof.authority) &&
        !proof.chain.some((certificate) => directory.isRevoked(certificate))
      )
    default:
      return unreachable(proof)
  }
}
