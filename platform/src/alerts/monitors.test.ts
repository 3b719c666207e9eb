import { describe, expect, it, onTestFinished } from 'vitest'
import { brokenRules, runFallbackRules } from './fallback-rules.ts'
import { runAlerts } from './job.ts'
import { runOfflineRule } from './offline-rule.ts'
import { runSlaMonitor } from './sla-monitor.ts'
import {
  allAlerts,
  deviceRow,
  hourMs,
  minuteMs,
  scoredWindow,
  scoringRun,
  startMs,
  temporaryState,
  testFleet,
} from './test-support.ts'

async function opened(deviceCount: number, changes: Parameters<typeof deviceRow>[1] = {}) {
  const devices = Array.from({ length: deviceCount }, (_, index) =>
    deviceRow(`D-${index}`, changes),
  )
  const store = await temporaryState(devices)
  onTestFinished(store.remove)
  const { state } = store
  const hear = (deviceId: string, ms: number) =>
    state.live.setLastReadings(new Map([[deviceId, ms]]))
  const look = (ms: number, listeningSinceMs = startMs - 24 * hourMs) => {
    store.time.nowMs = ms
    return runOfflineRule({ state, fleet: testFleet, nowMs: ms, listeningSinceMs })
  }
  return { ...store, state, hear, look, rows: () => allAlerts(state) }
}

describe('silent devices (SRV-20)', () => {
  it('raises one MEDIUM alert after 30 minutes and clears it when the device is heard', async () => {
    const { hear, look, rows } = await opened(4)
    hear('D-0', startMs)
    await look(startMs + 30 * minuteMs)
    expect(await rows()).toEqual([])
    for (const minutes of [31, 32, 33]) await look(startMs + minutes * minuteMs)
    expect(await rows()).toMatchObject([
      {
        severity: 'MEDIUM',
        trigger_category: 'device_offline',
        model_id: 'offline_rule',
        first_detected_at: startMs,
        title: 'No readings for 31 min',
      },
    ])
    hear('D-0', startMs + 40 * minuteMs)
    await look(startMs + 41 * minuteMs)
    expect(await rows()).toMatchObject([{ status: 'RESOLVED', resolution_code: 'SELF_CLEARED' }])
  })

  it('waits longer for a device that reports less often, and never for one not in service', async () => {
    const { state, hear, look, rows } = await opened(1, { reporting_interval_s: 300 })
    hear('D-0', startMs)
    await look(startMs + 150 * minuteMs)
    expect(await rows()).toEqual([])
    await state.registry.upsert([
      deviceRow('D-0', { status: 'disabled', reporting_interval_s: 300, valid_from: startMs }),
    ])
    await look(startMs + 400 * minuteMs)
    expect(await rows()).toEqual([])
  })

  it('raises one HIGH alert for a site that fell silent within ten minutes', async () => {
    const { hear, look, rows } = await opened(6)
    for (const [index, minutes] of [0, 4, 10].entries())
      hear(`D-${index}`, startMs + minutes * minuteMs)
    for (const index of [3, 4, 5]) hear(`D-${index}`, startMs + hourMs)
    for (let minute = 30; minute < 60; minute++) await look(startMs + minute * minuteMs)
    expect(await rows()).toMatchObject([
      { severity: 'HIGH', device_id: 'D-0', description: expect.stringContaining('D-1, D-2') },
    ])
    hear('D-0', startMs + hourMs)
    await look(startMs + hourMs + minuteMs)
    const after = await rows()
    expect(after[0]).toMatchObject({ alert_type: 'ANOMALY_RESOLVED', status: 'OPEN' })
    expect(
      after
        .slice(1)
        .map(({ device_id }) => device_id)
        .toSorted(),
    ).toEqual(['D-1', 'D-2'])
  })

  it('speaks of each device alone when fewer than three, or less than half, are silent', async () => {
    const { hear, look, rows } = await opened(8)
    for (const index of [0, 1, 2]) hear(`D-${index}`, startMs)
    for (const index of [3, 4, 5, 6, 7]) hear(`D-${index}`, startMs + 30 * minuteMs)
    await look(startMs + 31 * minuteMs)
    expect((await rows()).map(({ severity }) => severity)).toEqual(['MEDIUM', 'MEDIUM', 'MEDIUM'])
  })

  it('does not take our own downtime for silence', async () => {
    const { hear, look, rows } = await opened(5)
    for (let index = 0; index < 5; index++) hear(`D-${index}`, startMs)
    const restartedMs = startMs + 5 * hourMs
    await look(restartedMs + minuteMs, restartedMs)
    expect(await rows()).toEqual([])
    await look(restartedMs + 31 * minuteMs, restartedMs)
    expect(await rows()).toMatchObject([{ severity: 'HIGH' }])
  })
})

