import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { refrigeration } from '@isotherm/fleet-refrigeration'
import { compileDecoder, eventIdOf } from 'isotherm/gateway'
import { openLake } from 'isotherm/lake'
import { createStageClock, openDeployment, runPipeline } from 'isotherm/runtime'
import { madeReadings, numberOption, seeded } from './clean-arrivals.ts'
import { dayMs, minuteMs, type NaiveReading } from './naive-features.ts'
import type { Promised } from './promise.ts'
import { isotherm, temporaryFolder } from './system.ts'

const days = 6
const deviceCount = 3
const shuffleCount = 5
const main = join(import.meta.dirname, '..', 'platform', 'bin', 'isotherm.js')

/** Sent a second time, minutes later: the same message with the same id. */
type Sent = NaiveReading & { readonly isRepeat: boolean }

function sentMessages(startMs: number): readonly Sent[] {
  const random = seeded(41)
  const readings = madeReadings({
    deviceCount,
    startMs,
    endMs: startMs + days * dayMs,
    stepMs: 8 * minuteMs,
    lateShare: 0.05,
    veryLateShare: 0,
    nullShare: 0.05,
    seed: 3,
  })
  return readings.flatMap((reading): readonly Sent[] => {
    const first = { ...reading, isRepeat: false }
    if (random() > 0.1) return [first]
    const arrivedMs = reading.arrivedMs + Math.floor(random() * 30 * minuteMs)
    return [first, { ...reading, arrivedMs, isRepeat: true }]
  })
}

/** Any order at all, but for a repeat, which follows its first. */
function shuffled(messages: readonly Sent[], seed: number): readonly Sent[] {
  const random = seeded(seed)
  const keyed = messages.map((message) => ({ message, place: random() }))
  const firstPlace = new Map(
    keyed.filter((one) => !one.message.isRepeat).map((one) => [one.message.eventId, one.place]),
  )
  return keyed
    .map(({ message, place }) => {
      const first = firstPlace.get(message.eventId) ?? 0
      return { message, place: message.isRepeat ? first + (1 - first) * place : place }
    })
    .toSorted(
      (a, b) => a.place - b.place || Number(a.message.isRepeat) - Number(b.message.isRepeat),
    )
    .map(({ message }) => message)
}

/** A data folder that got the messages in some order and in some number of batches. */
async function received(
  dataDirectory: string,
  messages: readonly Sent[],
  batchCount: number,
): Promise<void> {
  const { simulator } = refrigeration
  if (simulator === undefined) throw new Error('the refrigeration fleet has no simulator')
  const [model] = simulator.devices({ count: 1, seed: 1 })
  if (model === undefined) throw new Error('the simulator made no device')
  const deployment = await openDeployment({
    fleet: refrigeration,
    dataDirectory,
    clock: Date.now,
  })
  try {
    const { log, state } = deployment
    const ids = [...new Set(messages.map(({ deviceId }) => deviceId))].toSorted()
    const devices = new Map(ids.map((id) => [id, { ...model, device_id: id }]))
    await state.registry.upsert([...devices.values()])
    const decoder = compileDecoder(refrigeration)
    const clock = createStageClock(Date.now, () => performance.now())
    const size = Math.ceil(messages.length / batchCount)
    for (let at = 0; at < messages.length; at += size) {
      const records = messages.slice(at, at + size).map((message) => {
        const { deviceId, takenMs, arrivedMs, values } = message
        const text = JSON.stringify({
          device_id: deviceId,
          timestamp: new Date(takenMs).toISOString(),
          readings: values,
        })
        const payload = Buffer.from(text)
        const device = devices.get(deviceId)
        if (device === undefined) throw new Error(`no device ${deviceId}`)
        const context = { deviceId, device, ingestedAtMs: arrivedMs }
        const { body, timestampText } = decoder.decode(payload, context)
        const eventId = eventIdOf(deviceId, timestampText, undefined, payload)
        return { deviceId, eventId, ingestedAtMs: arrivedMs, protocol: 'mqtt5' as const, body }
      })
      await log.append(records)
      await runPipeline(deployment, clock, { stages: ['land', 'clean'] })
    }
  } finally {
    await deployment.close()
  }
}

type TableHash = { readonly rowCount: number; readonly all: string; readonly unflagged: string }

/**
 * Hashes of the table's rows in key order: of everything but when it was computed, and of the same
 * without the count of quality flags. Flags such as READING_GAP and DUPLICATE_REMOVED tell how a
 * reading was received, so they may differ when the same events are received in another order.
 */
async function hashOf(data: string): Promise<TableHash> {
  const lake = await openLake({
    directory: join(data, 'tables'),
    temporaryDirectory: join(data, 'reading'),
    fleet: refrigeration,
    readOnly: true,
  })
  try {
    const table = lake.table('feature_history')
    const rows = table.relation(await table.snapshot())
    const names = table.contract.columns.map(({ name }) => name)
    const hash = (...without: readonly string[]) => {
      const kept = names.filter((name) => !without.includes(name)).map((name) => `"${name}"`)
      return `sha256(string_agg(md5(to_json([to_json(${kept.join('), to_json(')})])::VARCHAR), ''
        ORDER BY device_id, window_duration_minutes, window_start, known_from))`
    }
    const times = ['computed_at', 'clean_snapshot_id']
    const reader = await lake.withConnection((connection) =>
      connection.runAndReadAll(`SELECT count(*)::DOUBLE, ${hash(...times)},
          ${hash(...times, 'quality_flag_count')}
        FROM ${rows}`),
    )
    const [rowCount, all, unflagged] = reader.getRows()[0] ?? []
    return { rowCount: Number(rowCount), all: String(all), unflagged: String(unflagged) }
  } finally {
    await lake.close()
  }
}

