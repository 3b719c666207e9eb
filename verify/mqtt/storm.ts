// Devices of A9, all in one process: they were cut off, come back within seconds and send what they
// buffered, one message after the other; a few were connected all the time and send live.
import { connect, type Socket } from 'node:net'
import { signSasToken } from 'isotherm/gateway'
import { generate } from 'mqtt-packet'
import { type LanePacket, lanePacket } from './lane.ts'

/** What a storm is made of. */
export type StormOrder = {
  readonly port: number
  readonly key: string
  readonly deviceCount: number
  /** Messages each device has buffered. */
  readonly bufferedCount: number
  /** Devices that stay connected and send once a second. */
  readonly liveCount: number
  /** All others come back within this time. */
  readonly returnMs: number
}

/** How it went; times in milliseconds. */
export type StormReport = {
  /** From the beginning until the last device was let in. */
  readonly allBackMs: number
  /** Until the last buffered message was acknowledged. */
  readonly drainedMs: number
  readonly publishP50Ms: number
  readonly publishP99Ms: number
  readonly liveP99Ms: number
  readonly refusedConnects: number
  readonly brokenConnections: number
}

const packetBytes = 4
const retryMs = 1_000
const livePauseMs = 1_000
const hostName = 'localhost'

function loginPacket(deviceId: string, key: string): Buffer {
  const expiresAtMs = Date.now() + 3_600_000
  return generate({
    ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 900 },
    ...{ clientId: deviceId, username: `${hostName}/${deviceId}/?api-version=2021-04-12` },
    password: Buffer.from(signSasToken({ hostName, deviceId, key, expiresAtMs })),
  })
}

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** A device that goes on where its acknowledgements ended, however often it is cut off. */
class StormDevice {
  readonly latencies: number[] = []
  refused = 0
  broken = 0
  backAtMs = 0
  readonly #order: StormOrder
  readonly #deviceId: string
  readonly #packet: LanePacket
  readonly #count: number
  #acknowledged = 0

  constructor(order: StormOrder, n: number, count: number) {
    this.#order = order
    this.#deviceId = `LOAD-${n}`
    this.#packet = lanePacket(this.#deviceId, Date.now())
    this.#count = count
  }

  /** Connects and sends until everything is acknowledged; a pause follows each message. */
  async run(pauseMs: number): Promise<void> {
    while (this.#acknowledged < this.#count) {
      await this.#connection(pauseMs)
      if (this.#acknowledged < this.#count) await wait(retryMs * (1 + Math.random()))
    }
  }

  /** One connection, to its end. */
  #connection(pauseMs: number): Promise<void> {
    return new Promise((resolve) => {
      const { port, key } = this.#order
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      let greeting: number[] | undefined = []
      let answerBytes = 0
      let sentMs = 0
      socket.on('connect', () => socket.write(loginPacket(this.#deviceId, key)))
      socket.on('error', () => undefined)
      socket.on('close', () => {
        if (greeting === undefined && this.#acknowledged < this.#count) this.broken += 1
        resolve()
      })
      const next = () => {
        if (this.#acknowledged === this.#count) socket.end()
        else {
          sentMs = performance.now()
          this.#send(socket)
        }
      }
      socket.on('data', (bytes: Buffer) => {
        if (greeting !== undefined) {
          greeting.push(...bytes)
          if (greeting.length < packetBytes) return
          if (greeting[3] !== 0) {
            this.refused += 1
            socket.destroy()
            return
          }
          greeting = undefined
          if (this.backAtMs === 0) this.backAtMs = performance.now()
          next()
          return
        }
        answerBytes += bytes.length
        if (answerBytes < packetBytes) return
        answerBytes -= packetBytes
        this.latencies.push(performance.now() - sentMs)
        this.#acknowledged += 1
        if (pauseMs === 0) next()
        else setTimeout(next, pauseMs)
      })
    })
  }

  #send(socket: Socket): void {
    const { bytes, idAt, timeAt } = this.#packet
    const copy = Buffer.from(bytes)
    copy.writeUInt16BE(this.#acknowledged + 1, idAt)
    copy.write(String(this.#acknowledged).padStart(2, '0'), timeAt, 'latin1')
    socket.write(copy)
  }
}

function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort()
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
}

async function storm(order: StormOrder): Promise<StormReport> {
  const { deviceCount, liveCount, bufferedCount, returnMs } = order
  const startMs = performance.now()
  const live = Array.from({ length: liveCount }, (_, n) => new StormDevice(order, n, bufferedCount))
  const returning = Array.from(
    { length: deviceCount - liveCount },
    (_, n) => new StormDevice(order, liveCount + n, bufferedCount),
  )
  const runs = returning.map(async (device) => {
    await wait(Math.random() * returnMs)
    await device.run(0)
  })
  const stillLive = Promise.all(live.map((device) => device.run(livePauseMs)))
  await Promise.all(runs)
  const drainedMs = performance.now() - startMs
  await stillLive
  const all = [...live, ...returning]
  const flushed = returning.flatMap(({ latencies }) => latencies)
  return {
    allBackMs: Math.round(Math.max(...all.map(({ backAtMs }) => backAtMs)) - startMs),
    drainedMs: Math.round(drainedMs),
    publishP50Ms: percentile(flushed, 0.5),
    publishP99Ms: percentile(flushed, 0.99),
    liveP99Ms: percentile(
      live.flatMap(({ latencies }) => latencies),
      0.99,
    ),
    refusedConnects: all.reduce((sum, { refused }) => sum + refused, 0),
    brokenConnections: all.reduce((sum, { broken }) => sum + broken, 0),
  }
}

process.once('message', (order: StormOrder) => {
  storm(order).then(
    (report) => process.send?.(report, () => process.exit(0)),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
