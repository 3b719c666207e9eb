/** Different texts of a row group as numbers into a list of them. */
export interface TextCodes {
  readonly texts: readonly string[]
  readonly codes: Uint32Array
}

/** Bytes and numbers of different texts up to which a dictionary is kept. */
const maxDictionaryTexts = 65_536
const maxDictionaryUnits = 1_000_000

/** After so many rows a dictionary must have paid: at most half of them different. */
const trialRows = 4096

/** The texts as a dictionary, or undefined if too many differ for it to pay. */
export function textCodes(texts: readonly string[]): TextCodes | undefined {
  const codeOf = new Map<string, number>()
  const codes = new Uint32Array(texts.length)
  let unitCount = 0
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i]!
    let code = codeOf.get(text)
    if (code === undefined) {
      unitCount += text.length
      code = codeOf.size
      const isTooMuch = code === maxDictionaryTexts || unitCount > maxDictionaryUnits
      if (isTooMuch || (i >= trialRows && code > i / 2)) return undefined
      codeOf.set(text, code)
    }
    codes[i] = code
  }
  return { texts: [...codeOf.keys()], codes }
}

/** Byte arrays in the plain encoding: each with its length before it. */
export function plainByteArrays(
  items: readonly Uint8Array[],
  start: number,
  end: number,
): Uint8Array {
  let size = 0
  for (let i = start; i < end; i++) size += 4 + items[i]!.length
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (let i = start; i < end; i++) {
    const item = items[i]!
    view.setUint32(at, item.length, true)
    bytes.set(item, at + 4)
    at += 4 + item.length
  }
  return bytes
}

/** Texts in the plain encoding, as UTF-8. Half a surrogate pair becomes U+FFFD. */
export function plainTexts(texts: readonly string[], start: number, end: number): Uint8Array {
  let unitCount = 0
  for (let i = start; i < end; i++) unitCount += texts[i]!.length
  const bytes = Buffer.allocUnsafeSlow(unitCount * 3 + (end - start) * 4)
  let at = 0
  for (let i = start; i < end; i++) {
    const text = texts[i]!
    const length = asciiCopied(text, bytes, at + 4) ? text.length : bytes.write(text, at + 4)
    bytes[at] = length
    bytes[at + 1] = length >>> 8
    bytes[at + 2] = length >>> 16
    bytes[at + 3] = length >>> 24
    at += 4 + length
  }
  return bytes.subarray(0, at)
}

/** Texts longer than this are faster through the runtime's own encoder. */
const shortText = 24

/** Copies a short text of ASCII; false if it is another. */
function asciiCopied(text: string, bytes: Uint8Array, at: number): boolean {
  if (text.length > shortText) return false
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0x80) return false
    bytes[at + i] = unit
  }
  return true
}
