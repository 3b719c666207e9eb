import fc from 'fast-check'
import { generate, type IPublishPacket } from 'mqtt-packet'
import { expect, test } from 'vitest'
import { parsePacket } from './mqtt-answers.ts'
import { emptyPublishFrame, readPublish, readVariableInteger } from './publish-frame.ts'

function read(frame: Buffer, isVersion5: boolean) {
  const packed = readVariableInteger(frame, 1, frame.length)
  const out = emptyPublishFrame()
  const start = 1 + (packed & 7)
  const fault = readPublish(frame, frame[0]! & 15, start, frame.length, isVersion5, out)
  if (fault !== undefined) return { fault }
  return {
    topic: frame.toString('utf8', out.topicStart, out.topicEnd),
    qos: out.qos,
    messageId: out.qos === 0 ? undefined : out.packetId,
    payload: frame.subarray(out.payloadStart).toString('hex'),
  }
}

const properties = fc.record(
  {
    payloadFormatIndicator: fc.boolean(),
    messageExpiryInterval: fc.nat(),
    contentType: fc.string(),
    responseTopic: fc.string({ minLength: 1 }),
    correlationData: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    userProperties: fc
      .dictionary(fc.constantFrom('a', 'b', 'c'), fc.string(), { minKeys: 1 })
      .map((own) => ({ ...own })),
  },
  { requiredKeys: [] },
)

test('the fast reading of PUBLISH finds what mqtt-packet finds, in both versions', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }),
      fc.integer({ min: 0, max: 1 }),
      fc.integer({ min: 1, max: 65_535 }),
      properties,
      fc.constantFrom(4 as const, 5 as const),
      (topic, payload, qos, messageId, own, version) => {
        fc.pre(!/[+#]/.test(topic))
        const packet: IPublishPacket = {
          cmd: 'publish',
          topic,
          payload: Buffer.from(payload),
          qos: qos === 0 ? 0 : 1,
          ...(qos === 0 ? {} : { messageId }),
          dup: false,
          retain: false,
          ...(version === 5 ? { properties: own } : {}),
        }
        const frame = generate(packet, { protocolVersion: version })
        const parsed = parsePacket(frame, version)
        if (parsed?.cmd !== 'publish') throw new Error('mqtt-packet does not read its own packet')
        expect(read(frame, version === 5)).toEqual({
          topic: parsed.topic,
          qos: parsed.qos,
          messageId: parsed.messageId,
          payload: Buffer.from(parsed.payload).toString('hex'),
        })
      },
    ),
    { numRuns: 500 },
  )
})

test('arbitrary bytes never read past their end', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 60 }),
      fc.boolean(),
      (bytes, isVersion5) => {
        const frame = Buffer.from(bytes)
        const out = emptyPublishFrame()
        const fault = readPublish(frame, frame[0]! & 15, 1, frame.length, isVersion5, out)
        if (fault === undefined) expect(out.payloadStart).toBeLessThanOrEqual(frame.length)
      },
    ),
    { numRuns: 5_000 },
  )
})

test('QoS 2, QoS 3, packet id 0 and topic aliases are told apart', () => {
  const frame = Buffer.from([0x32, 0x08, 0, 1, 0x74, 0, 5, 0x78, 0x79, 0x7a])
  const withFlags = (first: number): Buffer =>
    Buffer.concat([Buffer.from([first]), frame.subarray(1)])
  expect(read(frame, false)).toMatchObject({ topic: 't', qos: 1, messageId: 5 })
  expect(read(withFlags(0x34), false)).toEqual({ fault: 'QoS 2' })
  expect(read(withFlags(0x36), false)).toEqual({ fault: 'malformed' })
  expect(read(Buffer.from([0x32, 5, 0, 1, 0x74, 0, 0]), false)).toEqual({ fault: 'malformed' })
  const alias = Buffer.from([0x32, 9, 0, 1, 0x74, 0, 5, 3, 0x23, 0, 1])
  expect(read(alias, true)).toEqual({ fault: 'topic alias' })
})
