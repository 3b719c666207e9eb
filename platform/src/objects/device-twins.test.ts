import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startMs, temporaryState } from './test-support.ts'
import {
  emptyTwin,
  type JsonObject,
  type JsonValue,
  parsePatch,
  patchPart,
} from './twin-document.ts'

async function opened() {
  const store = await temporaryState()
  onTestFinished(store.remove)
  return store
}

/** JSON merge patch as RFC 7396 section 2 writes it down. */
function mergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const isObject = typeof target === 'object' && target !== null && !Array.isArray(target)
  const result = new Map(Object.entries(isObject ? target : {}))
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key)
    else result.set(key, mergePatch(result.get(key), value))
  }
  return Object.fromEntries(result)
}

const key = fc.stringMatching(/^[a-z_]{1,9}$/)
const { object } = fc.letrec<{ object: JsonObject; value: JsonValue }>((tie) => ({
  object: fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  value: fc.oneof(
    { maxDepth: 3 },
    fc.integer(),
    fc.string({ maxLength: 8 }),
    fc.boolean(),
    fc.constant(null),
    tie('object'),
  ),
}))

test('patches merge as RFC 7396 says, and metadata has the shape of the values', () => {
  const shapeOf = (value: JsonValue): JsonValue =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(
          Object.entries(value)
            .filter(([name]) => !name.startsWith('$'))
            .map(([name, item]) => [name, shapeOf(item)]),
        )
      : {}
  fc.assert(
    fc.property(fc.array(object, { maxLength: 6 }), (patches) => {
      let part = emptyTwin.reported
      let expected: JsonValue = {}
      for (const patch of patches) {
        const options = { nowMs: startMs, isVersioned: false, isReplace: false }
        const next = patchPart(part, patch, options)
        if ('errorCode' in next) throw new Error(next.message)
        part = next
        expected = mergePatch(expected, patch)
      }
      expect(part.values).toEqual(expected)
      expect(part.version).toBe(1 + patches.length)
      expect(shapeOf(part.metadata)).toEqual(shapeOf(part.values))
    }),
  )
})

describe('a patch that breaks a rule is refused with a reason', () => {
  const deep = (levels: number): string => (levels === 0 ? '1' : `{"a":${deep(levels - 1)}}`)
  test.each([
    ['{', /not valid JSON/],
    ['[]', /not a JSON object/],
    ['3', /not a JSON object/],
    ['{"a.b":1}', /dot/],
    ['{"$x":1}', /dot/],
    ['{"a b":1}', /dot/],
    ['{"":1}', /1 to 1,024/],
    [`{"${'k'.repeat(1_025)}":1}`, /1,024/],
    [`{"a":"${'x'.repeat(4_097)}"}`, /4,096/],
    ['{"a":4503599627370497}', /integer/],
    [deep(11), /deeper/],
  ])('%#', (text, message) => {
    const found = parsePatch(text)
    expect('message' in found ? found.message : 'taken').toMatch(message)
  })

  test('what is just allowed is taken', () => {
    expect(parsePatch(deep(10))).toHaveProperty('patch')
    expect(parsePatch('{"a":4503599627370496,"b":[1,null]}')).toHaveProperty('patch')
    expect(parsePatch('{"__proto__":{"x":1}}')).toHaveProperty('patch')
  })
})

test('a device reports, the service reads it with metadata, and both survive a restart', async () => {
  const store = await opened()
  expect(await store.state.twins.report('REF-1', '{"fan":{"rpm":900,"old":1}}')).toEqual({
    kind: 'changed',
    version: 2,
  })
  store.time.nowMs += 1_000
  await store.state.twins.report('REF-1', '{"fan":{"rpm":950,"old":null},"__proto__":{"x":1}}')
  const { twins } = await store.reopen()
  const found = JSON.parse(await twins.propertiesOf('REF-1'))
  expect(Object.keys(found.reported)).toEqual(['fan', '__proto__', '$version'])
  expect(found.reported.fan).toEqual({ rpm: 950 })
  expect(found.desired).toEqual({ $version: 1 })
  const document = await twins.document('REF-1')
  expect(document.properties.reported.$metadata).toMatchObject({
    $lastUpdated: '2026-02-15T10:00:01.000Z',
    fan: { rpm: { $lastUpdated: '2026-02-15T10:00:01.000Z' } },
  })
})

test('desired properties are told with their version, and a stale ETag changes nothing', async () => {
  const { state } = await opened()
  const told: unknown[] = []
  state.twins.onDesired((change) => told.push(change))
  const first = await state.twins.update('REF-1', {
    desired: { target: 4, door: { alarm: true } },
    tags: { hall: 'B' },
  })
  if (first.kind !== 'changed') throw new Error('not changed')
  const { etag } = first.twin
  // What the device reports leaves the ETag alone.
  await state.twins.report('REF-1', '{"target":4}')
  const second = await state.twins.update('REF-1', {
    desired: { target: 5, door: null },
    ifMatch: `"${etag}"`,
  })
  expect(second).toMatchObject({
    kind: 'changed',
    twin: { tags: { hall: 'B' }, version: 4, properties: { desired: { target: 5, $version: 3 } } },
  })
  const stale = await state.twins.update('REF-1', { desired: { target: 6 }, ifMatch: etag })
  expect(stale.kind).toBe('stale')
  const whole = await state.twins.update('REF-1', {
    desired: { only: 1, $version: 9, $metadata: {} },
    isReplace: true,
  })
  expect(whole).toMatchObject({ twin: { properties: { desired: { only: 1, $version: 4 } } } })
  expect(told).toEqual([
    { deviceId: 'REF-1', version: 2, patch: '{"target":4,"door":{"alarm":true},"$version":2}' },
    { deviceId: 'REF-1', version: 3, patch: '{"target":5,"door":null,"$version":3}' },
    { deviceId: 'REF-1', version: 4, patch: '{"only":1,"$version":4}' },
  ])
})

test('a part that would grow over its limit is refused and nothing changes', async () => {
  const { state } = await opened()
  const nine = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`k${n}`, 'x'.repeat(4_000)]))
  expect(await state.twins.report('REF-1', JSON.stringify(nine))).toMatchObject({
    kind: 'refused',
    errorCode: 413_001,
  })
  const tags = { a: 'x'.repeat(4_096), b: 'x'.repeat(4_096) }
  expect(await state.twins.update('REF-1', { tags })).toMatchObject({ errorCode: 413_001 })
  expect((await state.twins.document('REF-1')).version).toBe(1)
})

test('concurrent patches of one twin are all there', async () => {
  const { state } = await opened()
  const patches = Array.from({ length: 40 }, (_, n) => ({ [`k${n}`]: n }))
  await Promise.all([
    ...patches.map((patch) => state.twins.report('REF-1', JSON.stringify(patch))),
    ...patches.map((desired) => state.twins.update('REF-1', { desired })),
  ])
  const { properties, version } = await state.twins.document('REF-1')
  const all = Object.assign({}, ...patches)
  expect(properties.reported).toMatchObject({ ...all, $version: 41 })
  expect(properties.desired).toMatchObject({ ...all, $version: 41 })
  expect(version).toBe(81)
})
