import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'

/** Cost of new hashes: 16 MiB and about 30 ms, RFC 7914 section 2. */
const cost = { N: 16_384, r: 8, p: 1 } as const
const keySize = 32
const saltSize = 16

function derive(password: string, salt: Uint8Array, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, keySize, options, (cause, key) =>
      cause === null ? resolve(key) : reject(cause),
    )
  })
}

/**
 * Hash of a password as `scrypt$N$r$p$salt$key`, salt and key in base64. Two hashes of the same
 * password differ by their salt.
 */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltSize)
  const key = await derive(password, salt, cost)
  const parts = [cost.N, cost.r, cost.p, salt.toString('base64'), key.toString('base64')]
  return `scrypt$${parts.join('$')}`
}

/** True if the password belongs to the hash; constant time; false for a hash of another form. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const [scheme, n, r, p, salt, key] = hash.split('$')
  if (scheme !== 'scrypt' || salt === undefined || key === undefined) return false
  const expected = Buffer.from(key, 'base64')
  if (expected.length !== keySize) return false
  const options = { N: Number(n), r: Number(r), p: Number(p) }
  return timingSafeEqual(await derive(password, Buffer.from(salt, 'base64'), options), expected)
}
