import type { ReasonCode } from '../contracts/index.ts'

/** Deepest nesting of arrays and objects a message may have. */
export const maxDepth = 32

/** Where and why a scan stopped; reused for every message, so only valid right after a failure. */
export type ScanFault = {
  reason: ReasonCode
  at: number
  problem: string
}

/** What a scan noticed on its way. */
export type ScanNotes = {
  readonly fault: ScanFault
  /** A raw line break stands between tokens. */
  hasLineBreak: boolean
  /** The last string scanned holds an escape. */
  hasEscape: boolean
  /** The last number scanned has an exponent, so it may be beyond a double. */
  hasExponent: boolean
  /** Position of a key that its object already had, or -1. */
  duplicateKeyAt: number
  duplicateKeyEnd: number
  /** Position of an escaped surrogate without its other half, or -1; no UTF-8 text can hold it. */
  loneSurrogateAt: number
}

export function emptyNotes(): ScanNotes {
  return {
    fault: { reason: 'INVALID_JSON', at: 0, problem: '' },
    hasLineBreak: false,
    hasEscape: false,
    hasExponent: false,
    duplicateKeyAt: -1,
    duplicateKeyEnd: -1,
    loneSurrogateAt: -1,
  }
}

/** Forgets what an earlier message left. */
export function clearNotes(notes: ScanNotes): void {
  notes.hasLineBreak = false
  notes.hasEscape = false
  notes.duplicateKeyAt = -1
  notes.loneSurrogateAt = -1
}

export function fail(notes: ScanNotes, at: number, problem: string): -1 {
  notes.fault.reason = 'INVALID_JSON'
  notes.fault.at = at
  notes.fault.problem = problem
  return -1
}

/** First position at or after `at` that is not JSON white space. */
export function skipBlanks(bytes: Uint8Array, at: number, end: number, notes: ScanNotes): number {
  while (at < end) {
    const byte = bytes[at]!
    if (byte > 0x20) return at
    if (byte === 0x0a || byte === 0x0d) notes.hasLineBreak = true
    else if (byte !== 0x20 && byte !== 0x09) return at
    at++
  }
  return at
}

function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** Code unit of the four hexadecimal digits at `at`, or -1. */
function hexUnit(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 > end) return -1
  let unit = 0
  for (let i = 0; i < 4; i++) {
    const digit = hexValue(bytes[at + i]!)
    if (digit < 0) return -1
    unit = (unit << 4) | digit
  }
  return unit
}

/** Position after the escape whose backslash is at `at`, or -1. */
export function scanEscape(bytes: Uint8Array, at: number, end: number, notes: ScanNotes): number {
  notes.hasEscape = true
  const kind = at + 1 < end ? bytes[at + 1]! : 0
  switch (kind) {
    case 0x22: // "
    case 0x5c: // \
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return at + 2
    case 0x75: // u
      break
    default:
      return fail(notes, at, 'an escape that JSON does not know')
  }
  const unit = hexUnit(bytes, at + 2, end)
  if (unit < 0) return fail(notes, at, 'a \\u escape without four hexadecimal digits')
  if (unit < 0xd800 || unit > 0xdfff) return at + 6
  const isPair = unit < 0xdc00 && bytes[at + 6] === 0x5c && bytes[at + 7] === 0x75
  const low = isPair ? hexUnit(bytes, at + 8, end) : -1
  if (low >= 0xdc00 && low <= 0xdfff) return at + 12
  if (notes.loneSurrogateAt < 0) notes.loneSurrogateAt = at
  return at + 6
}

/** Position of the closing quote of the string whose first character is at `at`, or -1. */
export function scanString(bytes: Uint8Array, at: number, end: number, notes: ScanNotes): number {
  notes.hasEscape = false
  while (at < end) {
    const byte = bytes[at]!
    if (byte === 0x22) return at
    if (byte === 0x5c) {
      at = scanEscape(bytes, at, end, notes)
      if (at < 0) return -1
    } else if (byte < 0x20) return fail(notes, at, 'a control character in a string')
    else at++
  }
  return fail(notes, end, 'the end inside a string')
}

function skipDigits(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && bytes[at]! >= 0x30 && bytes[at]! <= 0x39) at++
  return at
}

