import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compileDecoder } from './decoder.ts'
import { testDevice, testFleet } from './test-support.ts'

const sensors = testFleet.sensors
  .map(({ name, kind }) => `"${name}" ${kind === 'boolean' ? 'BOOLEAN' : 'DOUBLE'}`)
  .join(', ')
const payloadType = `STRUCT(device_id VARCHAR, "timestamp" VARCHAR, readings STRUCT(${sensors}),
  schema_version VARCHAR, sent_at VARCHAR, sensor_type VARCHAR, "value" JSON, unit VARCHAR,
  quality VARCHAR)`

const directory = mkdtempSync(join(tmpdir(), 'isotherm-decoder-'))
const path = join(directory, 'payloads.ndjson')
let connection: DuckDBConnection

beforeAll(async () => {
  connection = await (await DuckDBInstance.create(':memory:')).connect()
})
afterAll(() => {
  connection.disconnectSync()
  rmSync(directory, { recursive: true, force: true })
})

const decoder = compileDecoder(testFleet)
const context = { deviceId: 'REF-1', device: testDevice('REF-1'), ingestedAtMs: 0 }

function readablePayload(text: string): string | undefined {
  const { body } = decoder.decode(Buffer.from(text), context)
  return body.kind === 'readable' ? Buffer.from(body.payload).toString() : undefined
}

type Row = { readonly p: Readonly<Record<string, unknown>> }

/** Strict reading: one bad line fails the whole file, so every line must be safe. */
async function readStrict(payloads: readonly string[]): Promise<readonly Row['p'][]> {
  const lines = payloads.map((payload, o) => `{"o":${o},"p":${payload}}\n`)
  writeFileSync(path, lines.join(''))
  const result = await connection.runAndReadAll(
    `SELECT to_json(p)::VARCHAR p FROM read_ndjson('${path}',
       columns={o:'BIGINT', p:'${payloadType}'}) ORDER BY o`,
  )
  return result.getRowObjects().map(({ p }) => JSON.parse(String(p)) as Row['p'])
}

const head = '"device_id":"REF-1","timestamp":"2026-02-15T10:32:17Z"'

test('odd but readable messages mean the same to DuckDB as to JSON.parse', async () => {
  const odd = [
    `{${head},"readings":{"temperature":1,"door_open":1}}`,
    `{${head},"readings":{"temperature":-0.0,"door_open":0}}`,
    `{${head},"readings":{"temperature":123456789012345678901234567890}}`,
    `{${head},"readings":{"temperature":18446744073709551616,"pressure":-9223372036854775809}}`,
    `{${head},"readings":{"temperature":1E+5,"pressure":1e-400,"current":0.1e-7}}`,
    `{${head},"readings":{"temperature":0.${'1'.repeat(500)}}}`,
    `{${head},"\\u0072eadings":{"\\u0074emperature":3}}`,
    `{${head},"readings":{"Temperature":5,"temperature":6},"READINGS":{"temperature":9}}`,
    `{${head},"readings":null,"sensor_type":"temperature","value":1.5,"unit":"c"}`,
    `{${head},"sensor_type":"temperature","value":123456789012345678901234567890,"unit":"c"}`,
    `{${head},"readings":{},"unit":{"a":[1]},"quality":5,"value":"x","sensor_type":null}`,
    `{${head},"readings":{},"x":1e999,"y":"a\\u0000b","z":"\\ud83d\\ude00","q":"\u007f"}`,
    `{${head},"readings":{"foo":[{}],"temperature":null},"sent_at":"2026-02-15T10:32:17+01:00"}`,
    `\r\n{ ${head} ,\n"readings" : { "temperature" : 7 }\n}\n`,
  ]
  const payloads = odd.map((text) => {
    const payload = readablePayload(text)
    if (payload === undefined) throw new Error(`refused: ${text}`)
    return payload
  })
  const rows = await readStrict(payloads)
  for (const [i, row] of rows.entries()) {
    const sent = JSON.parse(odd[i]!) as Record<string, unknown>
    expect(row.timestamp).toBe(sent.timestamp)
    const sentReadings = (sent.readings ?? {}) as Record<string, unknown>
    const found = (row.readings ?? {}) as Record<string, unknown>
    for (const { name, kind } of testFleet.sensors) {
      const value = sentReadings[name] ?? null
      const expected = kind === 'boolean' && value !== null ? Boolean(value) : value
      expect(found[name] ?? null).toEqual(expected)
    }
  }
})

test('whatever is readable is safe for a strict reader', async () => {
  const scalar = fc.oneof(
    fc.constantFrom(
      '1',
      '0',
      '-0',
      '1e5',
      '1e999',
      '1e-999',
      'true',
      'false',
      'null',
      '""',
      '[]',
      '{}',
    ),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.bigInt().map(String),
    fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
    fc.json({ maxDepth: 3 }),
  )
  const key = fc.oneof(
    fc.constantFrom(
      'readings',
      'sent_at',
      'schema_version',
      'sensor_type',
      'value',
      'unit',
      'quality',
    ),
    fc.constantFrom('Readings', 'p', 'o', '\\u0075nit'),
    fc.string().map((text) => JSON.stringify(text).slice(1, -1)),
  )
  const sensor = fc.constantFrom(
    'temperature',
    'pressure',
    'door_open',
    'current',
    'Current',
    'foo',
  )
  const members = (keys: fc.Arbitrary<string>) =>
    fc
      .array(fc.tuple(keys, scalar), { maxLength: 4 })
      .map((pairs) => pairs.map(([name, value]) => `"${name}":${value}`).join(','))
  const blank = fc.constantFrom('', ' ', '\n', '\r\n', '\t')
  const message = fc.tuple(members(key), members(sensor), blank).map(([extra, inner, space]) => {
    const rest = extra === '' ? '' : `,${extra}`
    return `{${space}${head},${space}"readings":{${inner}${space}}${rest}}`
  })
  const payloads = fc
    .sample(message, { numRuns: 20_000, seed: 7 })
    .map(readablePayload)
    .filter((payload) => payload !== undefined)
  expect(payloads.length).toBeGreaterThan(3_000)
  const rows = await readStrict(payloads)
  expect(rows.length).toBe(payloads.length)
})
