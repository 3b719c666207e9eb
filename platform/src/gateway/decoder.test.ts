import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ReasonCode, RecordBody } from '../contracts/index.ts'
import { compileDecoder, type DecodeContext } from './decoder.ts'
import { maxDepth } from './json-scan.ts'
import { testDevice, testFleet } from './test-support.ts'

const decoder = compileDecoder(testFleet)
const context: DecodeContext = {
  deviceId: 'REF-1',
  device: testDevice('REF-1'),
  ingestedAtMs: Date.UTC(2026, 1, 15, 10, 33),
}
const local = {
  ...context,
  device: testDevice('REF-1', { timestamp_mode: 'local', timezone: 'Europe/Berlin' }),
}

function decode(payload: string | Buffer, using: DecodeContext = context): RecordBody {
  return decoder.decode(Buffer.from(payload), using).body
}

const wide = (fields: string): string =>
  `{"device_id":"REF-1","timestamp":"2026-02-15T10:32:17Z",${fields}}`
const readings = (members: string): string => wide(`"readings":{${members}}`)
const narrow = (fields: string): string => wide(`"sensor_type":"temperature",${fields}`)

function readable(payload: string | Buffer, using: DecodeContext = context) {
  const body = decode(payload, using)
  if (body.kind === 'refused') throw new Error(`refused: ${body.reason} ${body.detail}`)
  return body
}

function refusal(payload: string | Buffer, using: DecodeContext = context): readonly string[] {
  const body = decode(payload, using)
  return body.kind === 'refused' ? [body.reason, body.detail] : ['readable', '']
}

test('a wide message is readable and keeps its bytes, ING-7', () => {
  const payload = readings('"temperature":-3.5,"pressure":101,"door_open":false,"current":null')
  const body = readable(payload)
  expect(body).toMatchObject({ format: 'wide', deviceTimeMs: Date.UTC(2026, 1, 15, 10, 32, 17) })
  expect(Buffer.from(body.payload).toString()).toBe(payload)
  expect(body.unmapped).toBeUndefined()
  expect(readable(readings('')).format).toBe('wide')
})

test('a narrow message is readable when its unit is a synonym, ING-8', () => {
  for (const unit of ['celsius', 'C', '°C', ' Celsius ']) {
    expect(readable(narrow(`"value":4,"unit":"${unit}","quality":"good"`)).format).toBe('narrow')
  }
  expect(readable(wide('"sensor_type":"door_open","value":1')).format).toBe('narrow')
})

