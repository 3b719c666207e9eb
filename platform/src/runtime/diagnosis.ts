import { X509Certificate } from 'node:crypto'
import {
  closeSync,
  constants,
  existsSync,
  fdatasyncSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs'
import { access } from 'node:fs/promises'
import { createServer } from 'node:net'
import { totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import type { FleetDefinition } from '../contracts/index.ts'
import { openLake } from '../lake/index.ts'

/** One thing `isotherm doctor` looked at. */
export type Finding = {
  readonly check: string
  readonly state: 'ok' | 'warning' | 'failed'
  readonly found: string
  /** What to do; empty when nothing is. */
  readonly advice: string
}

/** What to examine. */
export type DiagnosisOptions = {
  readonly dataDirectory: string
  readonly fleet: FleetDefinition
  readonly ports: readonly number[]
  readonly hostNames: readonly string[]
  /** A running process owns the folder: its ports are taken by design. */
  readonly isRunning: boolean
  readonly nowMs: number
}

type Check = (options: DiagnosisOptions) => Promise<Finding> | Finding

const gib = 2 ** 30

function finding(check: string, state: Finding['state'], found: string, advice = ''): Finding {
  return { check, state, found, advice: state === 'ok' ? '' : advice }
}

const nodeVersion: Check = () => {
  const isOld = Number(process.versions.node.split('.')[0]) < 24
  return finding('Node', isOld ? 'failed' : 'ok', process.version, 'install Node 26')
}

const memory: Check = () => {
  const total = totalmem() / gib
  const state = total < 2 ? 'warning' : 'ok'
  return finding('memory', state, `${total.toFixed(1)} GiB`, '4 GiB serve 10,000 devices well')
}

const dataFolder: Check = async ({ dataDirectory }) => {
  const directory = resolve(dataDirectory)
  if (!existsSync(directory)) {
    return finding(
      'data folder',
      'warning',
      `${directory} is not there`,
      'it is made on first start',
    )
  }
  try {
    await access(directory, constants.W_OK)
    return finding('data folder', 'ok', directory)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return finding('data folder', 'failed', reason, 'give a folder you may write to with --data')
  }
}

const diskSpace: Check = ({ dataDirectory }) => {
  const directory = existsSync(dataDirectory) ? dataDirectory : '.'
  const { bavail, blocks, bsize } = statfsSync(directory)
  const freeShare = bavail / blocks
  const found = `${((bavail * bsize) / gib).toFixed(1)} GiB free (${Math.round(freeShare * 100)} %)`
  const state = freeShare < 0.05 ? 'failed' : freeShare < 0.2 ? 'warning' : 'ok'
  return finding('disk space', state, found, 'free space: at 5 % the log refuses new data (ING-18)')
}

/** Median of a few small durable writes; every acknowledgement waits for one. */
const diskSpeed: Check = ({ dataDirectory }) => {
  const directory = existsSync(dataDirectory) ? dataDirectory : '.'
  const path = join(directory, `.doctor-${process.pid}`)
  const file = openSync(path, 'w')
  const block = Buffer.alloc(4096)
  const times: number[] = []
  try {
    for (let round = 0; round < 21; round++) {
      const start = performance.now()
      writeSync(file, block)
      fdatasyncSync(file)
      times.push(performance.now() - start)
    }
  } finally {
    closeSync(file)
    rmSync(path, { force: true })
  }
  const median = times.toSorted((a, b) => a - b)[10] ?? 0
  const state = median > 50 ? 'failed' : median > 15 ? 'warning' : 'ok'
  const advice = 'put the data folder on a local SSD: each acknowledgement waits this long'
  return finding('durable write', state, `${median.toFixed(2)} ms`, advice)
}

const openFiles: Check = () => {
  if (!existsSync('/proc/self/limits')) return finding('open files', 'ok', 'not limited here')
  const limits = readFileSync('/proc/self/limits', 'utf8')
  const soft = Number(/Max open files\s+(\d+)/.exec(limits)?.[1] ?? Number.NaN)
  const state = soft < 4096 ? 'warning' : 'ok'
  return finding('open files', state, `limit ${soft}`, 'raise it (ulimit -n): one per connection')
}

async function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer()
    server.once('error', () => done(false))
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)))
  })
}

