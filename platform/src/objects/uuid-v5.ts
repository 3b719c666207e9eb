import { createHash } from 'node:crypto'

/** Namespace of every deterministic id of the platform, CON-1 and ING-10. */
const namespace = Buffer.from('3213df8c92185ea59c5ccda929adf038', 'hex')

/** Deterministic id of named parts: UUIDv5 (RFC 9562 section 5.5) over the parts joined by LF. */
export function uuidV5(...parts: readonly string[]): string {
  const bytes = createHash('sha1').update(namespace).update(parts.join('\n')).digest()
  bytes[6] = (bytes[6]! & 0x0f) | 0x50
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex', 0, 16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-')
}
