import { type ChildProcess, spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import { registerCollector, registerDevices, type TestDevice } from './devices.ts'
import { DeviceBooks, type Range } from './ledger/device-books.ts'
import { type Stage, sendBatches, sendOverHttp, sendOverMqtt } from './ledger/senders.ts'
import type { Promised } from './promise.ts'
import {
  freePorts,
  isotherm,
  query,
  type Server,
  startServer,
  temporaryFolder,
  until,
} from './system.ts'

/** `--count=20000` for a small run. */
const asked = process.argv.find((word) => word.startsWith('--count='))?.slice('--count='.length)
const messageCount = Number(asked ?? 1_000_000)
const killCount = 10
const deviceCount = 60
const collectorLanes = 4
/** Kept small, so that device and fleet are throttled for much of the run. */
const rates = ['--device-rate', '8', '--device-burst', '8', '--total-rate', '5000']

type Line = {
  readonly received: number
  readonly stored: number
  readonly duplicate: number
  readonly rejected: number
  readonly reasons: Readonly<Record<string, number>>
  readonly difference: number
  readonly recovered: number
}
type View = { readonly total: Line; readonly unbalanced_count: number; readonly as_of: string }

/** Token as ING-5 describes it, signed here and not by the code under test. */
function sasToken(device: TestDevice): string {
  const [, host = '', key = ''] =
    /HostName=([^;]+);.*SharedAccessKey=([^;]+)/.exec(device.connection_string) ?? []
  const resource = encodeURIComponent(`${host}/devices/${device.device_id}`)
  const expiry = Math.floor(Date.now() / 1_000) + 7_200
  const signature = createHmac('sha256', Buffer.from(key, 'base64'))
    .update(`${resource}\n${expiry}`)
    .digest('base64')
  return `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiry}`
}

/** Another program that keeps the disk busy with synchronous writes. */
function busyDisk(folder: string): ChildProcess {
  const path = join(folder, 'busy.bin')
  return spawn('dd', ['if=/dev/zero', `of=${path}`, 'bs=1M', 'count=64', 'oflag=dsync'], {
    stdio: 'ignore',
  })
}

const isIn = (value: number, { least, most }: Range) => value >= least && value <= most

/** What does not agree between a device's own books, the rows and the ledger; empty if all does. */
function disagreements(
  books: DeviceBooks,
  line: Line,
  rows: { readonly stored: number; readonly rejected: ReadonlyMap<string, number> },
  mayBeTurnedAway: boolean,
): readonly string[] {
  const { received, stored, duplicate, rejected, reasons, difference } = line
  const found: string[] = []
  const check = (holds: boolean, what: string) => {
    if (!holds) found.push(`${books.deviceId}: ${what}`)
  }
  check(received === stored + duplicate + rejected, `${JSON.stringify(line)} is no equation`)
  check(difference === 0, `difference ${difference}`)
  check(rows.stored === stored, `${rows.stored} rows, ledger ${stored}`)
  check(books.distinctCount === stored, `${books.distinctCount} messages, ledger ${stored}`)
  const good = books.attempts('')
  const repeats = { least: good.least - stored, most: good.most - stored }
  check(isIn(duplicate, repeats), `duplicate ${duplicate}, expected ${JSON.stringify(repeats)}`)
  const turnedAway = reasons.OVER_RATE ?? 0
  const unknown = books.unknownCount
  const away = mayBeTurnedAway
    ? { least: books.turnedAway, most: books.turnedAway + unknown }
    : { least: 0, most: 0 }
  check(isIn(turnedAway, away), `OVER_RATE ${turnedAway}, expected ${JSON.stringify(away)}`)
  for (const reason of new Set([...books.reasons, ...rows.rejected.keys()])) {
    const inLedger = reasons[reason] ?? 0
    const range = books.attempts(reason)
    check(isIn(inLedger, range), `${reason} ${inLedger}, expected ${JSON.stringify(range)}`)
    check(inLedger === (rows.rejected.get(reason) ?? 0), `${reason}: rows differ`)
  }
  const sum = Object.values(reasons).reduce((total, n) => total + n, 0)
  check(sum === rejected, `reasons add up to ${sum}, not ${rejected}`)
  return found
}

async function rowsOf(data: string) {
  const landed = await query<{ d: string; n: string }>(
    data,
    'SELECT device_id AS d, count(*)::VARCHAR AS n FROM raw_sensor_readings GROUP BY ALL',
  )
  const dead = await query<{ d: string; r: string; n: string }>(
    data,
    `SELECT device_id AS d, reason_code AS r, count(*)::VARCHAR AS n
       FROM dead_letter_messages GROUP BY ALL`,
  )
  return (deviceId: string) => ({
    stored: Number(landed.find(({ d }) => d === deviceId)?.n ?? 0),
    rejected: new Map(
      dead.filter(({ d }) => d === deviceId).map(({ r, n }) => [r, Number(n)] as const),
    ),
  })
}

/** Sends everything, through kills, cut connections, a busy disk and throttles. */
async function chaos(
  start: () => Promise<Server>,
  devices: readonly TestDevice[],
  fleet: readonly DeviceBooks[],
  options: { readonly token: string; readonly data: string },
  report: (line: string) => void,
): Promise<{ readonly server: Server; readonly refusedBatchMessages: number }> {
  const made = () => fleet.reduce((sum, { madeCount }) => sum + madeCount, 0)
  const overHttp = fleet.slice(0, 8)
  const overMqtt = fleet.slice(8, 24)
  const byCollector = fleet.slice(24)
  let refusedBatchMessages = 0
  for (let kill = 1; ; kill++) {
    const server = await start()
    let isOver = false
    const target = (messageCount * kill) / (killCount + 1)
    const stage: Stage = {
      url: server.url,
      mqttPort: server.mqttPort,
      collectorToken: options.token,
      mayMake: () => made() < messageCount,
      isOver: () => isOver,
    }
    const disk = kill % 3 === 2 ? busyDisk(options.data) : undefined
    const batches = Array.from({ length: collectorLanes }, () => sendBatches(byCollector, stage))
    const work = Promise.all([
      ...overHttp.map((books, n) => sendOverHttp(sasToken(devices[n]!), books, stage)),
      ...overMqtt.map((books, n) => sendOverMqtt(devices[n + 8]!, books, stage)),
      ...batches,
    ])
    if (kill > killCount) {
      await work
      for (const count of await Promise.all(batches)) refusedBatchMessages += count
      return { server, refusedBatchMessages }
    }
    while (made() < target) await new Promise((resolve) => setTimeout(resolve, 20))
    await server.kill()
    isOver = true
    disk?.kill()
    await work
    for (const count of await Promise.all(batches)) refusedBatchMessages += count
    report(`kill ${kill}: ${made()} messages made`)
  }
}

/** The books of clients, tables and ledger are kept apart and compared term by term. */
export const promised: Promised = {
  id: 'A7',
  title:
    'kills, a busy disk, cut connections, bad payloads and throttles: the ledger balances and ' +
    'agrees with the clients and the tables for every device',
  unit: 'disagreements',
  bar: `0 of ${deviceCount} devices over 1,000,000 messages and ${killCount} kills`,
  quick: false,
  limitSeconds: 3600,
  run: async (report) => {
    const folder = temporaryFolder('a7')
    try {
      const data = folder.path
      const ids = Array.from({ length: deviceCount }, (_, n) => `BOOKS-${n}`)
      const devices = await registerDevices(data, ids)
      const token = await registerCollector(data)
      const [port = 0, mqttPort = 0, mqttsPort = 0] = await freePorts(3)
      const start = () =>
        startServer({ data, port, mqttPort, mqttsPort, commitSeconds: 2, more: rates })
      const fleet = ids.map((id) => new DeviceBooks(id, Date.now() - messageCount))
      const end = await chaos(start, devices, fleet, { token, data }, report)
      const sentMs = Date.now()
      const { server } = end
      const expected = fleet.reduce((sum, { distinctCount }) => sum + distinctCount, 0)
      const landed = async () =>
        Number(
          (await query<{ n: string }>(data, 'SELECT count(*) AS n FROM raw_sensor_readings'))[0]?.n,
        )
      await until('landing', 120_000, async () => (await landed()) >= expected, 2_000)
      const view = (device?: string) =>
        server.get<View>(
          `/api/v1/ledger?hours=6&limit=0${device === undefined ? '' : `&device=${device}`}`,
        )
      await until('an audit', 60_000, async () => Date.parse((await view()).as_of) > sentMs + 2_000)
      // Dead letters land with the slice after the last good rows.
      await new Promise((resolve) => setTimeout(resolve, 5_000))
      const rows = await rowsOf(data)
      const found: string[] = []
      for (const [n, books] of fleet.entries()) {
        const { total } = await view(books.deviceId)
        found.push(...disagreements(books, total, rows(books.deviceId), n < 24))
      }
      const { total, unbalanced_count: unbalanced } = await view()
      const refused =
        end.refusedBatchMessages +
        fleet.slice(0, 8).reduce((sum, { turnedAway }) => sum + turnedAway, 0)
      const unknown = fleet.reduce((sum, { unknownCount }) => sum + unknownCount, 0)
      const turnedAway = { least: refused, most: refused + unknown }
      if (!isIn(total.reasons.OVER_RATE ?? 0, turnedAway)) {
        found.push(
          `fleet OVER_RATE ${JSON.stringify(total.reasons)} not in ${JSON.stringify(turnedAway)}`,
        )
      }
      if (total.difference !== 0 || unbalanced !== 0) found.push('the fleet does not balance')
      await server.stop()
      const { code } = await isotherm('ledger', '--data', data, '--hours', '6')
      if (code !== 0) found.push(`isotherm ledger ended with ${code}`)
      for (const line of found.slice(0, 10)) report(line)
      const isProvoked = total.duplicate > 0 && total.recovered > 0 && refused > 0 && unknown > 0
      return {
        ok: found.length === 0 && isProvoked,
        value: found.length,
        detail: { messages: messageCount, kills: killCount, unanswered: unknown, fleet: total },
      }
    } finally {
      folder.remove()
    }
  },
}
