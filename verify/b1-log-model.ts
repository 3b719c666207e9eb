import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { NewRecord } from 'isotherm/contracts'
import { openLog, type SegmentLog } from 'isotherm/log'
import { contentOf, recordOf, seededRandom, seedOfRun, storedRecords } from './log-records.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const operationCount = 10_000
const appendBytes = 450
const hourMs = 3_600_000

/** What the log must hold: every record ever acknowledged, and what may have expired. */
type Model = {
  readonly acknowledged: string[]
  readonly positions: Map<string, number>
  startOffset: number
  nowMs: number
}

type Run = { directory: string; log: SegmentLog; readonly model: Model; copies: number }

function open(directory: string, model: Model): SegmentLog {
  const clock = () => model.nowMs
  return openLog({ directory, clock, tickMs: 1, segmentBytes: 40_000, retentionMs: 24 * hourMs })
}

function fail(what: string, expected: unknown, found: unknown): never {
  throw new Error(`${what}: expected ${String(expected)}, found ${String(found)}`)
}

async function compare(run: Run, random: () => number): Promise<void> {
  const { log, model } = run
  const { startOffset, endOffset } = log.bounds(0)
  if (endOffset !== model.acknowledged.length) {
    fail('end offset', model.acknowledged.length, endOffset)
  }
  if (startOffset < model.startOffset) fail('start offset', `>= ${model.startOffset}`, startOffset)
  model.startOffset = startOffset
  const from = startOffset + Math.floor(random() * (endOffset - startOffset + 1))
  const stored = await storedRecords(log, from)
  if (stored.length !== endOffset - from) fail('records', endOffset - from, stored.length)
  for (const [i, record] of stored.entries()) {
    if (record.offset !== from + i) fail('offset', from + i, record.offset)
    const expected = model.acknowledged[from + i]
    if (contentOf(record) !== expected) fail(`record ${from + i}`, expected, contentOf(record))
  }
  for (const [group, position] of model.positions) {
    if (log.position(group, 0) !== position) fail(group, position, log.position(group, 0))
  }
}

async function checkSlice({ log, model }: Run, random: () => number): Promise<void> {
  const { startOffset, endOffset } = log.bounds(0)
  if (startOffset === endOffset) return
  const from = startOffset + Math.floor(random() * (endOffset - startOffset))
  const slice = await log.slice(0, from, endOffset)
  const offsets = slice.paths
    .flatMap((path) => readFileSync(path, 'utf8').trimEnd().split('\n'))
    .map((line) => JSON.parse(line) as { readonly o: number; readonly e: string })
    .filter(({ o }) => o >= from && o < slice.endOffset)
  await slice.release()
  if (offsets.length !== slice.endOffset - from) {
    fail('lines of a slice', slice.endOffset - from, offsets.length)
  }
  for (const [i, { o, e }] of offsets.entries()) {
    const wanted = (JSON.parse(model.acknowledged[from + i] ?? '') as NewRecord).eventId
    if (o !== from + i || e !== wanted) fail(`line ${from + i}`, wanted, `${o} ${e}`)
  }
}

/** The process dies: what is on disk now is opened elsewhere, with a torn write at its end. */
async function crash(run: Run, random: () => number): Promise<void> {
  const copy = `${run.directory.replace(/-\d+$/, '')}-${run.copies++}`
  cpSync(run.directory, copy, { recursive: true })
  await run.log.close()
  rmSync(run.directory, { recursive: true, force: true })
  run.directory = copy
  const newest = readdirSync(join(copy, 'p0')).findLast(
    (name) => name.endsWith('.ndjson') && name !== 'chain.ndjson',
  )
  if (newest !== undefined && random() < 0.3) {
    const path = join(copy, 'p0', newest)
    // Half a line where zeros were laid, as a power loss leaves it.
    const isPadded = readFileSync(path).at(-1) === 0
    if (!isPadded) appendFileSync(path, '{"o":')
  }
  run.log = open(copy, run.model)
}

