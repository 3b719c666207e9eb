import { afterEach, expect, test } from 'vitest'
import { cleanUp, client, start, topicOf } from './mqtt-test-support.ts'
import { maxPropertiesLength } from './property-bag.ts'
import { recordOf } from './telemetry.ts'
import { benchMessage, hubLogin } from './test-support.ts'

afterEach(cleanUp)

test('what came beside a payload is in its log record', async () => {
  const bench = await start({ deviceIds: ['REF-1'] })
  const device = await client(bench.port, hubLogin('REF-1'))
  const bag = '%24.mid=m-1&%24.ct=application%2Fjson&door=left%20%26%20open&alarm'
  await device.publishAsync(topicOf('REF-1', bag), benchMessage('REF-1', 1), { qos: 1 })
  await device.publishAsync(topicOf('REF-1'), benchMessage('REF-1', 2), { qos: 1, retain: true })
  await device.publishAsync(topicOf('REF-1', 'a=1'), 'no JSON', { qos: 1 })
  const records = await bench.records()
  expect(
    records.map(({ messageId, properties }) => [
      messageId,
      properties === undefined ? undefined : JSON.parse(properties),
    ]),
  ).toEqual([
    ['m-1', { '$.ct': 'application/json', door: 'left & open', alarm: null }],
    [undefined, { 'mqtt-retain': 'true' }],
    [undefined, { a: '1' }],
  ])
  expect(records[2]?.body).toMatchObject({ kind: 'refused', reason: 'INVALID_JSON' })
})

test('the longest topic keeps its properties; beyond the bound a message is a dead letter', async () => {
  const bench = await start({ deviceIds: ['REF-1'] })
  const device = await client(bench.port, hubLogin('REF-1'))
  // Each of these bytes becomes six characters of JSON.
  const bag = `a=${'%01'.repeat(21_000)}`
  await device.publishAsync(topicOf('REF-1', bag), benchMessage('REF-1', 1), { qos: 1 })
  const [long] = await bench.records()
  expect(JSON.parse(long?.properties ?? '{}').a).toHaveLength(21_000)
  const { core } = bench.gateway
  const record = recordOf(core, Buffer.from(benchMessage('REF-1', 2)), {
    deviceId: 'REF-1',
    device: { timestamp_mode: 'utc', timezone: 'UTC' },
    protocol: 'https',
    messageId: undefined,
    properties: 'x'.repeat(maxPropertiesLength + 1),
    ingestedAtMs: core.clock(),
  })
  expect(record).toMatchObject({ body: { kind: 'refused', reason: 'PAYLOAD_TOO_LARGE' } })
  expect(record.properties).toBeUndefined()
})
