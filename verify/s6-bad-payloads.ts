import {
  connect,
  message,
  readingsOf,
  registerCollector,
  registerDevices,
  topic,
} from './devices.ts'
import type { Promised } from './promise.ts'
import { freePorts, query, startServer, temporaryFolder, until } from './system.ts'

const bad = 'BAD-1'
const good = 'GOOD-1'
const nowText = () => new Date().toISOString()

type Kind = {
  readonly name: string
  readonly payload: Uint8Array | string
  /** Where it must end: a dead letter's reason, a quarantine reason, or a quality flag. */
  readonly reason: string
  /** Sent by a collector, for what a device session cannot send. */
  readonly byCollector?: boolean
}

function wide(more: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ device_id: bad, timestamp: nowText(), readings: readingsOf(1), ...more })
}

function narrow(more: Readonly<Record<string, unknown>>): string {
  const base = { device_id: bad, timestamp: nowText(), sensor_type: 'humidity', value: 40 }
  return JSON.stringify({ ...base, unit: '%', quality: 'good', ...more })
}

function kinds(): readonly Kind[] {
  const text = wide({})
  const deep = `{"device_id":"${bad}","x":${'['.repeat(500)}${']'.repeat(500)}}`
  const readings = (json: string) =>
    `{"device_id":"${bad}","timestamp":"${nowText()}","readings":${json}}`
  const none = Object.fromEntries(Object.keys(readingsOf(1)).map((name) => [name, null]))
  const future = new Date(Date.now() + 3 * 86_400_000).toISOString()
  return [
    { name: 'truncated', payload: text.slice(0, text.length / 2), reason: 'INVALID_JSON' },
    { name: 'binary', payload: Uint8Array.of(0xff, 0xfe, 0, 1, 0x80), reason: 'INVALID_ENCODING' },
    { name: 'empty', payload: '', reason: 'EMPTY_PAYLOAD' },
    {
      name: 'text for a number',
      payload: wide({ readings: { humidity: 'wet' } }),
      reason: 'TYPE_MISMATCH',
    },
    {
      name: 'list for a number',
      payload: wide({ readings: { humidity: [1] } }),
      reason: 'TYPE_MISMATCH',
    },
    {
      name: 'text for a state',
      payload: wide({ readings: { defrost_cycle: 'on' } }),
      reason: 'TYPE_MISMATCH',
    },
    { name: 'not an object', payload: '[1,2,3]', reason: 'TYPE_MISMATCH' },
    {
      name: 'unknown sensor only',
      payload: wide({ readings: { flux: 1 } }),
      reason: 'NO_KNOWN_SENSOR',
    },
    { name: 'NaN', payload: readings('{"humidity":NaN}'), reason: 'INVALID_JSON' },
    {
      name: 'beyond a double',
      payload: readings('{"humidity":1e999}'),
      reason: 'NUMBER_OUT_OF_RANGE',
    },
    {
      name: 'huge',
      payload: wide({ note: 'x'.repeat(300_000) }),
      reason: 'PAYLOAD_TOO_LARGE',
      byCollector: true,
    },
    {
      name: 'duplicate key',
      payload: readings('{"humidity":1,"humidity":2}'),
      reason: 'DUPLICATE_KEY',
    },
    { name: 'future clock', payload: wide({ timestamp: future }), reason: 'CLOCK_DRIFT' },
    {
      name: 'no timestamp',
      payload: wide({ timestamp: undefined }),
      reason: 'MISSING_REQUIRED_FIELD',
    },
    {
      name: 'bad timestamp',
      payload: wide({ timestamp: 'yesterday' }),
      reason: 'INVALID_TIMESTAMP',
    },
    {
      name: "another device's id",
      payload: wide({ device_id: good }),
      reason: 'IDENTITY_MISMATCH',
    },
    {
      name: 'unknown device',
      payload: wide({ device_id: 'NOBODY-1' }),
      reason: 'DEVICE_UNKNOWN',
      byCollector: true,
    },
    { name: 'nested too deep', payload: deep, reason: 'NESTED_TOO_DEEP' },
    {
      name: 'unknown sensor type',
      payload: narrow({ sensor_type: 'flux' }),
      reason: 'UNKNOWN_SENSOR_TYPE',
    },
    { name: 'wrong unit', payload: narrow({ unit: 'furlong' }), reason: 'UNIT_MISMATCH' },
    {
      name: 'unknown schema',
      payload: wide({ schema_version: '99.0' }),
      reason: 'SCHEMA_VERSION_UNKNOWN',
    },
    { name: 'all null', payload: wide({ readings: none }), reason: 'ALL_SENSORS_NULL' },
  ]
}