test('every kind of bad message has its own reason and names path and value', () => {
  const cases: readonly (readonly [string | Buffer, ReasonCode, RegExp])[] = [
    ['', 'EMPTY_PAYLOAD', /no content/],
    ['  \n ', 'EMPTY_PAYLOAD', /no content/],
    [readings('"temperature":1').slice(0, -2), 'INVALID_JSON', /byte \d+: the end inside readings/],
    [readings('"temperature":NaN'), 'INVALID_JSON', /a word that is no JSON value.*NaN/],
    [readings('"temperature":Infinity'), 'INVALID_JSON', /no JSON value/],
    [readings('"temperature":1,'), 'INVALID_JSON', /no key/],
    [readings('"temperature":01'), 'INVALID_JSON', /begins with 0/],
    ["{'device_id':1}", 'INVALID_JSON', /no key/],
    [`${readings('')} x`, 'INVALID_JSON', /more after the message/],
    [`\ufeff${readings('')}`, 'INVALID_JSON', /byte 0/],
    [Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 'INVALID_ENCODING', /not UTF-8/],
    [Buffer.from('{"a":1}', 'utf16le'), 'INVALID_JSON', /no key/],
    [wide('"readings":{},"x":"\\ud800"'), 'INVALID_ENCODING', /half of a surrogate pair: \\ud800/],
    ['[1]', 'TYPE_MISMATCH', /\$: expected an object, found \[1\]/],
    ['7', 'TYPE_MISMATCH', /found 7/],
    ['{"timestamp":"2026-02-15T10:32:17Z","readings":{}}', 'MISSING_REQUIRED_FIELD', /device_id/],
    ['{"device_id":"REF-1","readings":{}}', 'MISSING_REQUIRED_FIELD', /timestamp/],
    [wide('"x":1'), 'MISSING_REQUIRED_FIELD', /readings: required/],
    [wide('"readings":null'), 'MISSING_REQUIRED_FIELD', /readings: required/],
    [wide('"readings":[]'), 'TYPE_MISMATCH', /readings: expected an object, found \[\]/],
    [
      readings('"temperature":"4.5"'),
      'TYPE_MISMATCH',
      /readings\.temperature: expected a number.*"4\.5"/,
    ],
    [readings('"temperature":true'), 'TYPE_MISMATCH', /readings\.temperature.*found true/],
    [readings('"temperature":[1]'), 'TYPE_MISMATCH', /found \[1\]/],
    [
      readings('"door_open":2'),
      'TYPE_MISMATCH',
      /readings\.door_open: expected true, false, 0 or 1/,
    ],
    [readings('"door_open":1.0'), 'TYPE_MISMATCH', /found 1\.0/],
    [readings('"temperature":1e999'), 'NUMBER_OUT_OF_RANGE', /readings\.temperature: 1e999/],
    [readings(`"temperature":${'9'.repeat(400)}`), 'NUMBER_OUT_OF_RANGE', /beyond a double/],
    [readings('"temperature":1,"temperature":2'), 'DUPLICATE_KEY', /readings\.temperature/],
    [readings('"temperature":1,"\\u0074emperature":2'), 'DUPLICATE_KEY', /temperature/],
    [wide('"readings":{},"readings":{}'), 'DUPLICATE_KEY', /readings/],
    [wide('"readings":{},"x":1,"x":2'), 'DUPLICATE_KEY', /message x/],
    [wide('"readings":{},"x":{"a":1,"a":2}'), 'DUPLICATE_KEY', /key a/],
    [readings('"tempreature":1'), 'NO_KNOWN_SENSOR', /"tempreature":1/],
    [readings('').replace('REF-1', 'REF-2'), 'IDENTITY_MISMATCH', /"REF-2" was sent by REF-1/],
    [
      readings('').replace('"REF-1"', '7'),
      'TYPE_MISMATCH',
      /device_id: expected a string, found 7/,
    ],
    [readings('').replace('2026-02-15T', '2026-02-30T'), 'INVALID_TIMESTAMP', /timestamp: .*02-30/],
    [readings('').replace('2026-02-15T10:32:17Z', 'yesterday'), 'INVALID_TIMESTAMP', /yesterday/],
    [wide('"readings":{},"sent_at":5'), 'TYPE_MISMATCH', /sent_at: expected a string, found 5/],
    [wide('"readings":{},"sent_at":"now"'), 'INVALID_TIMESTAMP', /sent_at: "now"/],
    [wide('"readings":{},"schema_version":1'), 'TYPE_MISMATCH', /schema_version/],
    [
      wide('"schema_version":"2.0","values":{}'),
      'UNSUPPORTED_SCHEMA_VERSION',
      /2\.0 is unknown.*readings: required/,
    ],
    [wide('"sensor_type":"humidty","value":1'), 'UNKNOWN_SENSOR_TYPE', /"humidty" is none of/],
    [narrow('"unit":"c"'), 'MISSING_REQUIRED_FIELD', /value/],
    [narrow('"value":1'), 'MISSING_REQUIRED_FIELD', /unit/],
    [narrow('"value":"1","unit":"c"'), 'TYPE_MISMATCH', /value: expected a number, found "1"/],
    [narrow('"value":1e999,"unit":"c"'), 'NUMBER_OUT_OF_RANGE', /value: 1e999/],
    [narrow('"value":1,"unit":"F"'), 'UNIT_MISMATCH', /unit: "F" is none of °c, celsius, c/],
    [narrow('"value":1,"unit":"c","quality":"great"'), 'TYPE_MISMATCH', /quality: "great"/],
    [wide(`"readings":{},"x":${'['.repeat(40)}${']'.repeat(40)}`), 'NESTED_TOO_DEEP', /32 levels/],
  ]
  for (const [payload, reason, detail] of cases) {
    const [foundReason, foundDetail = ''] = refusal(payload)
    expect(`${payload}: ${foundReason}`).toBe(`${payload}: ${reason}`)
    expect(foundDetail).toMatch(detail)
    expect(Buffer.byteLength(foundDetail)).toBeLessThanOrEqual(1_024)
  }
})

test('booleans accept true, false, 0 and 1; gauges accept every JSON number', () => {
  for (const value of ['true', 'false', '0', '1', 'null'])
    readable(readings(`"door_open":${value}`))
  for (const value of ['-0', '1e5', '1E-7', '-12.5', '123456789012345678901234567890', 'null']) {
    readable(readings(`"temperature":${value}`))
  }
})

test('a readable message of an unknown schema version lands: cleansing judges it', () => {
  expect(readable(wide('"readings":{},"schema_version":"7.1"')).kind).toBe('readable')
})

