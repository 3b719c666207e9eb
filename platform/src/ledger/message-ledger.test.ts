import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type DoorNote, exampleFleet, type NewRecord } from '../contracts/index.ts'
import { openLake } from '../lake/index.ts'
import { openLog } from '../log/index.ts'
import { readLedger } from './ledger-report.ts'
import { openLedger } from './message-ledger.ts'

const startMs = Date.UTC(2026, 10, 21, 10, 30)
const hourMs = 3_600_000
const cleanUps: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

function record(deviceId: string, n: number, changes: Partial<NewRecord> = {}): NewRecord {
  return {
    deviceId,
    eventId: `${String(n).padStart(8, '0')}-0000-5000-8000-000000000000`,
    ingestedAtMs: startMs + n,
    protocol: 'mqtt5',
    body: {
      kind: 'readable',
      format: 'wide',
      deviceTimeMs: startMs,
      payload: Buffer.from('{"device_id":"x"}'),
    },
    ...changes,
  }
}

const refused = (deviceId: string, n: number) =>
  record(deviceId, n, {
    body: { kind: 'refused', reason: 'INVALID_JSON', detail: '', payload: Buffer.from('{') },
  })

const note = (deviceId: string, kind: DoorNote['kind'], count = 1): DoorNote => ({
  deviceId,
  atMs: startMs,
  kind,
  count,
})

async function open() {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-'))
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
  const log = openLog({ directory: join(folder, 'log'), clock: () => startMs, tickMs: 0 })
  const lake = await openLake({
    directory: join(folder, 'tables'),
    fleet: exampleFleet,
    temporaryDirectory: join(folder, 'temporary'),
  })
  cleanUps.push(() => log.close(), lake.close)
  let nowMs = startMs
  const directory = join(folder, 'ledger')
  const start = () =>
    openLedger({
      directory,
      log,
      lake,
      clock: () => nowMs,
      onFailure: (error) => {
        throw error
      },
    })
  const report = (deviceId?: string, hours = 24) =>
    readLedger(directory, { hours, nowMs, ...(deviceId !== undefined && { deviceId }) })
  return {
    log,
    start,
    report,
    pass: (ms: number) => {
      nowMs += ms
    },
  }
}

test('what the door counted balances against what the log holds, per device and for the fleet', async () => {
  const { log, start, report } = await open()
  const ledger = await start()
  const records = [record('A', 1), record('A', 2), refused('A', 3), record('B', 4)]
  await log.append(records)
  ledger.books.stored(records)
  await ledger.books.note([note('A', 'DUPLICATE', 2), note('B', 'OVER_RATE', 3)])
  await ledger.audit()
  expect(report('A').total).toEqual({
    received: 5,
    recovered: 0,
    stored: 2,
    duplicate: 2,
    rejected: 1,
    reasons: { INVALID_JSON: 1 },
    difference: 0,
  })
  expect(report('B').total).toMatchObject({ received: 4, stored: 1, reasons: { OVER_RATE: 3 } })
  expect(report().total).toMatchObject({
    received: 9,
    stored: 3,
    duplicate: 2,
    rejected: 4,
    difference: 0,
  })
  expect(report()).toMatchObject({ unbalancedCount: 0, asOfMs: startMs })
  expect(report().devices.map(({ deviceId }) => deviceId)).toEqual(['A', 'B'])
  await ledger.close()
})

test('after a crash the books go on: the log tells what was stored, the journal what was not', async () => {
  const { log, start, report } = await open()
  const first = await start()
  const before = [record('A', 1), record('A', 2)]
  await log.append(before)
  first.books.stored(before)
  await first.audit()
  const lost = [record('A', 3), refused('A', 4), record('B', 5)]
  await log.append(lost)
  first.books.stored(lost)
  await first.books.note([note('A', 'DUPLICATE')])
  // Killed here: nothing was flushed since the audit.
  const second = await start()
  await second.audit()
  expect(report('A').total).toMatchObject({
    received: 5,
    recovered: 2,
    stored: 3,
    duplicate: 1,
    rejected: 1,
    difference: 0,
  })
  expect(report('B').total).toMatchObject({ received: 1, recovered: 1, stored: 1 })
  await second.audit()
  expect(report().total).toMatchObject({ received: 6, difference: 0 })
  await second.close()
})

test('a message the door stored and the log does not hold stands out', async () => {
  const { log, start, report } = await open()
  const ledger = await start()
  await log.append([record('A', 1), record('B', 2), record('C', 3)])
  ledger.books.stored([record('A', 1), record('B', 2), record('B', 4)])
  await ledger.audit()
  // The fleet's sums balance: the two errors cancel out there.
  expect(report().total.difference).toBe(0)
  expect(report().unbalancedCount).toBe(2)
  expect(report().devices.map(({ deviceId, difference }) => [deviceId, difference])).toEqual([
    ['B', 1],
    ['C', -1],
  ])
  await ledger.close()
})

test('history and replays are not counted again, nor what a log held before the ledger', async () => {
  const { log, start, report } = await open()
  await log.append([record('A', 1)])
  const ledger = await start()
  const records = [record('A', 2, { protocol: 'import' }), record('A', 3, { protocol: 'replay' })]
  await log.append(records)
  ledger.books.stored(records)
  await ledger.audit()
  expect(report().total).toMatchObject({ received: 0, stored: 0 })
  await ledger.close()
})

test('an audit while messages come in balances at every moment', async () => {
  const { log, start, report } = await open()
  const ledger = await start()
  let n = 0
  const sender = async (deviceId: string) => {
    for (let i = 0; i < 60; i++) {
      const records = [record(deviceId, n++), record(deviceId, n++)]
      await log.append(records)
      ledger.books.stored(records)
    }
  }
  const senders = Promise.all(['A', 'B', 'C', 'D'].map(sender))
  for (let i = 0; i < 8; i++) {
    await ledger.audit()
    expect(report()).toMatchObject({ unbalancedCount: 0, total: { difference: 0 } })
  }
  await senders
  await ledger.audit()
  expect(report().total).toMatchObject({ received: 480, stored: 480, recovered: 0 })
  await ledger.close()
})

test('balanced hours of devices are kept for a week, the fleet and what is open for longer', async () => {
  const { log, start, report, pass } = await open()
  const ledger = await start()
  await log.append([record('A', 1), record('B', 2)])
  ledger.books.stored([record('A', 1)])
  await ledger.audit()
  for (let hour = 0; hour < 8 * 24; hour += 12) {
    pass(12 * hourMs)
    await ledger.audit()
  }
  expect(report('A', 24 * 30).hours).toHaveLength(0)
  expect(report('B', 24 * 30).total.difference).toBe(-1)
  expect(report(undefined, 24 * 30).total).toMatchObject({ received: 1, stored: 2 })
  pass(90 * 24 * hourMs)
  await ledger.audit()
  expect(report(undefined, 24 * 200).hours).toHaveLength(0)
  await ledger.close()
})

test('one audit of more devices than a call takes arguments is booked whole', async () => {
  const { log, start, report } = await open()
  const ledger = await start()
  const deviceCount = 150_000
  for (let from = 0; from < deviceCount; from += 10_000) {
    const records = Array.from({ length: 10_000 }, (_, i) => record(`D-${from + i}`, from + i))
    await log.append(records)
    ledger.books.stored(records)
  }
  await ledger.audit()
  expect(report().total).toMatchObject({ received: deviceCount, stored: deviceCount })
  await ledger.close()
})
