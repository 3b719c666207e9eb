import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { NewRecord, Protocol } from '../contracts/index.ts'
import { openLog } from '../log/index.ts'
import { rememberRecent } from './recent-messages.ts'

const nowMs = Date.UTC(2026, 1, 15)
const hourMs = 3_600_000
const idOf = (n: number) => `0000000${n}-0000-5000-8000-000000000000`

const record = (n: number, ageMs: number, protocol: Protocol = 'mqtt3'): NewRecord => ({
  deviceId: 'REF-1',
  eventId: idOf(n),
  ingestedAtMs: nowMs - ageMs,
  protocol,
  body: {
    kind: 'readable',
    format: 'wide',
    deviceTimeMs: nowMs,
    payload: Buffer.from('{"device_id":"REF-1"}'),
  },
})

it('knows what the log holds of the last day, the newest at once, but neither older nor bad', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'isotherm-recent-'))
  const log = openLog({ directory, clock: () => nowMs, tickMs: 1 })
  const stop = new AbortController()
  onTestFinished(async () => {
    stop.abort()
    await log.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const bad: NewRecord = {
    ...record(4, 0),
    body: { kind: 'refused', reason: 'INVALID_JSON', detail: '', payload: Buffer.from('{') },
  }
  await log.append([
    record(1, 25 * hourMs),
    record(2, 23 * hourMs),
    record(3, 60_000),
    bad,
    record(5, hourMs, 'import'),
  ])
  const { window, whole } = await rememberRecent({
    logDirectory: directory,
    nowMs,
    signal: stop.signal,
  })
  expect(window.has(idOf(3))).toBe(true)
  await whole
  expect([1, 2, 3, 4, 5].filter((n) => window.has(idOf(n)))).toEqual([2, 3])
})
