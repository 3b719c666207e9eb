import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { DeviceLog, LogRecord, NewRecord } from '../contracts/index.ts'
import { openLog } from '../log/index.ts'
import { streamAlertId } from './stream-alert.ts'
import { crashDevices, crashMessageCount, openCrashStores } from './stream-crash.test-support.ts'
import { runStreamRules } from './stream-rules.ts'
import {
  allAlerts,
  deviceRow,
  hourMs,
  logRecord,
  minuteMs,
  startMs,
  temporaryState,
  testFleet,
} from './test-support.ts'

async function opened(options: { readonly partitionCount?: number } = {}) {
  const store = await temporaryState(['D-1', 'D-2', 'D-3'].map((id) => deviceRow(id)))
  const log = await openLog({
    directory: join(store.directory, 'log'),
    clock: () => store.time.nowMs,
    ...options,
  })
  onTestFinished(async () => {
    await log.close()
    await store.remove()
  })
  const start = async () => {
    const stop = new AbortController()
    const rules = await runStreamRules({
      ...{ log, state: store.state, fleet: testFleet, signal: stop.signal },
      clock: () => store.time.nowMs,
    })
    return {
      rules,
      stop: async () => {
        stop.abort()
        await rules.done
      },
    }
  }
  return { ...store, state: store.state, log, start, store }
}

const total = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts).reduce((sum, [name, count]) => (name === 'fired' ? sum : sum + count), 0)

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(2)
}

