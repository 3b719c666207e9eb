import { randomBytes } from 'node:crypto'
import type { Credential } from '../contracts/index.ts'

/** Bytes of a generated key or token, ING-3. */
export const secretSize = 32

/** A fresh pair of SAS keys, ING-3. */
export function generateSasKeys(): Extract<Credential, { kind: 'sas' }> {
  const key = () => randomBytes(secretSize).toString('base64')
  return { kind: 'sas', primaryKey: key(), secondaryKey: key() }
}
