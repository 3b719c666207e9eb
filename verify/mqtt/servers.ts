import { type ChildProcess, fork, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { GatewayLimits } from 'isotherm/gateway'
import { freePorts } from '../system.ts'
import type { LoadOrder, LoadReport } from './load.ts'
import type { StormOrder, StormReport } from './storm.ts'

/** Clock ticks a second in /proc, fixed on Linux. */
const ticksPerSecond = 100
const mosquittoPath = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto'].find(existsSync)
const aedesFolder = join(import.meta.dirname, '..', '..', 'referees', 'node_modules', 'aedes')

const noRates: Partial<GatewayLimits> = {
  ...{ deviceMessagesPerSecond: 1e6, deviceBurst: 1e6, connectionsPerSecond: 1e6 },
  ...{ deploymentMessagesPerSecond: 1e9, deploymentBurst: 1e9, connectTimeoutMs: 60_000 },
}

/** An MQTT server in a process of its own. */
export type MeasuredServer = {
  readonly port: number
  /** 0 where there is none. */
  readonly tlsPort: number
  readonly process: ChildProcess
  /** Records in the log; only our gateway has one. */
  readonly stored: () => Promise<number>
  readonly stop: () => Promise<void>
}

function statusKib(processId: number, name: string): number {
  const text = readFileSync(`/proc/${processId}/status`, 'utf8')
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0)
}

/** Memory of a process that is in RAM now, KiB. */
export function residentKib({ process: { pid = 0 } }: MeasuredServer): number {
  return statusKib(pid, 'VmRSS')
}

/** Most memory a process has had in RAM so far, KiB. */
export function peakKib({ process: { pid = 0 } }: MeasuredServer): number {
  return statusKib(pid, 'VmHWM')
}

/** Processor time of a process so far, seconds. */
export function cpuSeconds({ process: { pid = 0 } }: MeasuredServer): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

function answerOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`a process ended with ${code}`))
    child.once('exit', ended)
    child.once('message', (message) => {
      child.off('exit', ended)
      resolve(message as T)
    })
  })
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  if (child.connected) child.disconnect()
  else child.kill()
  await exit
}

async function forked(
  file: string,
  args: readonly string[],
  execArgv: readonly string[],
): Promise<MeasuredServer> {
  const path = join(import.meta.dirname, file)
  const child = fork(path, [...args], { execArgv: [...execArgv] })
  const { port, tlsPort } = await answerOf<{ port: number; tlsPort: number }>(child)
  return {
    port,
    tlsPort,
    process: child,
    stored: async () => {
      child.send('collect')
      return (await answerOf<{ readonly stored: number }>(child)).stored
    },
    stop: () => ended(child),
  }
}

/** Our gateway with its log in a folder. */
export function startGateway(
  folder: string,
  deviceCount: number,
  key: string,
  options: {
    /** Options of Node. */
    readonly execArgv?: readonly string[]
    /** By default rates and storms are out of the way. */
    readonly limits?: Partial<GatewayLimits>
  } = {},
): Promise<MeasuredServer> {
  const args = [folder, String(deviceCount), key, JSON.stringify(options.limits ?? noRates)]
  return forked('gateway-server.ts', args, ['--expose-gc', ...(options.execArgv ?? [])])
}

/** aedes, durable if a file is given; undefined where it is not installed. */
export async function startAedes(file?: string): Promise<MeasuredServer | undefined> {
  const args = file === undefined ? [] : [file]
  return existsSync(aedesFolder) ? forked('aedes-server.ts', args, []) : undefined
}

async function untilListening(port: number): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      }).once('error', () => resolve(false))
    })
    if (isOpen) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`nobody listens on ${port}`)
}

/** Mosquitto without persistence; undefined where it is not installed. */
export async function startMosquitto(folder: string): Promise<MeasuredServer | undefined> {
  if (mosquittoPath === undefined) return undefined
  const [port = 0] = await freePorts(1)
  const file = join(folder, 'mosquitto.conf')
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'set_tcp_nodelay true']
  writeFileSync(file, `${[...lines, 'log_type error', 'persistence false'].join('\n')}\n`)
  const child = spawn(mosquittoPath, ['-c', file], { stdio: 'ignore' })
  await untilListening(port)
  return { port, tlsPort: 0, process: child, stored: async () => 0, stop: () => ended(child) }
}

/** The load generator: tells it what to do and waits for its answer. */
export function startLoad(): {
  readonly tell: (order: LoadOrder) => Promise<LoadReport | undefined>
  readonly stop: () => Promise<void>
} {
  const child = fork(join(import.meta.dirname, 'load.ts'))
  return {
    tell: async (order) => {
      child.send(order)
      return (await answerOf<{ readonly report?: LoadReport }>(child)).report
    },
    stop: async () => {
      child.kill()
      await ended(child)
    },
  }
}

/** Lets a storm of devices loose and tells how it went. */
export async function runStorm(order: StormOrder): Promise<StormReport> {
  const child = fork(join(import.meta.dirname, 'storm.ts'))
  const report = answerOf<StormReport>(child)
  child.send(order)
  return report
}