const ports: Check = async ({ ports: wanted, isRunning }) => {
  const taken: number[] = []
  for (const port of wanted) if (!(await isFree(port))) taken.push(port)
  if (isRunning) return finding('ports', 'ok', 'Isotherm is running')
  if (taken.length === 0) return finding('ports', 'ok', `${wanted.join(', ')} are free`)
  return finding(
    'ports',
    'failed',
    `${taken.join(', ')} in use`,
    'stop that program or choose others',
  )
}

const certificate: Check = ({ dataDirectory, hostNames, nowMs }) => {
  const path = join(dataDirectory, 'certificates', 'server.pem')
  if (!existsSync(path)) return finding('certificate', 'ok', 'none yet; one is made on first start')
  const parsed = new X509Certificate(readFileSync(path))
  const daysLeft = Math.floor((Date.parse(parsed.validTo) - nowMs) / 86_400_000)
  const missing = hostNames.filter(
    (name) => parsed.checkHost(name) === undefined && parsed.checkIP(name) === undefined,
  )
  if (missing.length > 0) {
    const advice = `devices that connect to ${missing.join(', ')} will refuse it; give --tls-cert`
    return finding('certificate', 'failed', `not valid for ${missing.join(', ')}`, advice)
  }
  const state = daysLeft < 0 ? 'failed' : daysLeft < 14 ? 'warning' : 'ok'
  return finding('certificate', state, `${daysLeft} days left`, 'renew it')
}

const clock: Check = async ({ dataDirectory, fleet, nowMs }) => {
  const newest = await newestArrivalMs(dataDirectory, fleet)
  if (newest === undefined) return finding('clock', 'ok', new Date(nowMs).toISOString())
  const aheadS = Math.round((newest - nowMs) / 1000)
  if (aheadS <= 60) return finding('clock', 'ok', new Date(nowMs).toISOString())
  const found = `stored data is ${aheadS} s ahead of this machine's clock`
  return finding('clock', 'failed', found, 'set the clock (NTP) before starting')
}

async function newestArrivalMs(
  dataDirectory: string,
  fleet: FleetDefinition,
): Promise<number | undefined> {
  const directory = join(resolve(dataDirectory), 'tables')
  if (!existsSync(directory)) return undefined
  const temporaryDirectory = join(directory, `.doctor-${process.pid}`)
  const lake = await openLake({ directory, fleet, readOnly: true, temporaryDirectory })
  try {
    const { rows } = await lake.query(
      'SELECT epoch_ms(max(timestamp_ingested)) FROM raw_sensor_readings',
    )
    const newest = rows[0]?.[0]
    return newest === null || newest === undefined ? undefined : Number(newest)
  } finally {
    await lake.close()
    rmSync(temporaryDirectory, { recursive: true, force: true })
  }
}

const tables: Check = async ({ dataDirectory, fleet }) => {
  const directory = join(resolve(dataDirectory), 'tables')
  if (!existsSync(directory)) return finding('tables', 'ok', 'none yet')
  const temporaryDirectory = join(directory, `.doctor-tables-${process.pid}`)
  try {
    const lake = await openLake({ directory, fleet, readOnly: true, temporaryDirectory })
    let fileCount = 0
    for (const name of lake.tableNames)
      fileCount += (await lake.table(name).snapshot()).files.length
    await lake.close()
    return finding('tables', 'ok', `${lake.tableNames.length} tables, ${fileCount} files`)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return finding('tables', 'failed', reason, 'restore the named table from a backup')
  } finally {
    rmSync(temporaryDirectory, { recursive: true, force: true })
  }
}

/** Looks at the machine and the data folder for what most often goes wrong. */
export async function diagnose(options: DiagnosisOptions): Promise<readonly Finding[]> {
  const checks: readonly Check[] = [
    nodeVersion,
    memory,
    dataFolder,
    diskSpace,
    diskSpeed,
    openFiles,
    ports,
    certificate,
    tables,
    clock,
  ]
  const findings: Finding[] = []
  for (const check of checks) findings.push(await check(options))
  return findings
}
