import { refrigeration } from '@isotherm/fleet-refrigeration'
import { compileDecoder } from 'isotherm/gateway'
import { readCorpus } from './corpus.ts'
import type { Target } from './target.ts'

const deviceId = 'REF-1'
const wide = {
  device_id: deviceId,
  timestamp: '2026-02-15T10:32:17.123Z',
  schema_version: '1.2',
  sent_at: '2026-02-15T10:32:18+02:00',
  site: { name: 'Köln', tags: [1, 2.5e3, null, true] },
  readings: { temperature_evaporator: -21.39, door_open_close: false, humidity: 14, other: 'x' },
}
const narrow = {
  ...{ device_id: deviceId, timestamp: '2026-02-15 10:32', sensor_type: 'humidity', value: 45.5 },
  ...{ unit: '%', quality: 'good' },
}
const seeds = [
  JSON.stringify(wide),
  JSON.stringify(wide, undefined, 2),
  JSON.stringify(narrow),
  JSON.stringify({ ...wide, readings: {} }),
  '',
  '[]',
  '"text"',
  `${'['.repeat(40)}${']'.repeat(40)}`,
]
const words = [
  ...['"device_id":"REF-1"', '"timestamp":"2026-02-30T25:61:00Z"', '"readings":{', '"readings":{}'],
  ...['"sensor_type":"humidity"', '"value":', '"unit":"kPa"', '"quality":"bad"', 'null', 'true'],
  ...['-0', '1e999', '1E-400', '9007199254740993', '01', '1.', '\\u0000', '\\ud800', '\\udc00'],
  ...['\\', '"', '{', '}', '[', ']', ',', ':', '\n', '\r\n', '\ufeff', '\u0000', 'é', '😀', '[[[['],
  ...['"__proto__":{}', '"constructor":1', '"a":"b"', '+14:00', '-18:30', '.123456789', 'Z'],
].map((word) => Buffer.from(word))

function parsed(input: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return {
      value: JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(input)),
    }
  } catch {
    return undefined
  }
}

/** The decoder of messages, judged by the JSON parser of the runtime. */
export function payloadTarget(): Target {
  const decoder = compileDecoder(refrigeration)
  const device = { timestamp_mode: 'local', timezone: 'Europe/Berlin' } as const
  return {
    name: 'payloads',
    seeds: [...seeds.map((text) => Buffer.from(text)), ...readCorpus('payloads')],
    words,
    isWatched: (url) => url.includes('/platform/src/gateway/'),
    settle: async () => undefined,
    take: (input) => {
      const { body } = decoder.decode(input, { deviceId, device, ingestedAtMs: 1_771_000_000_000 })
      const json = parsed(input)
      if (body.kind === 'refused') {
        const isWrong = body.reason === 'INVALID_JSON' && json !== undefined
        return isWrong ? `refused as no JSON, but it is: ${body.detail}` : undefined
      }
      if (json === undefined) return 'readable, but no JSON'
      const { value } = json
      const isOurs =
        typeof value === 'object' &&
        value !== null &&
        'device_id' in value &&
        value.device_id === deviceId
      if (!isOurs) return 'readable, but of another device'
      if (body.payload.includes(0x0a)) return 'readable, with a line break'
      if (!Number.isSafeInteger(body.deviceTimeMs)) return `its time is ${body.deviceTimeMs}`
      return JSON.stringify(parsed(body.payload)?.value) === JSON.stringify(value)
        ? undefined
        : 'what is stored means something else'
    },
  }
}
