import { existsSync, readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { type Check, type Finding, finding } from './finding.ts'
import { deviceCountOf } from './registered-fleet.ts'

const gib = 2 ** 30
/** SQL engine, tables in work and the process itself. */
const baseMemoryBytes = 2 * gib
/** A TLS connection takes 60 KiB, what the live view knows of a device the rest. */
const deviceMemoryBytes = 80 * 1024
/** Files besides connections: segments, tables, state store, console clients. */
const otherFiles = 512
const leastFiles = 4_096
const oldestNode = 24

/** The Node that runs this, or a version to judge. */
export function nodeVersion(version: string = process.versions.node): readonly Finding[] {
  const isOld = Number(version.split('.')[0]) < oldestNode
  return [
    finding('Node', {
      state: isOld ? 'failed' : 'ok',
      where: process.execPath,
      expected: `${oldestNode} or newer`,
      found: version,
      advice: 'install Node 26, or run npm ci: it brings one',
    }),
  ]
}

/** Memory of the machine or of the container, whichever is less. */
export const memory: Check = (options) => {
  const count = deviceCountOf(options)
  const limit = process.constrainedMemory()
  const isConfined = limit > 0 && limit < totalmem()
  const found = isConfined ? limit : totalmem()
  const needed = baseMemoryBytes + count * deviceMemoryBytes
  return [
    finding('memory', {
      state: found < needed ? 'warning' : 'ok',
      where: isConfined ? 'limit of the container' : 'this machine',
      expected: `${(needed / gib).toFixed(1)} GiB for ${count} devices`,
      found: `${(found / gib).toFixed(1)} GiB`,
      advice: isConfined ? 'raise the memory limit of the container' : 'take a larger machine',
    }),
  ]
}

/** One file a connection: too low a limit ends a reconnecting fleet at the door. */
export const openFiles: Check = (options) => {
  const count = deviceCountOf(options)
  const needed = Math.max(leastFiles, count + otherFiles)
  const path = `/proc/${options.serverProcessId ?? 'self'}/limits`
  const expected = `${needed} for ${count} devices`
  if (!existsSync(path)) {
    return [
      finding('open files', { state: 'ok', where: path, expected, found: 'not limited here' }),
    ]
  }
  const soft = /Max open files\s+(\d+)/.exec(readFileSync(path, 'utf8'))?.[1]
  const limit = soft === undefined ? Number.POSITIVE_INFINITY : Number(soft)
  return [
    finding('open files', {
      state: limit >= needed ? 'ok' : limit < count + otherFiles ? 'failed' : 'warning',
      where: path,
      expected,
      found: soft ?? 'unlimited',
      advice: `raise it: ulimit -n ${needed}, LimitNOFILE=${needed} in a systemd unit, or --ulimit nofile=${needed} of a container`,
    }),
  ]
}
