import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitBatch } from './batch-lines.ts'

function partsOf(text: string): readonly (readonly [number, string])[] | string {
  const body = Buffer.from(text)
  const split = splitBatch(body)
  if (split.kind === 'malformed') return split.problem
  return Array.from({ length: split.count }, (_, i) => [
    split.lines[i]!,
    body.toString('utf8', split.starts[i], split.ends[i]),
  ])
}

test('an array of any JSON values comes apart into its elements, however it is spaced', () => {
  const blank = fc.constantFrom('', ' ', '\n', '\r\n\t')
  fc.assert(
    fc.property(
      fc.array(fc.json(), { maxLength: 8 }),
      fc.boolean(),
      blank,
      (values, isPretty, space) => {
        const text = isPretty
          ? JSON.stringify(
              values.map((value) => JSON.parse(value)),
              undefined,
              2,
            )
          : `${space}[${space}${values.join(`${space},${space}`)}${space}]${space}`
        const parts = partsOf(text)
        if (typeof parts === 'string') throw new Error(`${parts}: ${text}`)
        expect(parts.map(([line]) => line)).toEqual(values.map((_, i) => i + 1))
        expect(parts.map(([, part]) => JSON.parse(part))).toEqual(
          values.map((value) => JSON.parse(value)),
        )
      },
    ),
    { numRuns: 1_000 },
  )
})

test('lines keep their numbers; blank ones are no messages', () => {
  expect(partsOf('{"a":1}\r\n\n  \n {"b":2} \n{"c":3}')).toEqual([
    [1, '{"a":1}'],
    [4, '{"b":2}'],
    [5, '{"c":3}'],
  ])
})

test('more than a thousand messages come apart too', () => {
  const lines = Array.from({ length: 5_000 }, (_, i) => `{"n":${i}}`)
  expect(partsOf(lines.join('\n')).length).toBe(5_000)
  expect(partsOf(`[${lines.join(',')}]`).length).toBe(5_000)
})

test('what is no array is named', () => {
  for (const text of ['[', '[1', '[1,', '[,1]', '[1,]', '[1]]', '[{"a":1]', '["', '["\\"]']) {
    expect(typeof partsOf(text)).toBe('string')
  }
})
