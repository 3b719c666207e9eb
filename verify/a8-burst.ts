import { readFileSync } from 'node:fs'
import { connect, message, registerDevices, type TestDevice, topic } from './devices.ts'
import type { Promised } from './promise.ts'
import { freePorts, query, startServer, temporaryFolder, until } from './system.ts'

const deviceCount = 50
/** Messages a second the gateway is told to take; devices offer ten times as many. */
const totalRate = 1_000
const burstSeconds = 10
const messagesEach = (10 * totalRate * burstSeconds) / deviceCount
const maxGrowthMib = 256

/** Highest memory of a process so far, MiB. */
function peakMib(processId: number): number {
  const [, kib = '0'] =
    /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${processId}/status`, 'utf8')) ?? []
  return Number(kib) / 1_024
}

/** Offers all messages of a device at once; what the gateway cuts off is not offered again. */
async function burst(
  device: TestDevice,
  port: number,
  startMs: number,
): Promise<readonly number[]> {
  const id = device.device_id
  const client = await connect(device, { port, version: 4 })
  const ended = new Promise<void>((resolve) => client.once('close', () => resolve()))
  const acknowledged: number[] = []
  const all = Array.from({ length: messagesEach }, (_, n) =>
    client
      .publishAsync(topic(id), message(id, startMs + n, n), { qos: 1 })
      .then(() => acknowledged.push(n))
      // Not acknowledged: a device would send it again, here it does not count.
      .catch(() => undefined),
  )
  await Promise.race([Promise.all(all), ended])
  client.end(true)
  return acknowledged
}

/** Ten times the rate that is allowed: answers are delayed, but nothing is lost. */
export const promised: Promised = {
  id: 'A8',
  title: 'devices offer ten times the rate: what is acknowledged is stored, memory stays bounded',
  unit: 'acknowledged messages that are missing',
  bar: '0, the server grows by less than 256 MiB',
  quick: false,
  limitSeconds: 300,
  run: async (report) => {
    const folder = temporaryFolder('a8')
    try {
      const data = folder.path
      const ids = Array.from({ length: deviceCount }, (_, n) => `BURST-${n}`)
      const devices = await registerDevices(data, ids)
      const [port = 0, mqttPort = 0, mqttsPort = 0] = await freePorts(3)
      const server = await startServer({
        data,
        port,
        mqttPort,
        mqttsPort,
        commitSeconds: 2,
        more: [
          ...['--device-rate', '100000', '--device-burst', '100000'],
          ...['--total-rate', String(totalRate)],
        ],
      })
      const processId = server.process.pid ?? 0
      const beforeMib = peakMib(processId)
      const startMs = Date.now() - messagesEach
      const acknowledged = await Promise.all(devices.map((one) => burst(one, mqttPort, startMs)))
      const growthMib = peakMib(processId) - beforeMib
      const acknowledgedCount = acknowledged.reduce((sum, numbers) => sum + numbers.length, 0)
      report(`${acknowledgedCount} acknowledged, the server grew by ${growthMib.toFixed(0)} MiB`)
      const stored = () =>
        query<{ d: string; t: string; n: string }>(
          data,
          `SELECT device_id AS d, epoch_ms(timestamp_device)::VARCHAR AS t, count(*)::VARCHAR AS n
             FROM raw_sensor_readings GROUP BY ALL`,
        )
      const missing = async () => {
        const found = new Set((await stored()).map(({ d, t }) => `${d} ${t}`))
        return acknowledged.reduce(
          (sum, numbers, index) =>
            sum + numbers.filter((n) => !found.has(`${ids[index]} ${startMs + n}`)).length,
          0,
        )
      }
      const isWhole = async () => (await missing()) === 0
      await until('landing', 30_000, isWhole, 2_000).catch(() => report('messages are missing'))
      const doubled = (await stored()).filter(({ n }) => n !== '1').length
      const missingCount = await missing()
      await server.stop()
      return {
        ok:
          missingCount === 0 && doubled === 0 && acknowledgedCount > 0 && growthMib < maxGrowthMib,
        value: missingCount,
        detail: {
          offered: deviceCount * messagesEach,
          acknowledged: acknowledgedCount,
          doubled,
          growthMib: Math.round(growthMib),
        },
      }
    } finally {
      folder.remove()
    }
  },
}
