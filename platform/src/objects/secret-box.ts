import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { IsothermError } from '../contracts/index.ts'

/** Length of the key that seals credentials, AES-256. */
export const secretKeySize = 32
const nonceSize = 12
const tagSize = 16

/** Encrypts short secrets for storage. */
export type SecretBox = {
  /** Sealed text; `owner` is bound to it, so a row moved to another device does not open. */
  readonly seal: (secret: string, owner: string) => string
  /** @throws IsothermError INPUT_INVALID if the key or owner is another one */
  readonly open: (sealed: string, owner: string) => string
}

/**
 * AES-256-GCM with a fresh random nonce per secret (NIST SP 800-38D section 8.2.2).
 * @throws IsothermError INPUT_INVALID if the key has another length than 32 bytes
 */
export function createSecretBox(key: Uint8Array): SecretBox {
  if (key.length !== secretKeySize) {
    throw new IsothermError(
      'INPUT_INVALID',
      `the state store's secret key has ${key.length} bytes, expected ${secretKeySize}; ` +
        'restore the key file that belongs to this data folder',
    )
  }
  return {
    seal: (secret, owner) => {
      const nonce = randomBytes(nonceSize)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(owner))
      const body = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64')
    },
    open: (sealed, owner) => {
      const bytes = Buffer.from(sealed, 'base64')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceSize))
        .setAAD(Buffer.from(owner))
        .setAuthTag(bytes.subarray(nonceSize, nonceSize + tagSize))
      try {
        const body = bytes.subarray(nonceSize + tagSize)
        return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8')
      } catch (cause) {
        throw new IsothermError(
          'INPUT_INVALID',
          `credentials of ${owner} cannot be opened; the secret key is not the one they were ` +
            'sealed with: restore the key file that belongs to this data folder',
          { cause },
        )
      }
    },
  }
}