describe('stream rules over the log (SRV-13 to SRV-15)', () => {
  it('raise a CRITICAL alert that says what happened, and note when the device was heard', async () => {
    const { log, state, start } = await opened()
    const { rules, stop } = await start()
    await log.append([logRecord('D-1', startMs, { temperature: 20 })])
    await log.append([logRecord('D-1', startMs + minuteMs, { temperature: 45.27 })])
    await until(() => rules.counts().fired === 1)
    const event = logRecord('D-1', startMs + minuteMs, {}).eventId
    expect(await allAlerts(state)).toMatchObject([
      {
        alert_id: streamAlertId('D-1', 'OVERHEAT', event),
        severity: 'CRITICAL',
        alert_type: 'ANOMALY_DETECTED',
        trigger_category: 'sensor_out_of_range',
        model_id: 'streaming_rules',
        model_version: '1.0.0',
        anomaly_score: null,
        top_contributors: ['temperature'],
        first_detected_at: Math.min(startMs + minuteMs, startMs),
        site_id: 'SITE-1',
        title: 'Temperature is 45.3 °C, above the limit of 40 °C',
      },
    ])
    expect(rules.isFiring('D-1', 'OVERHEAT')).toBe(true)
    expect(rules.isFiring('D-2', 'OVERHEAT')).toBe(false)
    expect(state.live.lastReadingMs('D-1')).toBe(startMs + minuteMs + 500)
    await stop()
  })

  it('count further breaches on the alert instead of raising more', async () => {
    const { log, state, time, start } = await opened()
    const { rules, stop } = await start()
    for (let minute = 0; minute < 5; minute++) {
      time.nowMs = startMs + minute * minuteMs
      await log.append([logRecord('D-1', time.nowMs, { temperature: 45 })])
    }
    await until(() => rules.counts().seen === 5)
    await stop()
    expect(await allAlerts(state)).toMatchObject([
      { breach_count: 5, last_breach_at: startMs + 4 * minuteMs, version: 1 },
    ])
  })

  it('ignore what is repeated, too old, unknown or unreadable, and count it', async () => {
    const { log, time, state, start } = await opened()
    time.nowMs = startMs + hourMs
    const { rules, stop } = await start()
    const at = (minutes: number) => startMs + hourMs + minutes * minuteMs
    const hot = { temperature: 45 }
    const broken = logRecord('D-1', at(0), {})
    await log.append([
      logRecord('D-1', at(0), { temperature: 20 }),
      logRecord('D-1', at(0), { temperature: 20 }),
      logRecord('D-1', at(-1), hot),
      logRecord('D-1', at(-3), hot),
      logRecord('D-9', at(0), hot),
      { ...broken, body: { ...broken.body, payload: Buffer.from('{') } as NewRecord['body'] },
      logRecord('D-2', at(-20), hot),
    ])
    await until(() => total(rules.counts()) === 7)
    expect(rules.counts()).toEqual({
      seen: 3,
      repeated: 1,
      tooOld: 1,
      unknownDevice: 1,
      unreadable: 1,
      fired: 0,
    })
    expect(await allAlerts(state)).toEqual([])
    await stop()
  })

  it('start at the end of the log, and after that where they left off (ING-20)', async () => {
    const { log, state, time, start } = await opened()
    await log.append([logRecord('D-1', startMs, { temperature: 45 })])
    const first = await start()
    await first.stop()
    expect(await allAlerts(state)).toEqual([])
    time.nowMs = startMs + minuteMs
    await log.append([logRecord('D-1', startMs + minuteMs, { temperature: 45 })])
    const second = await start()
    await until(() => second.rules.counts().fired === 1)
    await second.stop()
    expect(await allAlerts(state)).toHaveLength(1)
  })

  it('know after a restart that a rule is firing', async () => {
    const { log, time, store, start } = await opened({ partitionCount: 3 })
    const first = await start()
    await log.append([logRecord('D-1', startMs, { temperature: 45 })])
    await until(() => first.rules.counts().fired === 1)
    await first.stop()
    time.nowMs = startMs + minuteMs
    await log.append([logRecord('D-1', startMs + minuteMs, { temperature: 46 })])
    const second = await start()
    await until(() => second.rules.counts().seen === 1)
    expect(second.rules.isFiring('D-1', 'OVERHEAT')).toBe(true)
    await second.stop()
    expect(await allAlerts(store.state)).toMatchObject([{ breach_count: 2 }])
  })

  it('follow a changed registry without a restart', async () => {
    const { log, state, time, start } = await opened()
    const { rules, stop } = await start()
    await log.append([logRecord('D-4', startMs, { temperature: 45 })])
    await until(() => rules.counts().unknownDevice === 1)
    await state.registry.upsert([deviceRow('D-4')])
    time.nowMs = startMs + minuteMs
    await log.append([logRecord('D-4', startMs + minuteMs, { temperature: 45 })])
    await until(() => rules.counts().fired === 1)
    await stop()
  })

  it('use the thresholds of a device where it has its own (SRV-21)', async () => {
    const { log, state, time } = await opened()
    const stop = new AbortController()
    const rules = await runStreamRules({
      ...{ log, state, fleet: testFleet, signal: stop.signal, clock: () => time.nowMs },
      thresholds: (row) => (row.device_id === 'D-1' ? { limit: 50 } : undefined),
    })
    await log.append([
      logRecord('D-1', startMs, { temperature: 45 }),
      logRecord('D-2', startMs, { temperature: 45 }),
    ])
    await until(() => rules.counts().seen === 2)
    stop.abort()
    await rules.done
    expect((await allAlerts(state)).map(({ device_id }) => device_id)).toEqual(['D-2'])
  })
})

