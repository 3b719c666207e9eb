import { join } from 'node:path'
import { openLog } from 'isotherm/log'
import { numberFlag } from './delta/flags.ts'
import { peakKib, residentKib, runStorm, startGateway } from './mqtt/servers.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const fullCount = 10_000
const deviceCount = numberFlag('devices', fullCount)
const bufferedCount = 60
const returnMs = 10_000
const key = Buffer.alloc(32, 7).toString('base64')
const bars = { backMs: 60_000, publishMs: 2_000, growthMib: 512 } as const

/** The gateway's own limits, in proportion if there are fewer devices, so that the storm is one. */
const share = deviceCount / fullCount
const limits = {
  connectionsPerSecond: 500 * share,
  deploymentMessagesPerSecond: 20_000 * share,
  deploymentBurst: 40_000 * share,
}

type Order = { readonly missing: number; readonly doubled: number; readonly outOfOrder: number }

/** Reads the log: minutes 0 to 59 of every device, each once, in the order they were sent. */
async function orderInLog(folder: string): Promise<Order> {
  const log = openLog({ directory: join(folder, 'log'), clock: Date.now })
  const last = new Map<string, number>()
  const found = new Map<string, Set<number>>()
  let doubled = 0
  let outOfOrder = 0
  try {
    const { startOffset, endOffset } = log.bounds(0)
    let read = startOffset
    const abort = new AbortController()
    for await (const records of log.follow(0, startOffset, abort.signal)) {
      for (const { deviceId, body } of records) {
        const text = Buffer.from(body.payload).toString('latin1')
        const minute = Number(/T\d\d:(\d\d)/.exec(text)?.[1])
        const minutes = found.get(deviceId) ?? new Set()
        if (minutes.has(minute)) doubled += 1
        minutes.add(minute)
        found.set(deviceId, minutes)
        if (minute < (last.get(deviceId) ?? -1)) outOfOrder += 1
        last.set(deviceId, minute)
      }
      read += records.length
      if (read >= endOffset) break
    }
  } finally {
    await log.close()
  }
  const stored = [...found.values()].reduce((sum, minutes) => sum + minutes.size, 0)
  return { missing: deviceCount * bufferedCount - stored, doubled, outOfOrder }
}

/** A fleet that was cut off for an hour comes back all at once. */
export const promised: Promised = {
  id: 'A9',
  title: `${deviceCount} devices reconnect within 10 s and send an hour of readings`,
  unit: 's until all are back',
  bar: 'back <= 60 s, publish p99 <= 2 s once back, order kept, nothing lost, growth < 512 MiB',
  quick: false,
  limitSeconds: 300,
  run: async (report) => {
    const folder = temporaryFolder('a9')
    try {
      const server = await startGateway(folder.path, deviceCount, key, { limits })
      const beforeKib = residentKib(server)
      const { port } = server
      const liveCount = Math.max(1, Math.round(deviceCount / 100))
      const storm = await runStorm({
        ...{ port, key, deviceCount, bufferedCount, liveCount, returnMs },
      })
      const growthMib = Math.round((peakKib(server) - beforeKib) / 1_024)
      await server.stop()
      report(`${JSON.stringify(storm)}, the gateway grew by ${growthMib} MiB`)
      const order = await orderInLog(folder.path)
      return {
        ok:
          storm.allBackMs <= bars.backMs &&
          Math.max(storm.publishP99Ms, storm.liveP99Ms) <= bars.publishMs &&
          order.missing + order.doubled + order.outOfOrder === 0 &&
          growthMib < bars.growthMib,
        value: storm.allBackMs / 1_000,
        detail: { ...storm, ...order, growthMib, devices: deviceCount, limits },
      }
    } finally {
      folder.remove()
    }
  },
}
