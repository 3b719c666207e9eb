import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { type DeviceLog, IsothermError, type NewRecord } from '../contracts/index.ts'
import { openLog } from '../log/index.ts'
import { Counters } from './counters.ts'
import { DuplicateWindow } from './duplicate-window.ts'
import { Intake } from './intake.ts'

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const record = (n: number): NewRecord => ({
  deviceId: 'REF-1',
  eventId: `ff04eba2-8bd0-5176-bce6-${String(n).padStart(12, '0')}`,
  ingestedAtMs: 1_771_151_537_000,
  protocol: 'mqtt5',
  messageId: `m-${n}`,
  body: { kind: 'readable', format: 'wide', deviceTimeMs: 0, payload: Buffer.from('{}') },
})

function owner() {
  const seen: string[] = []
  return {
    seen,
    stored: () => seen.push('stored'),
    answer: () => seen.push('answer'),
    abandon: () => seen.push('abandon'),
    resume: () => undefined,
  }
}

/** An intake over a real log; while the disk is full its appends are refused, after a while. */
function opened() {
  const directory = mkdtempSync(join(tmpdir(), 'isotherm-intake-'))
  folders.push(directory)
  const disk = { isFull: false }
  const log = openLog({ directory, clock: () => 0 })
  const append: DeviceLog['append'] = async (records) => {
    if (!disk.isFull) return log.append(records)
    await delay(20)
    throw new IsothermError('DISK_FULL', 'the disk is full')
  }
  const window = new DuplicateWindow({ windowMs: 86_400_000, maxIds: 1_000 })
  const intake = new Intake({ ...log, append }, new Counters(), {
    ...{ maxInFlightBytes: 1 << 20, window, clock: () => 0 },
  })
  return { log, intake, disk }
}

test('a repeat of a request that failed is sent away, and stalls nobody', async () => {
  const { log, intake, disk } = opened()
  disk.isFull = true
  const request = intake.append([record(1)], 2)
  request.catch(() => undefined)
  await delay(1)
  const repeater = owner()
  intake.submit(record(1), repeater)
  await expect(request).rejects.toMatchObject({ code: 'DISK_FULL' })
  await delay(50)
  expect(repeater.seen).toEqual(['abandon'])
  expect(intake.isStalled).toBe(false)
  disk.isFull = false
  const next = owner()
  intake.submit(record(1), next)
  await intake.drain()
  expect(next.seen).toEqual(['stored', 'answer'])
  expect(log.bounds(0).endOffset).toBe(1)
  await log.close()
})
