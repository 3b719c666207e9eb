import fc from 'fast-check'
import { expect, test } from 'vitest'
import { eventIdOf } from './event-id.ts'
import { InFlightIds } from './in-flight-ids.ts'

const idOf = (n: number) => eventIdOf('REF-1', '', String(n), new Uint8Array())
/** Ids that all want the same slot: only their last digits differ. */
const crowdedIdOf = (n: number) => `00000fff-0000-5000-8000-${n.toString(16).padStart(12, '0')}`

test('it holds what was added and not taken out, also where all ids want one place', () => {
  const step = fc.record({
    isAdd: fc.boolean(),
    isCrowded: fc.boolean(),
    n: fc.integer({ min: 0, max: 40 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const ids = new InFlightIds()
      const twin = new Set<string>()
      for (const { isAdd, isCrowded, n } of steps) {
        const id = isCrowded ? crowdedIdOf(n) : idOf(n)
        if (isAdd) {
          ids.add(id)
          twin.add(id)
        } else {
          ids.delete(id)
          twin.delete(id)
        }
        expect(ids.size).toBe(twin.size)
      }
      for (let n = 0; n <= 40; n++) {
        expect(ids.has(idOf(n))).toBe(twin.has(idOf(n)))
        expect(ids.has(crowdedIdOf(n))).toBe(twin.has(crowdedIdOf(n)))
      }
    }),
  )
})

test('it grows with what is in flight and finds everything afterwards', () => {
  const ids = new InFlightIds()
  for (let n = 0; n < 20_000; n++) ids.add(idOf(n))
  for (let n = 0; n < 20_000; n += 2) ids.delete(idOf(n))
  expect(ids.size).toBe(10_000)
  for (let n = 0; n < 20_000; n++) expect(ids.has(idOf(n))).toBe(n % 2 === 1)
})

test('what is no UUID is never in flight', () => {
  const ids = new InFlightIds()
  ids.add('no id')
  expect(ids.has('no id')).toBe(false)
  expect(ids.size).toBe(0)
})
