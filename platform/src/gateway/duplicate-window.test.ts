import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DuplicateWindow } from './duplicate-window.ts'
import { eventIdOf } from './event-id.ts'

const idOf = (n: number) => eventIdOf('REF-1', '', String(n), new Uint8Array())
const big = { windowMs: 1_000, maxIds: 5_000_000 }

test('it knows exactly the ids it was given', () => {
  const step = fc.record({ isAdd: fc.boolean(), n: fc.integer({ min: 0, max: 60 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const window = new DuplicateWindow(big)
      const twin = new Set<string>()
      for (const { isAdd, n } of steps) {
        if (isAdd) {
          window.add(idOf(n), 0)
          twin.add(idOf(n))
        }
        expect(window.has(idOf(n))).toBe(twin.has(idOf(n)))
      }
      expect(window.idCount).toBe(twin.size)
    }),
    { numRuns: 50 },
  )
})

test('ids that differ in one digit, or share their first half, are not taken for each other', () => {
  const window = new DuplicateWindow(big)
  const id = idOf(1)
  window.add(id, 0)
  for (const [at, digit] of [...id].entries()) {
    if (digit === '-') continue
    const other = `${id.slice(0, at)}${digit === '0' ? '1' : '0'}${id.slice(at + 1)}`
    expect(window.has(other)).toBe(false)
  }
})

test('what is no id is never known', () => {
  const window = new DuplicateWindow(big)
  for (const text of ['', 'x'.repeat(36), '00000000-0000-0000-0000-000000000000']) {
    window.add(text, 0)
    expect(window.has(text)).toBe(false)
  }
})

test('full, it forgets the oldest ids and keeps the newest; memory stays bounded', () => {
  const window = new DuplicateWindow({ windowMs: 1e9, maxIds: 1_000_000 })
  const hex = (n: number) => n.toString(16).padStart(8, '0')
  const made = (n: number) => `${hex(Math.imul(n, 0x9e3779b1) >>> 0)}-0000-5000-8000-0000${hex(n)}`
  const count = 2_000_000
  for (let n = 0; n < count; n++) window.add(made(n), n)
  expect(window.idCount).toBeLessThanOrEqual(2 * 786_432)
  expect(window.has(made(0))).toBe(false)
  for (let n = count - 400_000; n < count; n += 1_000) expect(window.has(made(n))).toBe(true)
})

test('tables older than the window are given back', () => {
  const window = new DuplicateWindow(big)
  window.add(idOf(1), 10)
  window.forgetOld(1_010)
  expect(window.has(idOf(1))).toBe(true)
  window.forgetOld(1_011)
  expect(window.has(idOf(1))).toBe(false)
})
