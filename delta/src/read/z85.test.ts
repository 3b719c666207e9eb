import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeZ85 } from './z85.ts'

const digits =
  '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#'

/** The encoder, as the specification words it. */
function encode(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 4) {
    let number = 0n
    for (const byte of bytes.subarray(at, at + 4)) number = number * 256n + BigInt(byte)
    let group = ''
    for (let i = 0; i < 5; i++) {
      group = digits.charAt(Number(number % 85n)) + group
      number /= 85n
    }
    text += group
  }
  return text
}

test('bytes come back from their text', () => {
  const fours = fc
    .uint8Array({ maxLength: 40 })
    .map((bytes) => bytes.slice(0, bytes.length - (bytes.length % 4)))
  fc.assert(
    fc.property(fours, (bytes) => {
      expect(decodeZ85(encode(bytes))).toEqual(bytes)
    }),
  )
})

test('the example of the specification is HelloWorld', () => {
  const bytes = new Uint8Array([0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b])
  expect(decodeZ85('HelloWorld')).toEqual(bytes)
})

test.each(['a', 'abcd', 'abc d', 'abcdé', '#####', '%nSc1'])('%s is no Z85 text', (text) => {
  expect(decodeZ85(text)).toBeUndefined()
})
