import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NewRecord } from '../contracts/index.ts'
import { lineBound, readLine, writeLine } from './record-line.ts'

const anyText = fc.string({ unit: 'binary', maxLength: 40 })
const payloadOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

const readable = fc.record({
  kind: fc.constant('readable' as const),
  format: fc.constantFrom('wide' as const, 'narrow' as const),
  deviceTimeMs: fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }),
  payload: fc.json().map((json) => payloadOf(json.replaceAll('\n', ' '))),
})
const refused = fc.record({
  kind: fc.constant('refused' as const),
  reason: fc.constantFrom('INVALID_JSON' as const, 'TYPE_MISMATCH' as const),
  detail: anyText,
  payload: fc.uint8Array({ maxLength: 200 }),
})

const record = fc
  .record({
    deviceId: anyText,
    eventId: fc.uuid(),
    ingestedAtMs: fc.nat(),
    protocol: fc.constantFrom('mqtt3' as const, 'https' as const),
    messageId: fc.option(anyText, { nil: undefined }),
    properties: fc.option(fc.json(), { nil: undefined }),
    unmapped: fc.option(fc.json(), { nil: undefined }),
    body: fc.oneof(readable, refused),
  })
  .map(({ messageId, properties, unmapped, body, ...rest }): NewRecord => {
    const full = body.kind === 'readable' && unmapped !== undefined ? { ...body, unmapped } : body
    return {
      ...rest,
      ...(messageId === undefined ? {} : { messageId }),
      ...(properties === undefined ? {} : { properties }),
      body: full,
    }
  })

function plain(value: NewRecord) {
  return { ...value, body: { ...value.body, payload: [...value.body.payload] } }
}

test('a record reads back as it was written, whatever its texts and bytes', () => {
  fc.assert(
    fc.property(record, fc.nat(), (written, offset) => {
      const target = Buffer.alloc(lineBound(written))
      const end = writeLine(target, 0, offset, written)
      const { partition, offset: readOffset, ...read } = readLine(target.subarray(0, end), 3)
      expect(plain(read)).toEqual(plain(written))
      expect([partition, readOffset]).toEqual([3, offset])
    }),
    { numRuns: 400 },
  )
})

test('a line is one line of valid JSON that ends in a line break', () => {
  fc.assert(
    fc.property(record, (written) => {
      const target = Buffer.alloc(lineBound(written))
      const line = target.toString('utf8', 0, writeLine(target, 0, 7, written))
      expect(line.indexOf('\n')).toBe(line.length - 1)
      expect(JSON.parse(line)).toMatchObject({ o: 7, t: written.ingestedAtMs, e: written.eventId })
    }),
  )
})

test('a payload with a line break is refused, because it would end its record early', () => {
  const broken: NewRecord = {
    deviceId: 'A',
    eventId: 'e',
    ingestedAtMs: 0,
    protocol: 'mqtt3',
    body: { kind: 'readable', format: 'wide', deviceTimeMs: 0, payload: payloadOf('{\n}') },
  }
  const target = Buffer.alloc(lineBound(broken))
  expect(() => writeLine(target, 0, 0, broken)).toThrow(/line break/)
})

test('a lone surrogate in a message id becomes the replacement character', () => {
  const odd: NewRecord = {
    deviceId: 'A',
    eventId: 'e',
    ingestedAtMs: 0,
    protocol: 'mqtt3',
    messageId: 'a\ud800b',
    body: { kind: 'readable', format: 'wide', deviceTimeMs: 0, payload: payloadOf('{}') },
  }
  const target = Buffer.alloc(lineBound(odd))
  const end = writeLine(target, 0, 0, odd)
  expect(readLine(target.subarray(0, end), 0).messageId).toBe('a\ufffdb')
})