const date = (ms: number) => new Date(ms).toISOString().slice(0, 10)

function backfill(data: string, startMs: number): readonly string[] {
  const range = ['--from', date(startMs), '--to', date(startMs + days * dayMs)]
  return ['features', 'backfill', ...range, '--data', data]
}

async function completed(data: string, startMs: number): Promise<number> {
  const begin = performance.now()
  const { code, errors } = await isotherm(...backfill(data, startMs))
  if (code !== 0) throw new Error(`features backfill ended with ${code}: ${errors}`)
  return performance.now() - begin
}

/** Commits of the history so far. */
function commitCount(data: string): number {
  const log = join(data, 'tables', 'feature_history', '_delta_log')
  return existsSync(log) ? readdirSync(log).filter((name) => name.endsWith('.json')).length : 0
}

/**
 * Starts a backfill and kills it a while after it has made some commits.
 * @returns whether it was still running
 */
async function killed(
  data: string,
  startMs: number,
  after: { readonly commits: number; readonly ms: number },
): Promise<boolean> {
  const child: ChildProcess = spawn(process.execPath, [main, ...backfill(data, startMs)], {
    stdio: 'ignore',
  })
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.once('exit', (_code, signal) => resolve(signal)),
  )
  const first = commitCount(data)
  while (child.exitCode === null && commitCount(data) < first + after.commits) {
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), after.ms)
  const signal = await ended
  clearTimeout(timer)
  return signal === 'SIGKILL'
}

/** Backfills of one history: killed anywhere, resumed, and from messages in any order. */
export const promised: Promised = {
  id: 'E4',
  title: 'a killed backfill goes on; late, doubled and shuffled events give the same table',
  unit: 'tables that differ',
  bar: '0 over 20 kills and 5 shuffles; past retention it is refused',
  quick: false,
  limitSeconds: 900,
  run: async (report) => {
    const killCount = numberOption('count', 20)
    const folder = temporaryFolder('e4')
    try {
      const startMs = Math.floor(Date.now() / dayMs) * dayMs - (days + 2) * dayMs
      const messages = sentMessages(startMs)
      const repeats = messages.filter(({ isRepeat }) => isRepeat).length
      report(`${messages.length} messages, ${repeats} of them repeats`)
      const data = (name: string) => join(folder.path, name)
      const prepared = data('prepared')
      await received(prepared, shuffled(messages, 1), 4)
      cpSync(prepared, data('whole'), { recursive: true })
      const wholeMs = await completed(data('whole'), startMs)
      const expected = await hashOf(data('whole'))
      report(`${expected.rowCount} rows in ${Math.round(wholeMs)} ms, ${expected.all}`)
      const differing: string[] = []
      for (let shuffle = 2; shuffle <= shuffleCount; shuffle++) {
        const own = data(`shuffle-${shuffle}`)
        await received(own, shuffled(messages, shuffle), shuffle)
        await completed(own, startMs)
        const hash = await hashOf(own)
        if (hash.unflagged !== expected.unflagged) differing.push(`shuffle ${shuffle}`)
        report(`shuffle ${shuffle}: ${hash.rowCount} rows, ${hash.unflagged}`)
        rmSync(own, { recursive: true })
      }
      let killsUnderWay = 0
      let partial = 0
      const random = seeded(19)
      for (let kill = 1; kill <= killCount; kill++) {
        const own = data(`kill-${kill}`)
        cpSync(prepared, own, { recursive: true })
        // Before the first commit, and at any moment of the work on each day after it.
        const after = { commits: kill % days, ms: random() * (wholeMs / (4 * days)) }
        if (await killed(own, startMs, after)) killsUnderWay += 1
        const before = await hashOf(own)
        if (before.rowCount > 0 && before.rowCount < expected.rowCount) partial += 1
        await completed(own, startMs)
        const hash = await hashOf(own)
        if (hash.all !== expected.all) differing.push(`kill ${kill}`)
        report(`kill ${kill}: ${before.rowCount} rows before, ${hash.rowCount} after`)
        rmSync(own, { recursive: true })
      }
      const past = await isotherm(
        ...['features', 'backfill', '--data', prepared],
        ...['--from', '2020-01-01', '--to', date(startMs)],
      )
      const isRefused = past.code === 2 && past.errors.includes('past retention')
      return {
        ok:
          differing.length === 0 &&
          killsUnderWay >= killCount * 0.8 &&
          partial >= killCount / 2 &&
          isRefused,
        value: differing.length,
        detail: {
          differing,
          kills: killsUnderWay,
          partial,
          repeats,
          ...expected,
          refusal: past.errors,
        },
      }
    } finally {
      folder.remove()
    }
  },
}
