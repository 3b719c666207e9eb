import { join } from 'node:path'
import { numberFlag } from './delta/flags.ts'
import {
  cpuSeconds,
  type MeasuredServer,
  residentKib,
  startAedes,
  startGateway,
  startLoad,
  startMosquitto,
} from './mqtt/servers.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const manyCount = numberFlag('connections', 5_000)
const idleCount = numberFlag('idle', 15_000)
const seconds = numberFlag('seconds', 5)
const withPeers = numberFlag('peers', 1) === 1
const fewCount = 200
const fewInFlight = 8
const key = Buffer.alloc(32, 7).toString('base64')
const bars = { many: 30_000, few: 120_000, p99Ms: 50, plainKib: 10, tlsKib: 60 } as const

type Rate = {
  readonly perSecond: number
  /** For each second of the server's processor time: fair on a machine that is shared. */
  readonly perCpuSecond: number
  readonly generatorCpuShare: number
  readonly halfLoadP50Ms: number
  readonly halfLoadP99Ms: number
}

const rounded = (value: number, digits = 0) => Number(value.toFixed(digits))

/** Saturates a server, then sends at half the rate it had and looks at the latency. */
async function rateOf(server: MeasuredServer, count: number, inFlight: number): Promise<Rate> {
  const load = startLoad()
  try {
    const { port } = server
    await load.tell({ kind: 'connect', port, count, isTls: false, inFlight, key })
    await load.tell({ kind: 'saturate', seconds: 1 })
    const before = cpuSeconds(server)
    const full = await load.tell({ kind: 'saturate', seconds })
    const cpu = cpuSeconds(server) - before
    if (full === undefined) throw new Error('the load generator did not answer')
    const perSecond = full.acknowledged / full.seconds
    const half = await load.tell({ kind: 'pace', seconds, rate: perSecond / 2 })
    return {
      perSecond: rounded(perSecond),
      perCpuSecond: rounded(full.acknowledged / cpu),
      generatorCpuShare: rounded(full.cpuSeconds / full.seconds, 2),
      halfLoadP50Ms: half?.p50Ms ?? 0,
      halfLoadP99Ms: half?.p99Ms ?? 0,
    }
  } finally {
    await load.stop()
  }
}

async function idleKib(server: MeasuredServer, port: number): Promise<number> {
  const load = startLoad()
  const settle = async () => {
    // Garbage of the handshakes is not what an idle connection costs.
    await server.stored()
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    await server.stored()
    return residentKib(server)
  }
  try {
    const before = await settle()
    const isTls = port === server.tlsPort
    await load.tell({ kind: 'connect', port, count: idleCount, isTls, inFlight: 1, key })
    return rounded(((await settle()) - before) / idleCount, 1)
  } finally {
    await load.stop()
  }
}

/** `aedes` acknowledges after a sync as the gateway does; the brokers as they come keep nothing. */
const others = ['aedes', 'aedesPlain', 'mosquitto'] as const
type Other = (typeof others)[number]
type Peer = 'isotherm' | Other

async function started(peer: Peer, folder: string): Promise<MeasuredServer | undefined> {
  if (peer === 'aedes') return startAedes(join(folder, 'aedes.log'))
  if (peer === 'aedesPlain') return startAedes()
  if (peer === 'mosquitto') return startMosquitto(folder)
  const profile = process.env.GATEWAY_NODE_OPTIONS
  const execArgv = profile === undefined ? [] : profile.split(' ')
  return startGateway(folder, Math.max(manyCount, fewCount), key, { execArgv })
}

async function ratesOf(peer: Peer, folder: string) {
  const server = await started(peer, folder)
  if (server === undefined) return undefined
  try {
    return {
      many: await rateOf(server, manyCount, 1),
      few: await rateOf(server, fewCount, fewInFlight),
    }
  } finally {
    await server.stop()
  }
}

async function memoryOf(folder: string, isTls: boolean): Promise<number> {
  const server = await startGateway(folder, idleCount, key)
  try {
    return await idleKib(server, isTls ? server.tlsPort : server.port)
  } finally {
    await server.stop()
  }
}

/** How fast the gateway takes durable messages, next to brokers that keep nothing. */
export const promised: Promised = {
  id: 'A13',
  title:
    'durable QoS 1 messages of 450 bytes, beside aedes that syncs and brokers that keep nothing',
  unit: 'messages/s over 5,000 connections with one in flight',
  bar:
    '>= 30,000/s, >= 120,000/s over 200 x 8, p99 <= 50 ms at half load, idle <= 10 KiB plain ' +
    'and <= 60 KiB TLS, faster than aedes that syncs',
  quick: false,
  limitSeconds: 400,
  run: async (report) => {
    const folder = temporaryFolder('a13')
    try {
      const peers: readonly Peer[] = ['isotherm', ...(withPeers ? others : [])]
      const rates: Partial<Record<Peer, Awaited<ReturnType<typeof ratesOf>>>> = {}
      for (const peer of peers) {
        rates[peer] = await ratesOf(peer, folder.path)
        report(`${peer}: ${JSON.stringify(rates[peer] ?? 'not installed: npm run setup:referees')}`)
      }
      const plainKib = idleCount === 0 ? 0 : await memoryOf(folder.path, false)
      const tlsKib = idleCount === 0 ? 0 : await memoryOf(folder.path, true)
      report(`idle: ${plainKib} KiB plain, ${tlsKib} KiB TLS`)
      const own = rates.isotherm
      if (own === undefined) throw new Error('the gateway was not measured')
      const ratio = (peer: Other, load: 'many' | 'few') => {
        const other = rates[peer]?.[load]
        if (other === undefined) return undefined
        const wall = rounded(own[load].perSecond / other.perSecond, 2)
        return { wall, cpu: rounded(own[load].perCpuSecond / other.perCpuSecond, 2) }
      }
      const ratios = Object.fromEntries(
        others.map((peer) => [peer, { many: ratio(peer, 'many'), few: ratio(peer, 'few') }]),
      )
      const { many, few } = own
      const beatsAedes = (['many', 'few'] as const).every(
        (load) => (ratio('aedes', load)?.wall ?? 0) > 1,
      )
      return {
        ok:
          many.perSecond >= bars.many &&
          few.perSecond >= bars.few &&
          Math.max(many.halfLoadP99Ms, few.halfLoadP99Ms) <= bars.p99Ms &&
          plainKib <= bars.plainKib &&
          tlsKib <= bars.tlsKib &&
          beatsAedes,
        value: many.perSecond,
        detail: { rates, ratios, idleKibPlain: plainKib, idleKibTls: tlsKib, idleCount },
      }
    } finally {
      folder.remove()
    }
  },
}
