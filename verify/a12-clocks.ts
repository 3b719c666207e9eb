import { connect, message, registerDevices, topic } from './devices.ts'
import type { Promised } from './promise.ts'
import { freePorts, startServer, temporaryFolder } from './system.ts'

/** `--count=100` for a small run. */
const asked = process.argv.find((word) => word.startsWith('--count='))?.slice('--count='.length)
const clockCount = Number(asked ?? 1_000)
const messagesEach = 12
/** Simulated ways take up to so long, with a tail of messages that waited for minutes. */
const maxWayMs = 3_000
const waitedShare = 0.2
const maxErrorMs = 2_000
const share = 0.95

/** A repeatable stream of numbers in [0, 1): mulberry32. */
function stream(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Offsets as fleets have them: right ones, seconds, minutes, a wrong zone, a reset battery. */
function offsetOf(n: number, random: () => number): number {
  const sign = random() < 0.5 ? -1 : 1
  switch (n % 5) {
    case 0:
      return 0
    case 1:
      return sign * random() * 30_000
    case 2:
      return sign * random() * 1_800_000
    case 3:
      return sign * 900_000 * Math.ceil(random() * 40)
    default:
      return -random() * 3e8
  }
}

type Clock = { readonly offset_seconds: number | null }

/** Devices with wrong clocks send over a way that delays; the server says how wrong they are. */
export const promised: Promised = {
  id: 'A12',
  title: `the offset of ${clockCount} simulated device clocks is estimated from their messages`,
  unit: 'share of offsets within 2 s',
  bar: '>= 0.95',
  quick: false,
  limitSeconds: 600,
  run: async (report) => {
    const folder = temporaryFolder('a12')
    try {
      const data = folder.path
      const ids = Array.from({ length: clockCount }, (_, n) => `CLOCK-${n}`)
      const devices = await registerDevices(data, ids)
      const [port = 0, mqttPort = 0, mqttsPort = 0] = await freePorts(3)
      const server = await startServer({ data, port, mqttPort, mqttsPort, commitSeconds: 60 })
      const random = stream(12)
      const offsets = ids.map((_, n) => offsetOf(n, random))
      let next = 0
      const lane = async () => {
        for (let n = next++; n < devices.length; n = next++) {
          const device = devices[n]!
          const client = await connect(device, { port: mqttPort, version: 4 })
          for (let k = 0; k < messagesEach; k++) {
            const wayMs =
              random() < waitedShare ? 60_000 + random() * 3e6 : 100 + random() * maxWayMs
            // Sent so long ago by the device's own clock, and arriving now.
            const deviceMs = Date.now() - wayMs + offsets[n]!
            const body = message(device.device_id, deviceMs, k)
            await client.publishAsync(topic(device.device_id), body, { qos: 1 })
          }
          client.end(true)
        }
      }
      await Promise.all(Array.from({ length: 50 }, lane))
      report(`${clockCount * messagesEach} messages sent`)
      const errors: number[] = []
      for (const [n, id] of ids.entries()) {
        const { offset_seconds: seconds } = await server.get<Clock>(`/api/v1/devices/${id}/clock`)
        errors.push(Math.abs((seconds ?? Number.POSITIVE_INFINITY) * 1_000 - offsets[n]!))
      }
      await server.stop()
      const within = errors.filter((error) => error <= maxErrorMs).length / errors.length
      const sorted = errors.toSorted((a, b) => a - b)
      const at = (part: number) => Math.round(sorted[Math.floor(part * (sorted.length - 1))]!)
      return {
        ok: within >= share && errors.length === clockCount,
        value: within,
        detail: { clocks: clockCount, medianMs: at(0.5), p95Ms: at(0.95), worstMs: at(1) },
      }
    } finally {
      folder.remove()
    }
  },
}
