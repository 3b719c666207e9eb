import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { NewRecord } from '../contracts/index.ts'
import { openLog } from '../log/index.ts'
import { watchLog } from './log-watch.ts'

const startMs = Date.UTC(2026, 1, 15)
const minuteMs = 60_000
const folders: string[] = []

afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true })
})

const record: NewRecord = {
  deviceId: 'REF-1',
  eventId: 'event-1',
  ingestedAtMs: startMs,
  protocol: 'mqtt3',
  body: {
    kind: 'readable',
    format: 'wide',
    deviceTimeMs: startMs,
    payload: new Uint8Array(Buffer.from('{}')),
  },
}

test('a group is late after three samples more than five minutes behind, ING-22', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'isotherm-watch-'))
  folders.push(directory)
  let nowMs = startMs
  const clock = () => nowMs
  const log = openLog({ directory, clock, tickMs: 1 })
  await log.append([record, record])
  await log.commitPosition('isotherm-materializer', 0, 1)
  const watch = watchLog(directory, { clock, commitSeconds: 60 })
  const states: string[] = []
  for (const minute of [4, 6, 7, 8]) {
    nowMs = startMs + minute * minuteMs
    watch.sample()
    states.push(watch.findings()[0]?.state ?? '')
  }
  expect(states).toEqual(['ok', 'ok', 'ok', 'late'])
  expect(watch.findings()[0]?.detail).toBe('isotherm-materializer is 8 min and 1 records behind')
  expect(watch.groups()).toMatchObject([{ lagRecords: 1, lagSeconds: 480 }])
  await log.commitPosition('isotherm-materializer', 0, 2)
  watch.sample()
  expect(watch.findings()[0]).toMatchObject({ state: 'ok' })
  await log.close()
})
