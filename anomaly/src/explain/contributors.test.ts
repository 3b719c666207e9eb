import { expect, test } from 'vitest'
import { topContributors } from './contributors.ts'

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
const contributions = Float64Array.of(1, -5, 0, 3, 3, Number.NaN, 0.5)

test('contributors come by magnitude with their sign, ties in column order', () => {
  const found = topContributors(contributions, names, { count: 4 })
  expect(found).toEqual([
    { name: 'b', column: 1, value: -5 },
    { name: 'd', column: 3, value: 3 },
    { name: 'e', column: 4, value: 3 },
    { name: 'a', column: 0, value: 1 },
  ])
})

test('only positive contributors are named on request, and never zero or NaN', () => {
  const found = topContributors(contributions, names, { positiveOnly: true })
  expect(found.map(({ name }) => name)).toEqual(['d', 'e', 'a', 'g'])
})

test('names and contributions must match', () => {
  expect(() => topContributors(contributions, ['a'])).toThrow('contributions.length is 7')
})