async function step(run: Run, random: () => number, next: () => NewRecord): Promise<string> {
  const { model } = run
  const kind = random()
  if (kind < 0.62) {
    const batches = Array.from({ length: 1 + Math.floor(random() * 4) }, () =>
      Array.from({ length: 1 + Math.floor(random() * 12) }, next),
    )
    await Promise.all(batches.map((batch) => run.log.append(batch)))
    model.acknowledged.push(...batches.flat().map(contentOf))
    return 'append'
  }
  if (kind < 0.72) {
    const group = `group-${Math.floor(random() * 3)}`
    const { startOffset, endOffset } = run.log.bounds(0)
    const at = startOffset + Math.floor(random() * (endOffset - startOffset + 1))
    model.positions.set(group, at)
    await run.log.commitPosition(group, 0, at)
    return 'commit'
  }
  if (kind < 0.82) {
    await checkSlice(run, random)
    return 'slice'
  }
  if (kind < 0.9) {
    await compare(run, random)
    return 'compare'
  }
  if (kind < 0.94) {
    model.nowMs += Math.floor(random() * 30 * hourMs)
    await run.log.expire(model.nowMs)
    const { startOffset } = run.log.bounds(0)
    const lowest = Math.min(...model.positions.values())
    if (startOffset > lowest) fail('expiry passed an unread record', `<= ${lowest}`, startOffset)
    return 'expire'
  }
  if (kind < 0.97) {
    await run.log.close()
    run.log = open(run.directory, model)
    return 'reopen'
  }
  await crash(run, random)
  return 'crash'
}

/** Durable appends per second of records with 450 bytes of payload, 16 appends at a time. */
async function appendRate(directory: string): Promise<number> {
  const log = openLog({ directory, clock: () => 0 })
  const payload = new Uint8Array(Buffer.from(`{"pad":"${'x'.repeat(appendBytes - 10)}"}`))
  const batch: readonly NewRecord[] = Array.from({ length: 500 }, (_, n) => ({
    deviceId: `REF-${n}`,
    eventId: `ff04eba2-8bd0-5176-bce6-${String(n).padStart(12, '0')}`,
    ingestedAtMs: 1_771_151_537_000,
    protocol: 'mqtt3',
    body: { kind: 'readable', format: 'wide', deviceTimeMs: 1_771_151_536_000, payload },
  }))
  const rates: number[] = []
  for (let round = 0; round < 5; round++) {
    const start = performance.now()
    let left = 600
    const lane = async () => {
      while (left-- > 0) await log.append(batch)
    }
    await Promise.all(Array.from({ length: 16 }, lane))
    rates.push((600 * batch.length) / ((performance.now() - start) / 1000))
  }
  await log.close()
  return rates.toSorted((a, b) => a - b)[2] ?? 0
}

/** Random operations against the log and against a list in memory. */
export const promised: Promised = {
  id: 'B1',
  title: 'the log equals its model over random operations, and appends fast',
  unit: 'records/s appended durably',
  bar: '10,000 operations without a difference; >= 400,000 records/s of 450 B',
  quick: false,
  limitSeconds: 600,
  run: async (report) => {
    const seed = seedOfRun()
    report(`seed ${seed}`)
    const random = seededRandom(seed)
    const folder = temporaryFolder('b1')
    const model: Model = {
      acknowledged: [],
      positions: new Map(),
      startOffset: 0,
      nowMs: Date.UTC(2026, 1, 15),
    }
    try {
      const directory = join(folder.path, 'log-0')
      const run: Run = { directory, log: open(directory, model), model, copies: 1 }
      const counts: Record<string, number> = {}
      let made = 0
      for (let operation = 0; operation < operationCount; operation++) {
        const kind = await step(run, random, () => recordOf(made++))
        counts[kind] = (counts[kind] ?? 0) + 1
        if (operation % 2_000 === 1_999) report(`${operation + 1} operations`)
      }
      await compare(run, () => 0)
      await run.log.close()
      const rate = await appendRate(join(folder.path, 'rate'))
      const detail = { seed, operations: counts, records: model.acknowledged.length }
      return { ok: rate >= 400_000, value: Math.round(rate), detail }
    } finally {
      folder.remove()
    }
  },
}
