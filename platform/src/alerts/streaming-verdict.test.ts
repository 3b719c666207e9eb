import { describe, expect, it, onTestFinished } from 'vitest'
import { runFallbackRules } from './fallback-rules.ts'
import { runAlerts } from './job.ts'
import type { DeviceEvidence, ScoredWindow, ScoringRun } from './scored-window.ts'
import { decideStreamAlert } from './stream-alert.ts'
import {
  allAlerts,
  deviceRow,
  hourMs,
  minuteMs,
  overheat,
  scoredWindow,
  scoringRun,
  startMs,
  temporaryState,
  testFleet,
} from './test-support.ts'

async function story() {
  const store = await temporaryState([deviceRow('D-1')])
  onTestFinished(store.remove)
  const { state } = store
  const fire = async (atMs: number) => {
    store.time.nowMs = atMs + 1_000
    const decided = decideStreamAlert({
      fleet: testFleet,
      rule: overheat,
      reading: {
        deviceId: 'D-1',
        eventId: `event-${atMs}`,
        timeMs: atMs,
        ingestedAtMs: atMs,
        values: {},
        mayFire: true,
      },
      reason: 'Temperature is 41.0 °C, above the limit of 40 °C',
      siteId: 'SITE-1',
      history: await state.alerts.recent(['D-1'], atMs - 7 * 24 * hourMs),
      nowMs: store.time.nowMs,
    })
    await state.alerts.apply(decided.changes)
  }
  const judge = async (run: ScoringRun, isFiring = false) => {
    store.time.nowMs = run.nowMs
    return runAlerts({
      ...{ state, fleet: testFleet, run, scoredDeviceCount: 100, isFiring: () => isFiring },
    })
  }
  /** A run over the hour that starts `hours` after the firing, with this evidence. */
  const hour = (
    hours: number,
    score: number,
    evidence: Partial<DeviceEvidence> = {},
    isFiring = false,
  ) => {
    const windowStartMs = startMs + hours * hourMs
    const window = scoredWindow('D-1', { score, windowEndMs: windowStartMs + hourMs })
    const run = scoringRun([], {
      nowMs: windowStartMs + hourMs + 5 * minuteMs,
      evidence: () => ({ completeness: 0.95, windows: [window], ...evidence }),
    })
    return judge(run, isFiring)
  }
  const flagged = (changes: Partial<ScoredWindow>) =>
    judge(scoringRun([scoredWindow('D-1', changes)]))
  const rows = () => allAlerts(state)
  return { ...store, state, fire, hour, flagged, rows }
}

describe('a batch run judges a streaming alert (SRV-22)', () => {
  it('confirms it above 0.85 by a window that ended after the firing', async () => {
    const { fire, hour, rows } = await story()
    await fire(startMs)
    await hour(-1, 0.9)
    expect((await rows())[0]?.alert_type).toBe('ANOMALY_DETECTED')
    await hour(-0.5, 0.85)
    expect((await rows())[0]?.alert_type).toBe('ANOMALY_DETECTED')
    await hour(-0.5, 0.86)
    expect((await rows())[0]).toMatchObject({
      alert_type: 'ANOMALY_SUSTAINED',
      status: 'OPEN',
      severity: 'CRITICAL',
      contributing_model_ids: ['streaming_rules', 'isolation_forest'],
    })
  })

  it.each([
    ['a score of 0.6', 1, 0.6, {}, false],
    ['a window that began before the last breach', -0.5, 0.3, {}, false],
    ['too few sensors', 1, 0.3, { completeness: 0.69 }, false],
    ['no score at all', 1, 0.3, { windows: [] }, false],
    ['a rule that is firing', 1, 0.3, {}, true],
  ] as const)('does not soften on %s', async (_, hours, score, evidence, isFiring) => {
    const { fire, hour, rows } = await story()
    await fire(startMs)
    await hour(hours, score, evidence, isFiring)
    expect((await rows())[0]).toMatchObject({ alert_type: 'ANOMALY_DETECTED', status: 'OPEN' })
  })

  it('softens a transient, once; the rule that fires again is right (SRV-23)', async () => {
    const { fire, hour, rows } = await story()
    await fire(startMs)
    await hour(1, 0.3)
    expect((await rows())[0]).toMatchObject({
      alert_type: 'ANOMALY_RESOLVED',
      status: 'RESOLVED',
      resolution_code: 'TRANSIENT',
    })
    await fire(startMs + 3 * hourMs)
    await hour(4, 0.3)
    const again = (await rows()).at(-1)
    expect(again).toMatchObject({
      suppressed: false,
      status: 'OPEN',
      alert_type: 'ANOMALY_DETECTED',
    })
  })

  it('softens again when the rule fires more than four hours later', async () => {
    const { fire, hour, rows } = await story()
    await fire(startMs)
    await hour(1, 0.3)
    await fire(startMs + 7 * hourMs)
    await hour(8, 0.3)
    expect((await rows()).at(-1)).toMatchObject({ resolution_code: 'TRANSIENT' })
  })

  it('opens an alert that was acknowledged and softened when its rule fires again', async () => {
    const { state, fire, hour, rows } = await story()
    await fire(startMs)
    await state.alerts.act({
      alertId: (await rows())[0]!.alert_id,
      action: { kind: 'AcknowledgeAlert' },
      expectedVersion: 1,
      idempotencyKey: 'k',
      actor: { id: 'ann', role: 'operator' },
      source: 'console',
    })
    await hour(1, 0.3)
    expect((await rows())[0]).toMatchObject({ status: 'ACKNOWLEDGED' })
    await fire(startMs + 2.5 * hourMs)
    expect((await rows()).at(-1)).toMatchObject({ status: 'OPEN', suppressed: false })
    expect(state.alerts.summary('D-1').count).toBe(1)
  })

  it('writes a second firing within four hours for audit only (SRV-41)', async () => {
    const { fire, rows } = await story()
    await fire(startMs)
    await fire(startMs + hourMs)
    await fire(startMs + hourMs)
    expect((await rows()).map(({ suppressed }) => suppressed)).toEqual([false, true])
  })

  it('keeps a fallback alert on the same sensor group quiet', async () => {
    const { fire, rows, state } = await story()
    await fire(startMs - 10 * minuteMs)
    const row = {
      ...{ deviceId: 'D-1', windowStartMs: startMs - 15 * minuteMs, windowEndMs: startMs },
      durationMinutes: 15,
      values: { temp_mean: 2 },
    }
    await runFallbackRules({ state, fleet: testFleet, rows: [row], nowMs: startMs + minuteMs })
    const [streaming, fallback] = await rows()
    expect(fallback).toMatchObject({
      model_id: 'rules_fallback',
      suppressed: true,
      correlated_alert_ids: [streaming?.alert_id],
    })
  })

  it('keeps a batch alert on the same sensor group quiet, and lets another stand (SRV-23)', async () => {
    const { fire, flagged, rows } = await story()
    await fire(startMs - 10 * minuteMs)
    await flagged({ score: 0.8 })
    const [streaming, batch] = await rows()
    expect(batch).toMatchObject({
      suppressed: true,
      correlated_alert_ids: [streaming?.alert_id],
      model_id: 'isolation_forest',
    })
    const [contributor] = scoredWindow('D-1').contributors
    await flagged({
      score: 0.8,
      windowEndMs: startMs + hourMs,
      contributors: [{ ...contributor!, feature: 'pressure_mean' }],
    })
    expect((await rows()).at(-1)).toMatchObject({ suppressed: false })
  })
})
