import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, readingsOf, registerCollector, registerDevices, topic } from './devices.ts'
import type { Promised } from './promise.ts'
import { freePorts, isothermJson, query, startServer, temporaryFolder, until } from './system.ts'

const device = 'BAD-1'

type Kind = {
  readonly payload: string | Buffer
  readonly reason: string
  /** Too large for a session, which it would end. */
  readonly byCollector?: boolean
}

function wide(more: Readonly<Record<string, unknown>>): string {
  const timestamp = new Date().toISOString()
  return JSON.stringify({ device_id: device, timestamp, readings: readingsOf(1), ...more })
}

function narrow(more: Readonly<Record<string, unknown>>): string {
  const base = { device_id: device, timestamp: new Date().toISOString(), quality: 'good' }
  return JSON.stringify({ ...base, sensor_type: 'humidity', value: 40, unit: '%', ...more })
}

function kinds(): readonly Kind[] {
  const head = `{"device_id":"${device}","timestamp":"${new Date().toISOString()}"`
  return [
    { payload: wide({}).slice(0, 80), reason: 'INVALID_JSON' },
    { payload: `${head},"readings":{"humidity":NaN}}`, reason: 'INVALID_JSON' },
    { payload: `${head},"readings":{"humidity":1,}}`, reason: 'INVALID_JSON' },
    { payload: `${wide({})} trailing`, reason: 'INVALID_JSON' },
    { payload: Buffer.of(0xff, 0xfe, 0, 1, 0x80), reason: 'INVALID_ENCODING' },
    { payload: '', reason: 'EMPTY_PAYLOAD' },
    { payload: wide({ readings: { humidity: 'wet' } }), reason: 'TYPE_MISMATCH' },
    { payload: wide({ readings: { humidity: [1] } }), reason: 'TYPE_MISMATCH' },
    { payload: wide({ readings: { defrost_cycle: 'on' } }), reason: 'TYPE_MISMATCH' },
    { payload: '[1,2,3]', reason: 'TYPE_MISMATCH' },
    { payload: wide({ readings: { flux: 1 } }), reason: 'NO_KNOWN_SENSOR' },
    { payload: `${head},"readings":{"humidity":1e999}}`, reason: 'NUMBER_OUT_OF_RANGE' },
    {
      payload: `${head},"readings":{"humidity":1,"humidity":2}}`,
      reason: 'DUPLICATE_KEY',
    },
    { payload: wide({ timestamp: undefined }), reason: 'MISSING_REQUIRED_FIELD' },
    { payload: wide({ timestamp: 'yesterday' }), reason: 'INVALID_TIMESTAMP' },
    { payload: wide({ device_id: 'GOOD-1' }), reason: 'IDENTITY_MISMATCH' },
    { payload: `${head},"x":${'['.repeat(500)}${']'.repeat(500)}}`, reason: 'NESTED_TOO_DEEP' },
    { payload: narrow({ sensor_type: 'flux' }), reason: 'UNKNOWN_SENSOR_TYPE' },
    { payload: narrow({ unit: 'furlong' }), reason: 'UNIT_MISMATCH' },
    {
      payload: wide({ note: 'x'.repeat(300_000) }),
      reason: 'PAYLOAD_TOO_LARGE',
      byCollector: true,
    },
  ]
}

/** What an operator would write once the cause is known: a readable message from each letter. */
const repairModule = `
export function repair(payload, letter) {
  return JSON.stringify({
    device_id: ${JSON.stringify(device)},
    timestamp: new Date(letter.ingestedAtMs).toISOString(),
    readings: { humidity: 40 },
  })
}
`

type Letter = {
  readonly event_id: string
  readonly reason_code: string
  readonly ingested: string
  readonly status: string
}

type Outcome = { readonly outcome: string; readonly letters: number }

/** Bad payloads, a first replay in vain, then one with a repair, all against a running server. */
export const promised: Promised = {
  id: 'A10',
  title: '20 kinds of bad payload are set aside with their reasons and stored after a repair',
  unit: 'letters without their reason, or not stored once with their id and ingest time',
  bar: '0 of 20',
  quick: true,
  limitSeconds: 120,
  run: async (report) => {
    const folder = temporaryFolder('a10')
    try {
      const [registered] = await registerDevices(folder.path, [device])
      const token = await registerCollector(folder.path)
      if (registered === undefined) throw new Error('no device')
      const [port = 0, mqttPort = 0, mqttsPort = 0] = await freePorts(3)
      const data = folder.path
      const server = await startServer({ data, port, mqttPort, mqttsPort, commitSeconds: 1 })
      const client = await connect(registered, { port: mqttPort, version: 4 })
      const all = kinds()
      for (const { payload, byCollector } of all) {
        if (byCollector !== true) {
          await client.publishAsync(topic(device), payload, { qos: 1 })
          continue
        }
        await fetch(`${server.url}/messages/batch`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
          body: String(payload),
        })
      }
      client.end(true)
      const letters = () =>
        query<Letter>(
          data,
          `SELECT event_id, reason_code, status, epoch_ms(timestamp_ingested)::VARCHAR AS ingested
             FROM dead_letter_messages ORDER BY event_id`,
        )
      await until('letters', 30_000, async () => (await letters()).length >= all.length)
      const before = await letters()
      const sorted = (reasons: readonly string[]) => reasons.toSorted().join()
      const isReasoned =
        sorted(before.map((letter) => letter.reason_code)) ===
        sorted(all.map(({ reason }) => reason))
      const inVain = await isothermJson<readonly Outcome[]>('deadletters', 'replay', '--data', data)
      report(`without a repair: ${JSON.stringify(inVain)}`)
      const path = join(data, 'repair.mjs')
      writeFileSync(path, repairModule)
      const mended = await isothermJson<readonly Outcome[]>(
        ...(['deadletters', 'replay', '--repair', path, '--data', data] as const),
      )
      report(`with one: ${JSON.stringify(mended)}`)
      const stored = () =>
        query<{ event_id: string; ingested: string }>(
          data,
          `SELECT event_id, epoch_ms(timestamp_ingested)::VARCHAR AS ingested
             FROM raw_sensor_readings ORDER BY event_id`,
        )
      await until('rows', 30_000, async () => (await stored()).length >= all.length)
      const rows = await stored()
      const clean = await query<{ n: string }>(
        data,
        'SELECT count(DISTINCT event_id) AS n FROM clean_sensor_readings',
      )
      const after = await letters()
      await server.stop()
      const wrong = before.filter((letter, index) => {
        const row = rows[index]
        const isSame = row?.event_id === letter.event_id && row.ingested === letter.ingested
        return !isSame || after[index]?.status !== 'replayed'
      })
      const isWhole = before.length === all.length && rows.length === all.length
      const isRefusedFirst = inVain.every(({ outcome }) => outcome.startsWith('still refused'))
      return {
        ok: isReasoned && isWhole && isRefusedFirst && wrong.length === 0,
        value: wrong.length + (isReasoned ? 0 : 1),
        detail: {
          letters: before.length,
          stored: rows.length,
          clean: clean[0]?.n,
          isReasoned,
          inVain,
        },
      }
    } finally {
      folder.remove()
    }
  },
}