/** The rules without checkpoints, batches or stores: one pass over all records. */
async function naiveAlertIds(log: DeviceLog): Promise<ReadonlySet<string>> {
  const known = new Set(crashDevices.map(({ device_id }) => device_id))
  const newest = new Map<string, number>()
  const seen = new Set<string>()
  const states = new Map<string, unknown>()
  const ids = new Set<string>()
  const step = (record: LogRecord) => {
    const { deviceId, eventId, body } = record
    if (!known.has(deviceId) || body.kind === 'refused') return
    let readings: Record<string, number>
    try {
      readings = JSON.parse(Buffer.from(body.payload).toString()).readings
    } catch (cause) {
      if (cause instanceof SyntaxError) return
      throw cause
    }
    if (seen.has(eventId)) return
    seen.add(eventId)
    const timeMs = body.deviceTimeMs
    const last = newest.get(deviceId) ?? 0
    if (timeMs < last - 2 * minuteMs) return
    newest.set(deviceId, Math.max(last, timeMs))
    for (const rule of testFleet.streamRules) {
      const key = `${deviceId} ${rule.id}`
      const reading = {
        ...{ deviceId, eventId, timeMs, ingestedAtMs: record.ingestedAtMs },
        values: readings,
        mayFire: timeMs >= last,
      }
      const result = rule.step(states.get(key) ?? rule.empty(), reading, rule.thresholds)
      states.set(key, result.state)
      if (result.fired) ids.add(streamAlertId(deviceId, rule.id, eventId))
    }
  }
  const stop = new AbortController()
  const end = log.bounds(0).endOffset
  for await (const records of log.follow(0, 0, stop.signal)) {
    for (const record of records) step(record)
    if ((records.at(-1)?.offset ?? 0) + 1 >= end) stop.abort()
  }
  return ids
}

/** Runs the child to its end, or kills it some time after it has begun to work. */
function runChild(directory: string, killAfterMs: number | undefined): Promise<number | null> {
  const script = join(import.meta.dirname, 'stream-crash.test-support.ts')
  const child = spawn(process.execPath, [script, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child.stdout.once('data', () => {
    if (killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  })
  return new Promise((resolve) => child.on('exit', resolve))
}

describe('after kill -9 at any moment', () => {
  it('no alert is lost and none is doubled, compared with one undisturbed pass', async () => {
    const store = await temporaryState(crashDevices)
    onTestFinished(store.remove)
    let kills = 0
    for (let attempt = 0; ; attempt++) {
      const code = await runChild(store.directory, attempt < 10 ? 5 + 17 * attempt : undefined)
      if (code === 0) break
      expect(code, 'only a kill may end the child early').toBeNull()
      kills += 1
    }
    const state = await store.reopen()
    const log = await openCrashStores(store.directory).log
    const expected = await naiveAlertIds(log)
    const alerts = await allAlerts(state)
    await log.close()
    expect(kills).toBeGreaterThanOrEqual(5)
    expect(log.bounds(0).endOffset).toBe(crashMessageCount)
    expect(expected.size).toBeGreaterThan(50)
    expect(alerts.map(({ alert_id }) => alert_id).toSorted()).toEqual([...expected].toSorted())
  }, 60_000)
})

describe('at speed', () => {
  it('works through 50,000 messages in a second of one core', async () => {
    const store = await temporaryState(
      Array.from({ length: 2_000 }, (_, index) => deviceRow(`D-${index}`)),
    )
    const log = await openLog({
      directory: join(store.directory, 'log'),
      clock: () => store.time.nowMs,
    })
    onTestFinished(async () => {
      await log.close()
      await store.remove()
    })
    const messages = 100_000
    for (let start = 0; start < messages; start += 2_000) {
      const timeMs = startMs + (start / 2_000) * minuteMs
      const batch = Array.from({ length: 2_000 }, (_, index) =>
        logRecord(`D-${index}`, timeMs, { temperature: 20.5, pressure: 300.25, door_open: false }),
      )
      await log.append(batch)
    }
    await store.state.ruleCheckpoints.setPosition({ generation: log.generation, partition: 0 }, 0)
    const stop = new AbortController()
    const before = process.cpuUsage()
    const rules = await runStreamRules({
      ...{ log, state: store.state, fleet: testFleet, signal: stop.signal },
      clock: () => startMs,
    })
    await until(() => total(rules.counts()) === messages)
    const { user, system } = process.cpuUsage(before)
    stop.abort()
    await rules.done
    // CPU time, because others share the machine.
    expect(messages / ((user + system) / 1e6)).toBeGreaterThan(50_000)
  })
})
