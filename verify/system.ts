import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const main = join(import.meta.dirname, '..', 'platform', 'bin', 'isotherm.js')

/** A folder that is gone when the promise has been measured. */
export function temporaryFolder(name: string): {
  readonly path: string
  readonly remove: () => void
} {
  const path = mkdtempSync(join(tmpdir(), `isotherm-${name}-`))
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) }
}

/** Ports nobody listens on right now. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => {
            const address = server.address()
            resolve(typeof address === 'object' && address !== null ? address.port : 0)
          })
        }),
    ),
  )
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  return ports
}

/** What a run of the command line said. */
export type CommandResult = {
  readonly code: number
  readonly output: string
  readonly errors: string
}

/** Runs the command line to its end. */
export function isotherm(...args: readonly string[]): Promise<CommandResult> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { maxBuffer: 2 ** 30 }, (error, output, errors) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
      resolve({ code, output, errors })
    })
  })
}

/** Runs the command line and parses what it printed with `--json`. @throws when it failed */
export async function isothermJson<T>(...args: readonly string[]): Promise<T> {
  const { code, output, errors } = await isotherm(...args, '--json')
  if (code !== 0) throw new Error(`isotherm ${args.join(' ')} ended with ${code}: ${errors}`)
  return JSON.parse(output) as T
}

/** How to reach a running server. */
export type Server = {
  readonly url: string
  readonly token: string
  readonly mqttPort: number
  readonly mqttsPort: number
  readonly process: ChildProcess
  /** Ends as a crash would. */
  readonly kill: () => Promise<void>
  /** Asks it to stop and waits. */
  readonly stop: () => Promise<void>
  readonly get: <T>(path: string) => Promise<T>
}

export type ServerOptions = {
  readonly data: string
  readonly port: number
  readonly mqttPort: number
  readonly mqttsPort: number
  readonly fleet?: string
  readonly commitSeconds?: number
  readonly more?: readonly string[]
}

const startLimitMs = 60_000

/** Starts `isotherm up` and waits until it listens. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { data, port, mqttPort, mqttsPort } = options
  const marker = join(data, 'server.json')
  rmSync(marker, { force: true })
  const child = spawn(
    process.execPath,
    [
      main,
      'up',
      ...['--data', data, '--fleet', options.fleet ?? 'refrigeration'],
      ...['--port', String(port), '--mqtt-port', String(mqttPort)],
      ...['--mqtts-port', String(mqttsPort)],
      ...['--commit-seconds', String(options.commitSeconds ?? 2)],
      ...(options.more ?? []),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let errors = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4000)
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const deadline = performance.now() + startLimitMs
  while (!existsSync(marker)) {
    if (child.exitCode !== null) throw new Error(`isotherm up ended: ${errors}`)
    if (performance.now() > deadline) throw new Error(`isotherm up did not listen: ${errors}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const { url, token } = JSON.parse(readFileSync(marker, 'utf8')) as {
    readonly url: string
    readonly token: string
  }
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await ended
  }
  return {
    url,
    token,
    mqttPort,
    mqttsPort,
    process: child,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    get: async <T>(path: string) => {
      const response = await fetch(`${url}${path}`, {
        headers: { authorization: `Bearer ${token}` },
      })
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
      return (await response.json()) as T
    },
  }
}

/** Rows of `isotherm query`, as objects. */
export function query<T>(data: string, sql: string): Promise<readonly T[]> {
  return isothermJson<readonly T[]>('query', sql, '--data', data, '--limit', '100000000')
}

/** Waits until a condition holds. @throws after the limit, with what it waited for */
export async function until(
  what: string,
  limitMs: number,
  holds: () => Promise<boolean>,
  everyMs = 200,
): Promise<number> {
  const start = performance.now()
  while (!(await holds())) {
    if (performance.now() - start > limitMs) throw new Error(`${what}: not within ${limitMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
  return performance.now() - start
}

/** Value below which a share of the values lies, by nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}