test('unknown keys never fail a message; they are kept, at most 4 KB, ING-7', () => {
  const body = readable(wide('"fw":"1.2","readings":{"temperature":1,"foo":{"a":[1]}},"x":null'))
  expect(JSON.parse(body.unmapped ?? '')).toEqual({
    fw: '1.2',
    x: null,
    readings: { foo: { a: [1] } },
  })
  const stray = readable(wide('"readings":{},"unit":"c","value":[1]'))
  expect(JSON.parse(stray.unmapped ?? '')).toEqual({ unit: 'c', value: [1] })
  const many = Array.from({ length: 2_000 }, (_, i) => `"k${i}":"äöü ${i}"`).join(',')
  const cut = readable(wide(`"readings":{},${many}`)).unmapped ?? ''
  expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(4_096)
  const kept = JSON.parse(cut)
  expect(kept._omitted + Object.keys(kept).length - 1).toBe(2_000)
})

test('raw line breaks between tokens become blanks, everything else stays', () => {
  const pretty = JSON.stringify(JSON.parse(readings('"temperature":1,"x":"a\\nb"')), undefined, 2)
  const body = readable(pretty.replaceAll('\n', '\r\n'))
  const text = Buffer.from(body.payload).toString()
  expect(text).not.toMatch(/[\r\n]/)
  expect(JSON.parse(text)).toEqual(JSON.parse(pretty))
})

test('keys may be spelled with escapes', () => {
  const body = readable(readings('"temperature":1').replace('"timestamp"', '"\\u0074imestamp"'))
  expect(body.deviceTimeMs).toBe(Date.UTC(2026, 1, 15, 10, 32, 17))
})

test('the timestamp text is reported as sent, and empty if it cannot be read, ING-10', () => {
  const textOf = (payload: string) => decoder.decode(Buffer.from(payload), context).timestampText
  expect(textOf(readings(''))).toBe('2026-02-15T10:32:17Z')
  expect(textOf(readings('"temperature":"x"'))).toBe('2026-02-15T10:32:17Z')
  expect(textOf(readings('').replace('10:32:17Z', 'nonsense'))).toBe('')
})

const timed = (timestamp: string): string =>
  `{"device_id":"REF-1","timestamp":"${timestamp}","readings":{}}`

test('times with an offset are exact; without one they are UTC or local, ING-7', () => {
  const utc = (timestamp: string, using = context) =>
    new Date(readable(timed(timestamp), using).deviceTimeMs).toISOString()
  expect(utc('2026-02-15T10:32:17.123456+02:00')).toBe('2026-02-15T08:32:17.123Z')
  expect(utc('2026-02-15T10:32:17.5-0530')).toBe('2026-02-15T16:02:17.500Z')
  expect(utc('2026-02-15 10:32')).toBe('2026-02-15T10:32:00.000Z')
  expect(utc('2026-02-15T10:32:17', local)).toBe('2026-02-15T09:32:17.000Z')
  expect(utc('2026-07-15T10:32:17', local)).toBe('2026-07-15T08:32:17.000Z')
  expect(utc('2026-07-15T10:32:17Z', local)).toBe('2026-07-15T10:32:17.000Z')
})

test('an ambiguous local hour is the candidate nearest to arrival, a skipped one moves on', () => {
  const at = (timestamp: string, ingested: string) =>
    new Date(
      readable(timed(timestamp), { ...local, ingestedAtMs: Date.parse(ingested) }).deviceTimeMs,
    ).toISOString()
  expect(at('2026-10-25T02:30:00', '2026-10-25T00:31:00Z')).toBe('2026-10-25T00:30:00.000Z')
  expect(at('2026-10-25T02:30:00', '2026-10-25T01:31:00Z')).toBe('2026-10-25T01:30:00.000Z')
  expect(at('2026-03-29T02:30:00', '2026-03-29T01:31:00Z')).toBe('2026-03-29T01:30:00.000Z')
  const lost = {
    ...local,
    device: testDevice('REF-1', { timestamp_mode: 'local', timezone: 'Mars/X' }),
  }
  expect(refusal(timed('2026-03-29T02:30:00'), lost)).toEqual([
    'INVALID_TIMESTAMP',
    expect.stringMatching(/zone Mars\/X does not exist/),
  ])
})

