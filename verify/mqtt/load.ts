// Load generator of A13, a process of its own: raw sockets and packets built beforehand, because it
// shares the machine with the server it measures.
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { signSasToken } from 'isotherm/gateway'
import { generate } from 'mqtt-packet'
import { Lane, lanePacket } from './lane.ts'

/** What the generator is told. */
export type LoadOrder =
  | {
      readonly kind: 'connect'
      readonly port: number
      readonly count: number
      readonly isTls: boolean
      /** Messages of one connection that wait for their PUBACK at a time. */
      readonly inFlight: number
      /** Base64 key of every device. */
      readonly key: string
    }
  /** Everybody sends as fast as answers come. */
  | { readonly kind: 'saturate'; readonly seconds: number }
  /** Messages a second in all, whatever the answers do. */
  | { readonly kind: 'pace'; readonly seconds: number; readonly rate: number }
  | { readonly kind: 'leave' }

/** What it answers. */
export type LoadReport = {
  readonly acknowledged: number
  readonly seconds: number
  /** From the moment a message was due to its PUBACK, milliseconds. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Processor time of the generator, seconds. */
  readonly cpuSeconds: number
}

const connackBytes = 4
/** Connections that shake hands at a time. */
const batchSize = 100
const paceMs = 2
/** Latencies are counted in tenths of a millisecond, up to ten seconds. */
const latencies = new Uint32Array(100_000)
const incoming = Buffer.alloc(65_536)
let lanes: Lane[] = []

function loginPacket(deviceId: string, key: string): Buffer {
  const hostName = 'localhost'
  const expiresAtMs = Date.now() + 3_600_000
  return generate({
    ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 900 },
    ...{ clientId: deviceId, username: `${hostName}/${deviceId}/?api-version=2021-04-12` },
    password: Buffer.from(signSasToken({ hostName, deviceId, key, expiresAtMs })),
  })
}

function open(order: Extract<LoadOrder, { kind: 'connect' }>, n: number): Promise<Lane> {
  const deviceId = `LOAD-${n}`
  const lane = new Lane(lanePacket(deviceId, Date.now()), order.inFlight)
  const address = { port: order.port, host: '127.0.0.1', noDelay: true } as const
  return new Promise((resolve, reject) => {
    let greeted = 0
    const take = (count: number): void => {
      if (greeted === connackBytes) {
        lane.answered(count, latencies)
        return
      }
      greeted += count
      if (greeted === connackBytes) resolve(lane)
    }
    let socket: Socket
    if (order.isTls) {
      socket = connectTls({ ...address, rejectUnauthorized: false })
      socket.on('data', (bytes) => take(bytes.length))
    } else {
      const callback = (count: number) => {
        take(count)
        return true
      }
      socket = connect({ ...address, onread: { buffer: incoming, callback } })
    }
    lane.socket = socket
    socket.once('error', reject)
    socket.once('close', () => reject(new Error(`${deviceId}: closed by the server`)))
    socket.write(loginPacket(deviceId, order.key))
  })
}

async function openAll(order: Extract<LoadOrder, { kind: 'connect' }>): Promise<void> {
  for (let n = 0; n < order.count; n += batchSize) {
    const size = Math.min(batchSize, order.count - n)
    lanes.push(...(await Promise.all(Array.from({ length: size }, (_, k) => open(order, n + k)))))
  }
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

function percentile(share: number): number {
  const total = latencies.reduce((sum, count) => sum + count, 0)
  let seen = 0
  for (let tenth = 0; tenth < latencies.length; tenth++) {
    seen += latencies[tenth]!
    if (seen >= total * share && seen > 0) return tenth / 10
  }
  return 0
}

/** Runs lanes for some seconds and counts; every message is answered before it returns. */
async function measured(seconds: number, run: () => Promise<void>): Promise<LoadReport> {
  latencies.fill(0)
  const cpu = process.cpuUsage()
  const startMs = performance.now()
  const before = lanes.reduce((sum, lane) => sum + lane.acknowledged, 0)
  await run()
  const after = lanes.reduce((sum, lane) => sum + lane.acknowledged, 0)
  const elapsedS = (performance.now() - startMs) / 1_000
  const { user, system } = process.cpuUsage(cpu)
  for (const lane of lanes) lane.isRefilled = false
  const deadlineMs = performance.now() + seconds * 1_000 + 20_000
  while (lanes.some((lane) => lane.waiting > 0) && performance.now() < deadlineMs) await wait(10)
  return {
    acknowledged: after - before,
    seconds: elapsedS,
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    cpuSeconds: (user + system) / 1e6,
  }
}

function saturate(seconds: number): Promise<LoadReport> {
  return measured(seconds, async () => {
    for (const lane of lanes) {
      lane.isRefilled = true
      lane.fill(performance.now())
    }
    await wait(seconds * 1_000)
  })
}

function pace(seconds: number, rate: number): Promise<LoadReport> {
  return measured(seconds, async () => {
    const startMs = performance.now()
    let sent = 0
    let at = 0
    for (;;) {
      const nowMs = performance.now()
      if (nowMs - startMs >= seconds * 1_000) return
      const due = Math.floor(((nowMs - startMs) / 1_000) * rate)
      while (sent < due) {
        const lane = lanes[at++ % lanes.length]!
        // A lane whose window is full holds the message back; its wait counts as latency.
        lane.send(startMs + (sent / rate) * 1_000)
        sent += 1
      }
      await wait(paceMs)
    }
  })
}

async function obey(order: LoadOrder): Promise<LoadReport | undefined> {
  switch (order.kind) {
    case 'connect':
      await openAll(order)
      return undefined
    case 'saturate':
      return saturate(order.seconds)
    case 'pace':
      return pace(order.seconds, order.rate)
    case 'leave':
      for (const lane of lanes) lane.socket?.destroy()
      lanes = []
      return undefined
  }
}

process.on('message', (order: LoadOrder) => {
  obey(order).then(
    (report) => process.send?.({ report }),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
