/** Words of 32 bits in an id. */
export const wordsPerId = 4
/** The id that was parsed last: one for all, so that no message allocates one. */
export const parsed = new Uint32Array(wordsPerId)

const notADigit = 255
/** Value of a hexadecimal digit by its character code. */
const digitValues = new Uint8Array(128).fill(notADigit)
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  digitValues[digit.charCodeAt(0)] = value
  digitValues[digit.toUpperCase().charCodeAt(0)] = value
}
/** Where the digits of a UUID stand, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. */
const digitPlaces = Uint8Array.from(
  Array.from({ length: 36 }, (_, i) => i).filter((i) => ![8, 13, 18, 23].includes(i)),
)

let lastId = ''

/**
 * Reads a UUID into `parsed`; false if the text is none. Digit by digit: cutting it up would make
 * garbage. The same id is often asked for several times in a row, and read once.
 */
export function parseId(id: string): boolean {
  if (id === lastId) return parsed[1] !== 0
  lastId = ''
  if (id.length !== 36) return false
  let word = 0
  for (let i = 0; i < 32; i++) {
    const code = id.charCodeAt(digitPlaces[i]!)
    const value = code < 128 ? digitValues[code]! : notADigit
    if (value === notADigit) return false
    word = (word << 4) | value
    if ((i & 7) === 7) parsed[i >> 3] = word
  }
  lastId = id
  // The version of a UUID is in its second word, so no id is all zeros, which marks a free slot.
  return parsed[1] !== 0
}
