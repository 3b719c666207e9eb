/** The 85 digits in order of value. Source: ZeroMQ RFC 32. */
const digits =
  '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#'

const valueOfCode: Uint8Array = (() => {
  const values = new Uint8Array(128).fill(255)
  for (let value = 0; value < digits.length; value++) values[digits.charCodeAt(value)] = value
  return values
})()

/**
 * The bytes of a Z85 text: each five digits are a 32-bit number, big end first. Source: ZeroMQ RFC 32.
 * @returns undefined if the length is no multiple of five, a character is no digit, or five digits
 * exceed 32 bits
 */
export function decodeZ85(text: string): Uint8Array | undefined {
  if (text.length % 5 !== 0) return undefined
  const bytes = new Uint8Array((text.length / 5) * 4)
  const view = new DataView(bytes.buffer)
  for (let group = 0; group < text.length / 5; group++) {
    let number = 0
    for (let i = 0; i < 5; i++) {
      const value = valueOfCode[text.charCodeAt(group * 5 + i)] ?? 255
      if (value === 255) return undefined
      number = number * 85 + value
    }
    if (number > 0xffff_ffff) return undefined
    view.setUint32(group * 4, number)
  }
  return bytes
}
