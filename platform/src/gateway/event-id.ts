import { hash } from 'node:crypto'

const namespace = Buffer.from('3213df8c92185ea59c5ccda929adf038', 'hex')
const namespaceBytes = namespace.length
/** One buffer for all names: the function is synchronous. Longer names get one of their own. */
const scratch = Buffer.concat([namespace, Buffer.alloc(4_096)])
/** UTF-8 bytes one UTF-16 unit can need. */
const bytesPerUnit = 3
/** Hexadecimal digit with the two upper bits set to the RFC 9562 variant. */
const variantDigits: Readonly<Record<string, string>> = Object.fromEntries(
  [...'0123456789abcdef'].map((digit, value) => [digit, ((value & 3) | 8).toString(16)]),
)

/** UUIDv5 of the Isotherm namespace over parts joined by single line feeds, CON-1. */
function uuidOf(name: string): string {
  const needed = namespaceBytes + name.length * bytesPerUnit
  const buffer =
    needed <= scratch.length ? scratch : Buffer.concat([namespace, Buffer.alloc(needed)])
  const end = namespaceBytes + buffer.write(name, namespaceBytes, 'utf8')
  const hex = hash('sha1', buffer.subarray(0, end), 'hex')
  const variant = variantDigits[hex.charAt(16)]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/**
 * Deterministic id of a message, ING-10: a retry by device or gateway repeats it.
 * @param timestampText as sent; empty if it cannot be read
 * @param messageId of the device; without one the payload's SHA-256 takes its place
 */
export function eventIdOf(
  deviceId: string,
  timestampText: string,
  messageId: string | undefined,
  payload: Uint8Array,
): string {
  const key = messageId ?? hash('sha256', payload, 'hex')
  return uuidOf(`${deviceId}\n${timestampText}\n${key}`)
}
