import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { type Check, finding } from './finding.ts'

/** State LISTEN of /proc/net/tcp. */
const listening = '0A'

/** Why a port cannot be listened on: EADDRINUSE, EACCES, EADDRNOTAVAIL ...; undefined if it can. */
function refusalOf(host: string, port: number): Promise<string | undefined> {
  return new Promise((done) => {
    const server = createServer()
    server.once('error', (error) => done('code' in error ? String(error.code) : error.message))
    server.listen(port, host, () => server.close(() => done(undefined)))
  })
}

function readable<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch (error) {
    // Processes end while they are looked at, and those of others are closed to us.
    if (error instanceof Error && 'code' in error) return otherwise
    throw error
  }
}

/** Socket numbers that listen on a port, from the kernel's tables. */
function socketsOf(port: number): ReadonlySet<string> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const found = new Set<string>()
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readable(() => readFileSync(table, 'utf8'), '').split('\n')) {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/)
      if (state === listening && local.endsWith(`:${hex}`) && inode !== undefined) found.add(inode)
    }
  }
  return found
}

/** Process that listens on a port, as far as this user may see. */
function ownerOf(port: number): { readonly processId: number; readonly name: string } | undefined {
  const sockets = socketsOf(port)
  if (sockets.size === 0) return undefined
  for (const entry of readable(() => readdirSync('/proc'), [])) {
    if (!/^\d+$/.test(entry)) continue
    for (const file of readable(() => readdirSync(`/proc/${entry}/fd`), [])) {
      const target = readable(() => readlinkSync(`/proc/${entry}/fd/${file}`), '')
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1]
      if (inode === undefined || !sockets.has(inode)) continue
      const command = readable(() => readFileSync(`/proc/${entry}/cmdline`, 'utf8'), '')
      return { processId: Number(entry), name: command.split('\0').slice(0, 3).join(' ').trim() }
    }
  }
  return undefined
}

/** Ports that somebody else has, and who. */
export const ports: Check = async ({ host, ports: wanted, serverProcessId }) => {
  const findings = await Promise.all(
    wanted
      .filter((port) => port !== 0)
      .map(async (port) => {
        const observed = { where: `${host}:${port}`, expected: 'free, or ours' }
        const refusal = await refusalOf(host, port)
        if (refusal === undefined)
          return finding('port', { ...observed, state: 'ok', found: `${port} is free` })
        if (refusal === 'EACCES') {
          const advice = 'ports below 1024 need CAP_NET_BIND_SERVICE; take another one'
          return finding('port', {
            ...observed,
            state: 'failed',
            found: `${port} is not allowed`,
            advice,
          })
        }
        if (refusal !== 'EADDRINUSE') {
          const advice = 'give an address of this machine with --host'
          return finding('port', { ...observed, state: 'failed', found: refusal, advice })
        }
        const owner = ownerOf(port)
        if (owner !== undefined && owner.processId === serverProcessId) {
          return finding('port', {
            ...observed,
            state: 'ok',
            found: `${port} is taken by this Isotherm`,
          })
        }
        const by = owner === undefined ? 'another program' : `${owner.name} (${owner.processId})`
        const advice = 'stop that program, or choose another port'
        return finding('port', {
          ...observed,
          state: 'failed',
          found: `${port} is taken by ${by}`,
          advice,
        })
      }),
  )
  return findings
}
