import type { MqttClient } from 'mqtt'
import {
  connect,
  message,
  registerCollector,
  registerDevices,
  type TestDevice,
  topic,
} from './devices.ts'
import type { Promised } from './promise.ts'
import { freePorts, query, startServer, temporaryFolder, until } from './system.ts'

const killCount = 50
const deviceCount = 24

/** Sends as fast as it is acknowledged, each message once, until the connection breaks. */
async function publishUntilBroken(
  client: MqttClient,
  device: TestDevice,
  nextTimeMs: () => number,
  acknowledged: Set<string>,
): Promise<void> {
  let isBroken = false
  const broken = Promise.withResolvers<never>()
  // The client keeps promises of lost publishes open, waiting for a reconnect that never comes.
  broken.promise.catch(() => undefined)
  client.on('close', () => {
    isBroken = true
    broken.reject(new Error('connection lost'))
  })
  const lane = async () => {
    while (!isBroken) {
      const timeMs = nextTimeMs()
      try {
        const sent = client.publishAsync(
          topic(device.device_id),
          message(device.device_id, timeMs, timeMs),
          { qos: 1 },
        )
        await Promise.race([sent, broken.promise])
        acknowledged.add(`${device.device_id} ${new Date(timeMs).toISOString()}`)
      } catch {
        isBroken = true
      }
    }
  }
  await Promise.all([lane(), lane(), lane(), lane()])
}

async function postUntilBroken(
  url: string,
  token: string,
  device: TestDevice,
  nextTimeMs: () => number,
  acknowledged: Set<string>,
): Promise<void> {
  for (;;) {
    const times = Array.from({ length: 20 }, nextTimeMs)
    const body = times.map((timeMs) => message(device.device_id, timeMs, timeMs)).join('\n')
    try {
      const response = await fetch(`${url}/messages/batch`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
        body,
      })
      if (!response.ok) {
        await response.arrayBuffer()
        await new Promise((resolve) => setTimeout(resolve, 50))
        continue
      }
      await response.json()
    } catch {
      return
    }
    for (const timeMs of times) {
      acknowledged.add(`${device.device_id} ${new Date(timeMs).toISOString()}`)
    }
  }
}

/** Kill -9 at random moments under load: what was acknowledged is stored, once. */
export const promised: Promised = {
  id: 'A5',
  title: 'kill -9 of the whole process under load loses and doubles nothing',
  unit: 'messages lost or doubled',
  bar: '0 over 50 kills',
  quick: false,
  limitSeconds: 900,
  run: async (report) => {
    const folder = temporaryFolder('a5')
    try {
      const ids = Array.from({ length: deviceCount }, (_, n) => `KILL-${n}`)
      const devices = await registerDevices(folder.path, ids)
      const token = await registerCollector(folder.path)
      const [port = 0, mqttPort = 0, mqttsPort = 0] = await freePorts(3)
      const acknowledged = new Set<string>()
      // Times a little in the past and one millisecond apart: every message is its own.
      let last = Date.now() - 3_600_000
      const nextTimeMs = () => {
        last += 1
        return last
      }
      const options = { data: folder.path, port, mqttPort, mqttsPort, commitSeconds: 1 }
      const throttle = [
        '--device-rate',
        '1000000',
        '--device-burst',
        '1000000',
        '--total-rate',
        '1000000',
      ]
      for (let kill = 1; kill <= killCount; kill++) {
        const server = await startServer({ ...options, more: throttle })
        const work: Promise<void>[] = []
        for (const [n, device] of devices.entries()) {
          if (n % 6 === 0) {
            work.push(postUntilBroken(server.url, token, device, nextTimeMs, acknowledged))
            continue
          }
          const client = await connect(device, { port: mqttPort, version: n % 2 === 0 ? 4 : 5 })
          work.push(publishUntilBroken(client, device, nextTimeMs, acknowledged))
        }
        await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 2500))
        await server.kill()
        await Promise.all(work)
        if (kill % 10 === 0) report(`${kill} kills, ${acknowledged.size} acknowledged`)
      }
      const server = await startServer({ ...options, more: throttle })
      type Stored = { readonly key: string; readonly n: string }
      const stored = () =>
        query<Stored>(
          folder.path,
          "SELECT device_id || ' ' || timestamp_device_raw AS key, count(*) AS n " +
            'FROM raw_sensor_readings GROUP BY ALL',
        )
      let rows: readonly Stored[] = []
      await until(
        'landing',
        60_000,
        async () => {
          const before = rows.length
          rows = await stored()
          return rows.length > 0 && rows.length === before
        },
        3000,
      )
      await server.stop()
      const keys = new Set(rows.map(({ key }) => key))
      const lost = [...acknowledged].filter((key) => !keys.has(key)).length
      const doubled = rows.filter(({ n }) => Number(n) > 1).length
      return {
        ok: lost === 0 && doubled === 0 && acknowledged.size > 10_000,
        value: lost + doubled,
        detail: {
          acknowledged: acknowledged.size,
          stored: rows.length,
          lost,
          doubled,
          kills: killCount,
        },
      }
    } finally {
      folder.remove()
    }
  },
}
