import { join } from 'node:path'
import type { NewRecord } from '../contracts/index.ts'
import { openLog } from '../log/index.ts'
import { openState } from '../objects/index.ts'
import { runStreamRules } from './stream-rules.ts'
import { deviceRow, logRecord, minuteMs, startMs, testFleet } from './test-support.ts'

export const crashDevices = Array.from({ length: 12 }, (_, index) => deviceRow(`D-${index}`))
export const crashMessageCount = 6_000

/** A number in [0, 1) that depends on the index alone. */
function draw(index: number, salt: number): number {
  let hash = Math.imul(index ^ (salt * 0x9e3779b9), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}

/** Message number `index` of the story: mostly calm, some hot, some low, some broken or repeated. */
export function crashMessage(index: number): NewRecord {
  const slot = draw(index, 1) < 0.03 && index > 20 ? index - 12 : index
  const timeMs = startMs + Math.floor(slot / crashDevices.length) * minuteMs
  const deviceId = draw(slot, 2) < 0.01 ? 'D-unknown' : `D-${slot % crashDevices.length}`
  const isHot = draw(Math.floor(slot / 60), slot % 12) < 0.05
  const readings = {
    temperature: isHot ? 41 + draw(slot, 3) : 20 + draw(slot, 3),
    pressure: draw(slot, 4) < 0.15 ? 50 : 300,
  }
  const record = logRecord(deviceId, timeMs, readings)
  if (draw(slot, 5) >= 0.01) return record
  return { ...record, body: { ...record.body, payload: Buffer.from('{"readings":') } } as NewRecord
}

export function openCrashStores(directory: string) {
  const clock = { nowMs: startMs }
  const log = openLog({ directory: join(directory, 'log'), clock: () => clock.nowMs })
  return { clock, log }
}

/** Appends the rest of the story while the rules follow, as one process that may die anywhere. */
async function main(directory: string): Promise<void> {
  const { clock, log: opening } = openCrashStores(directory)
  const log = await opening
  const state = await openState({
    path: join(directory, 'state.db'),
    secretKey: new Uint8Array(32),
    clock: () => clock.nowMs,
  })
  await state.registry.upsert(crashDevices)
  const stop = new AbortController()
  const rules = await runStreamRules({
    ...{ log, state, fleet: testFleet, signal: stop.signal },
    clock: () => clock.nowMs,
    checkpointEveryMs: 100,
  })
  process.stdout.write('ready\n')
  for (;;) {
    const next = log.bounds(0).endOffset
    if (next >= crashMessageCount) break
    const batch = Array.from({ length: Math.min(25, crashMessageCount - next) }, (_, index) =>
      crashMessage(next + index),
    )
    clock.nowMs = batch.at(-1)!.ingestedAtMs
    await log.append(batch)
  }
  const isDone = () => log.position('isotherm-stream-rules', 0) === crashMessageCount
  while (!isDone()) await rules.checkpoint()
  stop.abort()
  await rules.done
  await state.close()
  await log.close()
}

const [, script, directory] = process.argv
if (script === import.meta.filename && directory !== undefined) await main(directory)