const goodCount = 500

/** Bad payloads between good ones: each ends where its reason says, every good row lands. */
export const promised: Promised = {
  id: 'S6',
  title: '22 kinds of bad payload mixed into good traffic each end with their own reason',
  unit: 'kinds without their reason, or good rows missing',
  bar: '0',
  quick: true,
  limitSeconds: 180,
  run: async (report) => {
    const folder = temporaryFolder('s6')
    try {
      const [badDevice, goodDevice] = await registerDevices(folder.path, [bad, good])
      const token = await registerCollector(folder.path)
      const [port = 0, mqttPort = 0, mqttsPort = 0] = await freePorts(3)
      const server = await startServer({
        data: folder.path,
        port,
        mqttPort,
        mqttsPort,
        commitSeconds: 1,
        more: ['--device-rate', '10000', '--device-burst', '10000'],
      })
      if (badDevice === undefined || goodDevice === undefined) throw new Error('no devices')
      const goodClient = await connect(goodDevice, { port: mqttPort, version: 5 })
      const badClient = await connect(badDevice, { port: mqttPort, version: 4 })
      const all = kinds()
      const startMs = Date.now() - goodCount * 1000
      for (let n = 0; n < goodCount; n++) {
        await goodClient.publishAsync(topic(good), message(good, startMs + n * 1000, n), { qos: 1 })
        const kind = n % 20 === 10 ? all[Math.floor(n / 20)] : undefined
        if (kind === undefined) continue
        const payload = typeof kind.payload === 'string' ? kind.payload : Buffer.from(kind.payload)
        if (kind.byCollector !== true) {
          await badClient.publishAsync(topic(bad), payload as string | Buffer, { qos: 1 })
          continue
        }
        const response = await fetch(`${server.url}/messages/batch`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
          body: kind.payload as string,
        })
        await response.json()
      }
      report(`${goodCount} good and ${all.length} bad messages acknowledged`)
      const count = async (sql: string) =>
        Number((await query<{ n: string }>(folder.path, sql))[0]?.n)
      await until('good rows', 60_000, async () => {
        const n = await count(
          `SELECT count(*) AS n FROM clean_sensor_readings WHERE device_id = '${good}'`,
        )
        return n >= goodCount
      })
      const reasons = await query<{ reason: string; n: string }>(
        folder.path,
        `SELECT reason, count(*) AS n FROM (
           SELECT reason_code AS reason FROM dead_letter_messages
           UNION ALL SELECT quarantine_reason FROM quarantine_sensor_readings
           UNION ALL SELECT unnest(quality_flags) FROM clean_sensor_readings
             WHERE device_id = '${bad}') GROUP BY ALL`,
      )
      const found = new Map(reasons.map(({ reason, n }) => [reason, Number(n)]))
      const expected = Map.groupBy(all, ({ reason }) => reason)
      const wrong = [...expected].filter(([reason, list]) => found.get(reason) !== list.length)
      const landed = await count(
        `SELECT count(*) AS n FROM clean_sensor_readings WHERE device_id = '${good}'`,
      )
      const isUp = server.process.exitCode === null
      goodClient.end(true)
      badClient.end(true)
      await server.stop()
      return {
        ok: wrong.length === 0 && landed === goodCount && isUp,
        value: wrong.length + Math.abs(goodCount - landed),
        detail: {
          kinds: all.length,
          good: landed,
          isUp,
          reasons: Object.fromEntries(found),
          wrong: wrong.map(([reason]) => reason),
        },
      }
    } finally {
      folder.remove()
    }
  },
}