test('times agree with Date.parse wherever both read them', () => {
  const two = (n: number): string => n.toString().padStart(2, '0')
  const parts = fc.record({
    year: fc.integer({ min: 1, max: 9999 }),
    month: fc.integer({ min: 0, max: 13 }),
    day: fc.integer({ min: 0, max: 32 }),
    hour: fc.integer({ min: 0, max: 24 }),
    minute: fc.integer({ min: 0, max: 60 }),
    second: fc.integer({ min: 0, max: 60 }),
    offset: fc.constantFrom('Z', '+00:00', '-11:30', '+14:00'),
  })
  fc.assert(
    fc.property(parts, ({ year, month, day, hour, minute, second, offset }) => {
      const date = `${year.toString().padStart(4, '0')}-${two(month)}-${two(day)}`
      const text = `${date}T${two(hour)}:${two(minute)}:${two(second)}${offset}`
      const body = decode(timed(text))
      const daysInMonth = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()
      const isReal = hour < 24 && day <= daysInMonth && !Number.isNaN(Date.parse(text))
      expect(`${text} ${body.kind}`).toBe(`${text} ${isReal ? 'readable' : 'refused'}`)
      if (body.kind === 'readable') expect(body.deviceTimeMs).toBe(Date.parse(text))
    }),
    { numRuns: 2_000 },
  )
})

/** What JSON.parse thinks of a payload, with the limits that are ours. */
function oracle(text: string): 'valid' | 'invalid' {
  try {
    JSON.parse(text)
    return 'valid'
  } catch {
    return 'invalid'
  }
}

const notValidity: ReadonlySet<string> = new Set(['INVALID_JSON', 'EMPTY_PAYLOAD'])

test('a message is JSON for the decoder exactly if it is for JSON.parse, also when mutated', () => {
  const seeds = [
    readings(
      '"temperature":-3.5e2,"pressure":101,"door_open":false,"x":{"a":[1,true,null,"\\u00e9"]}',
    ),
    narrow('"value":4,"unit":"c","quality":"good"'),
    wide('"readings":{"temperature":1}, "k":[[],{},{"z":"\\"\\\\"}]'),
  ]
  const pool = '{}[]",:\\ \n\t0123456789-+.eEtrufalsn\u0000\u001f\u00e4/bd'
  const edit = fc.record({
    at: fc.nat(),
    remove: fc.integer({ min: 0, max: 3 }),
    insert: fc.array(fc.constantFrom(...pool), { maxLength: 3 }).map((chars) => chars.join('')),
  })
  fc.assert(
    fc.property(fc.constantFrom(...seeds), fc.array(edit, { maxLength: 4 }), (seed, edits) => {
      const text = edits.reduce((now, { at, remove, insert }) => {
        const position = at % (now.length + 1)
        return now.slice(0, position) + insert + now.slice(position + remove)
      }, seed)
      const [reason = ''] = refusal(text)
      const found = notValidity.has(reason) ? 'invalid' : 'valid'
      expect(`${JSON.stringify(text)}: ${found}`).toBe(`${JSON.stringify(text)}: ${oracle(text)}`)
    }),
    { numRuns: 20_000 },
  )
})

test('every JSON value in every field is judged without a throw, and its depth is bounded', () => {
  const json = fc.json({ maxDepth: 4 })
  fc.assert(
    fc.property(
      fc.constantFrom('readings', 'device_id', 'timestamp', 'value', 'x'),
      json,
      (key, value) => {
        const [reason] = refusal(`{"${key}":${value}}`)
        expect(reason).not.toBe('INVALID_JSON')
      },
    ),
    { numRuns: 3_000 },
  )
  for (const [levels, reason] of [
    [maxDepth - 1, 'readable'],
    [maxDepth, 'NESTED_TOO_DEEP'],
    [200_000, 'NESTED_TOO_DEEP'],
  ] as const) {
    const nested = wide(`"readings":{},"x":${'['.repeat(levels)}${']'.repeat(levels)}`)
    expect(refusal(nested)[0]).toBe(reason)
  }
})

test('arbitrary bytes are refused without a throw and keep their first 256 KB', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(decode(Buffer.from(bytes)).kind).toBe('refused')
    }),
  )
  const huge = decode(Buffer.alloc(300_000, 0x20))
  expect(huge.payload.length).toBe(262_144)
})

test('a message is judged alone: what came before it changes nothing', () => {
  const texts = [
    wide('"readings":{"temperature":1},"x":1'),
    wide('"x":'),
    readings('"temperature":1,"foo":2,'),
    narrow('"value":1,"unit":"c","\\u0078":"\\ud800"'),
    readings('"temperature":1'),
    '[{"a":1,"a":2}]',
  ]
  const alone = texts.map((text) => compileDecoder(testFleet).decode(Buffer.from(text), context))
  fc.assert(
    fc.property(fc.array(fc.nat({ max: texts.length - 1 }), { maxLength: 20 }), (order) => {
      for (const i of order) {
        expect(decoder.decode(Buffer.from(texts[i]!), context)).toEqual(alone[i])
      }
    }),
  )
})
