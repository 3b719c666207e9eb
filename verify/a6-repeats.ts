import { connect, message, registerDevices, topic } from './devices.ts'
import type { Promised } from './promise.ts'
import { freePorts, query, startServer, temporaryFolder, until } from './system.ts'

const device = 'REPEATS-1'
const sendCount = 10_000
const newCount = 7_000

/** Numbers of messages in the order they are sent: three in ten are repeats of an earlier one. */
function numbersSent(): readonly number[] {
  const numbers: number[] = []
  for (let n = 0; n < newCount; n++) {
    numbers.push(n)
    // A repeat at once, and ones of long ago: with 7 new messages come 3 repeats.
    if (n % 7 === 1) numbers.push(n)
    if (n % 7 === 3) numbers.push(Math.floor(n / 2))
    if (n % 7 === 5) numbers.push(Math.floor(n / 10))
  }
  return numbers
}

/** A device that sends again what it was not sure of, before and after the server is killed. */
export const promised: Promised = {
  id: 'A6',
  title: '10,000 sends with 30 % repeats and a restart in between are stored once each',
  unit: 'messages stored',
  bar: '7,000 in the log and in landing; 3,000 counted as duplicate',
  quick: true,
  limitSeconds: 120,
  run: async (report) => {
    const folder = temporaryFolder('a6')
    try {
      const data = folder.path
      const [registered] = await registerDevices(data, [device])
      if (registered === undefined) throw new Error('no device')
      const [port = 0, mqttPort = 0, mqttsPort = 0] = await freePorts(3)
      const start = () =>
        startServer({
          data,
          port,
          mqttPort,
          mqttsPort,
          commitSeconds: 1,
          more: ['--device-rate', '100000', '--device-burst', '100000'],
        })
      const startMs = Date.now() - newCount * 1_000
      const numbers = numbersSent()
      let server = await start()
      let duplicates = 0
      const duplicatesNow = async () => {
        const response = await fetch(`${server.url}/metrics`, {
          headers: { authorization: `Bearer ${server.token}` },
        })
        const [, count = '0'] =
          /^gateway_messages_duplicate_total (\d+)$/m.exec(await response.text()) ?? []
        return Number(count)
      }
      for (const [from, to] of [
        [0, sendCount / 2],
        [sendCount / 2, sendCount],
      ] as const) {
        const client = await connect(registered, { port: mqttPort, version: 4 })
        await Promise.all(
          numbers.slice(from, to).map((n) =>
            client.publishAsync(topic(device), message(device, startMs + n * 1_000, n), {
              qos: 1,
            }),
          ),
        )
        client.end(true)
        duplicates += await duplicatesNow()
        report(`${to} sends acknowledged, ${duplicates} known as repeats`)
        if (to === sendCount) continue
        await server.kill()
        server = await start()
      }
      const countOf = async (what: string) =>
        Number(
          (await query<{ n: string }>(data, `SELECT ${what} AS n FROM raw_sensor_readings`))[0]?.n,
        )
      await until('landing', 30_000, async () => (await countOf('count(*)')) >= newCount)
      const landed = await countOf('count(*)')
      const distinct = await countOf('count(DISTINCT event_id)')
      await server.stop()
      return {
        ok:
          numbers.length === sendCount &&
          landed === newCount &&
          distinct === newCount &&
          duplicates === sendCount - newCount,
        value: landed,
        detail: { sends: numbers.length, landed, distinct, duplicates },
      }
    } finally {
      folder.remove()
    }
  },
}
