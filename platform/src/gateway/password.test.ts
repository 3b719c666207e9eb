import { expect, test } from 'vitest'
import { hashPassword, PasswordCheck } from './password.ts'

const salt = Buffer.from('0123456789abcdef')

test('the right password matches, again and again, and no other does', async () => {
  const stored = await hashPassword('correct horse', salt)
  const check = new PasswordCheck()
  expect(await check.matches('correct horse', stored)).toBe(true)
  expect(await check.matches('correct horse', stored)).toBe(true)
  expect(await check.matches('correct hors', stored)).toBe(false)
  expect(await check.matches('', stored)).toBe(false)
})

test('a remembered password of one device opens no other', async () => {
  const [mine, theirs] = await Promise.all([
    hashPassword('a', salt),
    hashPassword('b', Buffer.from('fedcba9876543210')),
  ])
  const check = new PasswordCheck()
  expect(await check.matches('a', mine)).toBe(true)
  expect(await check.matches('a', theirs)).toBe(false)
})

test('many checks at once are all answered', async () => {
  const stored = await hashPassword('a', salt, 16)
  const check = new PasswordCheck()
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => check.matches(i % 2 === 0 ? 'a' : `b${i}`, stored)),
  )
  expect(answers).toEqual(Array.from({ length: 50 }, (_, i) => i % 2 === 0))
})

test('a hash of an unknown form matches nothing, and a short salt is refused', async () => {
  const check = new PasswordCheck()
  for (const stored of ['', 'plain', 'scrypt$3$8$1$AA==$AA==', 'scrypt$4294967296$8$1$AA==$AA==']) {
    expect(await check.matches('a', stored)).toBe(false)
  }
  await expect(hashPassword('a', Buffer.from('short'))).rejects.toThrow(/salt has 5 bytes/)
})
