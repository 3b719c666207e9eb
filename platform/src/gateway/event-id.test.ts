import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { eventIdOf } from './event-id.ts'

const payload = Buffer.from('{}')

test('the vector of ING-10', () => {
  expect(eventIdOf('REF-US-W-00042371', '2026-02-15T10:32:17.000Z', 'm-1', payload)).toBe(
    'ff04eba2-8bd0-5176-bce6-6660bfa311e8',
  )
})

test('it is a version 5 UUID as RFC 9562 builds it, for names of any length', () => {
  const namespace = Buffer.from('3213df8c92185ea59c5ccda929adf038', 'hex')
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string({ maxLength: 6_000 }), (device, time, id) => {
      const name = Buffer.from(`${device}\n${time}\n${id}`)
      const bytes = createHash('sha1').update(namespace).update(name).digest().subarray(0, 16)
      bytes[6] = (bytes[6]! & 0x0f) | 0x50
      bytes[8] = (bytes[8]! & 0x3f) | 0x80
      expect(eventIdOf(device, time, id, payload).replaceAll('-', '')).toBe(bytes.toString('hex'))
    }),
  )
})

test('without a message id the payload decides, so that other bytes are another event', () => {
  const digest = createHash('sha256').update(payload).digest('hex')
  expect(eventIdOf('A', '', undefined, payload)).toBe(eventIdOf('A', '', digest, payload))
  expect(eventIdOf('A', '', undefined, payload)).not.toBe(
    eventIdOf('A', '', undefined, Buffer.from('{ }')),
  )
})
