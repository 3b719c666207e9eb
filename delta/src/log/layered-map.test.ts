import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LayeredMap } from './layered-map.ts'

const change = fc.tuple(
  fc.nat(300).map((key) => `k${key}`),
  fc.option(fc.nat(), { nil: undefined, freq: 3 }),
)
const batches = fc.array(fc.array(change, { maxLength: 60 }), { maxLength: 30 })

test('a layered map is the map that took the same changes, and older ones stay as they were', () => {
  fc.assert(
    fc.property(batches, (steps) => {
      const twin = new Map<string, number>()
      let map = new LayeredMap<number>()
      const kept: (readonly [LayeredMap<number>, ReadonlyMap<string, number>])[] = []
      for (const changes of steps) {
        map = map.with(changes)
        for (const [key, value] of changes) {
          if (value === undefined) twin.delete(key)
          else twin.set(key, value)
        }
        kept.push([map, new Map(twin)])
      }
      for (const [layered, plain] of kept) {
        expect(layered.size).toBe(plain.size)
        expect(new Map(layered)).toEqual(plain)
        expect([...layered.keys()].length).toBe(plain.size)
        for (const [key] of steps.flat()) {
          expect(layered.get(key)).toBe(plain.get(key))
          expect(layered.has(key)).toBe(plain.has(key))
        }
      }
    }),
    { numRuns: 60 },
  )
})

test('a small change to a large map leaves the base alone', () => {
  const large = new LayeredMap(new Map(Array.from({ length: 10_000 }, (_, i) => [String(i), i])))
  const changed = large.with([
    ['5', undefined],
    ['new', 1],
  ])
  expect(Reflect.get(changed, 'base')).toBe(Reflect.get(large, 'base'))
  expect([changed.size, large.size]).toEqual([10_000, 10_000])
  const sums: number[] = []
  changed.forEach((value) => {
    sums.push(value)
  })
  expect(sums.reduce((sum, value) => sum + value, 0)).toBe(49_995_000 - 5 + 1)
})