describe('deadlines (SRV-42, SRV-46)', () => {
  it('records a breach once and escalates by severity', async () => {
    const { state, time, rows } = await opened(0)
    const windows = [
      scoredWindow('D-low', { score: 0.65 }),
      scoredWindow('D-medium', { score: 0.8 }),
      scoredWindow('D-high', { score: 0.9 }),
      scoredWindow('D-high', { score: 0.9, modelId: 'statistical_baseline' }),
    ]
    const run = scoringRun(windows)
    time.nowMs = run.nowMs
    await runAlerts({
      ...{ state, fleet: testFleet, run, scoredDeviceCount: 100, isFiring: () => false },
    })
    const levels = async (ms: number) => {
      time.nowMs = run.nowMs + ms
      await runSlaMonitor(state, time.nowMs)
      return Object.fromEntries(
        (await rows()).map((row) => [row.severity, [row.escalation_level, row.sla_breached]]),
      )
    }
    const calm = { LOW: ['L1', false], MEDIUM: ['L1', false], HIGH: ['L1', false] }
    expect(await levels(2 * hourMs)).toEqual(calm)
    expect(await levels(2 * hourMs + 1)).toEqual({ ...calm, HIGH: ['L2', true] })
    expect(await levels(4 * hourMs + 1)).toEqual({
      LOW: ['L1', false],
      MEDIUM: ['L2', true],
      HIGH: ['L3', true],
    })
    expect(await levels(25 * hourMs)).toEqual({
      LOW: ['L1', true],
      MEDIUM: ['L2', true],
      HIGH: ['L3', true],
    })
    expect(await runSlaMonitor(state, time.nowMs)).toEqual({ changedCount: 0 })
  })

  it('leaves an acknowledged alert alone', async () => {
    const { state, time, rows } = await opened(0)
    const run = scoringRun([scoredWindow('D-1')])
    time.nowMs = run.nowMs
    await runAlerts({
      ...{ state, fleet: testFleet, run, scoredDeviceCount: 100, isFiring: () => false },
    })
    await state.alerts.act({
      alertId: (await rows())[0]!.alert_id,
      action: { kind: 'AcknowledgeAlert' },
      expectedVersion: 1,
      idempotencyKey: 'k',
      actor: { id: 'ann', role: 'operator' },
      source: 'console',
    })
    expect(await runSlaMonitor(state, run.nowMs + 100 * hourMs)).toEqual({ changedCount: 0 })
  })
})

describe('fallback limits (SRV-36)', () => {
  const row = (deviceId: string, values: Record<string, number | null>) => ({
    deviceId,
    windowStartMs: startMs - 15 * minuteMs,
    windowEndMs: startMs,
    durationMinutes: 15,
    values,
  })

  it('raises MEDIUM for one broken limit and HIGH for two, once each', async () => {
    const { state, rows } = await opened(3)
    const options = {
      ...{ state, fleet: testFleet, nowMs: startMs + minuteMs },
      rows: [
        row('D-0', { temp_mean: 2.34, pressure_p95: 300 }),
        row('D-1', { temp_mean: 2, pressure_p95: 90 }),
        row('D-2', { temp_mean: null, pressure_p95: null }),
      ],
    }
    expect(await runFallbackRules(options)).toEqual({ createdCount: 2 })
    expect(await runFallbackRules(options)).toEqual({ createdCount: 0 })
    const written = (await rows()).toSorted((left, right) =>
      left.device_id < right.device_id ? -1 : 1,
    )
    expect(written).toMatchObject([
      {
        device_id: 'D-0',
        severity: 'MEDIUM',
        anomaly_score: null,
        title: 'Mean temperature is 2.3 °C, above the limit of 0.0 °C',
      },
      { device_id: 'D-1', severity: 'HIGH', top_contributors: ['temp_mean', 'pressure_p95'] },
    ])
  })

  it('skips a rule while its guard is above zero and treats null as not broken', () => {
    const broken = (values: Record<string, number | null>) =>
      brokenRules(testFleet.fallbackRules, values).map(({ feature }) => feature)
    expect(broken({ temp_mean: 5, door_open_fraction: 0.1 })).toEqual([])
    expect(broken({ temp_mean: 5, door_open_fraction: null })).toEqual(['temp_mean'])
    expect(broken({ temp_mean: 0, pressure_p95: 100 })).toEqual([])
    expect(broken({ temp_mean: null })).toEqual([])
  })
})
