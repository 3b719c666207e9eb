import { describe, expect, it, onTestFinished } from 'vitest'
import type { AlertAction } from '../objects/index.ts'
import { alertedSpans } from './alerted-spans.ts'
import { runAlerts } from './job.ts'
import {
  deviceRow,
  hourMs,
  scoredWindow,
  scoringRun,
  startMs,
  temporaryState,
  testFleet,
} from './test-support.ts'

async function withAlerts() {
  const ids = ['urgent', 'minor', 'wrong']
  const store = await temporaryState(ids.map((id) => deviceRow(id)))
  onTestFinished(store.remove)
  const { state } = store
  const families = ['isolation_forest', 'statistical_baseline']
  const flagged = ids.flatMap((deviceId) =>
    families.map((modelId) =>
      scoredWindow(deviceId, { modelId, score: deviceId === 'minor' ? 0.7 : 0.9 }),
    ),
  )
  await runAlerts({
    state,
    fleet: testFleet,
    run: scoringRun(flagged),
    scoredDeviceCount: 3,
    isFiring: () => false,
  })
  return store
}

describe('time that trains no model (MOD-15, MOD-36)', () => {
  it('begins before the first window of an urgent alert and lasts while it is open', async () => {
    const { state } = await withAlerts()
    const nowMs = startMs + 5 * hourMs
    const spans = await alertedSpans(state, startMs - hourMs, nowMs)
    expect(spans.map(({ deviceId }) => deviceId).toSorted()).toEqual(['urgent', 'wrong'])
    for (const { startMs: from, endMs } of spans) {
      expect(from).toBeLessThanOrEqual(startMs - hourMs)
      expect(endMs).toBe(nowMs)
    }
    expect(await alertedSpans(state, startMs + hourMs, nowMs)).toEqual([])
  })

  it('is given back when a person calls the alert false, and ends when it is resolved', async () => {
    const { state, time } = await withAlerts()
    time.nowMs = startMs + 2 * hourMs
    const { alerts } = await state.alerts.query({})
    const act = (deviceId: string, action: AlertAction) => {
      const row = alerts.find(({ device_id }) => device_id === deviceId)
      return state.alerts.act({
        alertId: row?.alert_id ?? '',
        action,
        expectedVersion: row?.version ?? 0,
        idempotencyKey: deviceId,
        actor: { id: 'tom', role: 'technician' },
        source: 'console',
      })
    }
    const reason = 'The door was held open for the delivery.'
    const calledFalse = await act('wrong', {
      kind: 'MarkFalsePositive',
      reasonCode: 'DOOR',
      reason,
    })
    expect(calledFalse).toMatchObject({ kind: 'ok' })
    const notes = 'Refilled the refrigerant and closed the leak.'
    const repaired = await act('urgent', {
      kind: 'ResolveAlert',
      resolutionCode: 'REPAIRED',
      notes,
    })
    expect(repaired).toMatchObject({ kind: 'ok' })
    expect(await alertedSpans(state, 0, startMs + 5 * hourMs)).toMatchObject([
      { deviceId: 'urgent', endMs: startMs + 2 * hourMs },
    ])
  })
})
