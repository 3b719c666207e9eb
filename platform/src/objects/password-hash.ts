import { randomBytes } from 'node:crypto'
import { hashPassword as hashWithSalt } from '../gateway/index.ts'

const saltSize = 16

/**
 * Hash of a device's password with a fresh salt, in the form the gateway checks: two hashes of the
 * same password differ. Takes about 30 ms on purpose.
 */
export function hashPassword(password: string): Promise<string> {
  return hashWithSalt(password, randomBytes(saltSize))
}