/** Position after the number at `at`, or -1. */
export function scanNumber(bytes: Uint8Array, at: number, end: number, notes: ScanNotes): number {
  const start = at
  notes.hasExponent = false
  if (bytes[at] === 0x2d) at++
  const first = at
  at = skipDigits(bytes, at, end)
  if (at === first) return fail(notes, start, 'a number without digits')
  if (at - first > 1 && bytes[first] === 0x30) {
    return fail(notes, start, 'a number that begins with 0')
  }
  if (at < end && bytes[at] === 0x2e) {
    const fraction = at + 1
    at = skipDigits(bytes, fraction, end)
    if (at === fraction) return fail(notes, start, 'a number without digits after the point')
  }
  if (at < end && (bytes[at]! | 0x20) === 0x65) {
    at++
    if (at < end && (bytes[at] === 0x2b || bytes[at] === 0x2d)) at++
    const exponent = at
    at = skipDigits(bytes, exponent, end)
    if (at === exponent) return fail(notes, start, 'a number without digits in the exponent')
    notes.hasExponent = true
  }
  return at
}

const literals = [
  Buffer.from('true'),
  Buffer.from('false'),
  Buffer.from('null'),
] as const satisfies readonly Buffer[]

/** Position after `true`, `false` or `null` at `at`, or -1. */
export function scanLiteral(bytes: Uint8Array, at: number, end: number, notes: ScanNotes): number {
  const first = bytes[at]
  const literal = literals[first === 0x74 ? 0 : first === 0x66 ? 1 : 2]!
  if (at + literal.length > end) return fail(notes, at, 'a word that is no JSON value')
  for (let i = 0; i < literal.length; i++) {
    if (bytes[at + i] !== literal[i]) return fail(notes, at, 'a word that is no JSON value')
  }
  return at + literal.length
}

/** Position after any value at `at`, or -1; `depth` counts the containers around it. */
export function scanValue(
  bytes: Buffer,
  at: number,
  end: number,
  depth: number,
  notes: ScanNotes,
): number {
  if (at >= end) return fail(notes, at, 'the end where a value belongs')
  const byte = bytes[at]!
  if (byte === 0x22) {
    const quote = scanString(bytes, at + 1, end, notes)
    return quote < 0 ? -1 : quote + 1
  }
  if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) return scanNumber(bytes, at, end, notes)
  if (byte === 0x7b || byte === 0x5b) {
    if (depth >= maxDepth) {
      fail(notes, at, `more than ${maxDepth} levels of nesting`)
      notes.fault.reason = 'NESTED_TOO_DEEP'
      return -1
    }
    return byte === 0x7b
      ? scanObject(bytes, at + 1, end, depth + 1, notes)
      : scanArray(bytes, at + 1, end, depth + 1, notes)
  }
  return scanLiteral(bytes, at, end, notes)
}

function scanArray(
  bytes: Buffer,
  at: number,
  end: number,
  depth: number,
  notes: ScanNotes,
): number {
  at = skipBlanks(bytes, at, end, notes)
  if (bytes[at] === 0x5d && at < end) return at + 1
  for (;;) {
    at = scanValue(bytes, skipBlanks(bytes, at, end, notes), end, depth, notes)
    if (at < 0) return -1
    at = skipBlanks(bytes, at, end, notes)
    if (at >= end) return fail(notes, at, 'the end inside an array')
    if (bytes[at] === 0x5d) return at + 1
    if (bytes[at] !== 0x2c) return fail(notes, at, 'no comma between array elements')
    at++
  }
}

/** A key as text; escapes are resolved, so that two spellings of a key are one key. */
export function keyText(bytes: Buffer, start: number, end: number, hasEscape: boolean): string {
  const text = bytes.toString('utf8', start, end)
  return hasEscape ? String(JSON.parse(`"${text}"`)) : text
}

function scanObject(
  bytes: Buffer,
  at: number,
  end: number,
  depth: number,
  notes: ScanNotes,
): number {
  at = skipBlanks(bytes, at, end, notes)
  if (bytes[at] === 0x7d && at < end) return at + 1
  const keys = new Set<string>()
  for (;;) {
    at = skipBlanks(bytes, at, end, notes)
    if (at >= end || bytes[at] !== 0x22) return fail(notes, at, 'no key where one belongs')
    const keyStart = at + 1
    const quote = scanString(bytes, keyStart, end, notes)
    if (quote < 0) return -1
    const key = keyText(bytes, keyStart, quote, notes.hasEscape)
    if (keys.has(key) && notes.duplicateKeyAt < 0) {
      notes.duplicateKeyAt = keyStart
      notes.duplicateKeyEnd = quote
    }
    keys.add(key)
    at = skipBlanks(bytes, quote + 1, end, notes)
    if (at >= end || bytes[at] !== 0x3a) return fail(notes, at, 'no colon after a key')
    at = scanValue(bytes, skipBlanks(bytes, at + 1, end, notes), end, depth, notes)
    if (at < 0) return -1
    at = skipBlanks(bytes, at, end, notes)
    if (at >= end) return fail(notes, at, 'the end inside an object')
    if (bytes[at] === 0x7d) return at + 1
    if (bytes[at] !== 0x2c) return fail(notes, at, 'no comma between object members')
    at++
  }
}
