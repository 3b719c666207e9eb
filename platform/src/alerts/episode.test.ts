import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Severity } from '../contracts/index.ts'
import { isActive, severityRank } from '../objects/index.ts'
import { runAlerts } from './job.ts'
import type { ScoredWindow, ScoringRun } from './scored-window.ts'
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

const quietRule = () => false

async function story() {
  const store = await temporaryState([deviceRow('D-1'), deviceRow('D-2')])
  onTestFinished(store.remove)
  const run = async (scoring: ScoringRun) => {
    store.time.nowMs = scoring.nowMs
    return runAlerts({
      state: store.state,
      fleet: testFleet,
      run: scoring,
      scoredDeviceCount: 100,
      isFiring: quietRule,
    })
  }
  /** A run in which D-1 is flagged at an hour, or nobody. */
  const hour = (at: number, flagged?: Partial<ScoredWindow>) => {
    const windowEndMs = startMs + at * hourMs
    return run(
      scoringRun(flagged === undefined ? [] : [scoredWindow('D-1', { windowEndMs, ...flagged })], {
        nowMs: windowEndMs + 5 * minuteMs,
      }),
    )
  }
  const rows = () => allAlerts(store.state)
  return { ...store, state: store.state, run, hour, rows }
}

describe('an episode (SRV-40, SRV-41)', () => {
  it('raises once, then writes repeats for audit only, and a successor after four hours', async () => {
    const { hour, rows, state } = await story()
    await hour(0, {})
    await hour(1, {})
    await hour(3, {})
    await hour(4, {})
    const [first, second, third, fourth] = await rows()
    expect([first, second, third, fourth].map((row) => row?.alert_type)).toEqual([
      'ANOMALY_DETECTED',
      'ANOMALY_DETECTED',
      'ANOMALY_DETECTED',
      'ANOMALY_SUSTAINED',
    ])
    expect([first, second, third, fourth].map((row) => row?.suppressed)).toEqual([
      false,
      true,
      true,
      false,
    ])
    expect(first).toMatchObject({ resolution_code: 'SUPERSEDED', breach_count: 3 })
    expect(second).toMatchObject({ status: 'RESOLVED', resolution_code: 'SUPERSEDED' })
    expect(fourth).toMatchObject({
      first_detected_at: startMs,
      predecessor_alert_id: first?.alert_id,
      status: 'OPEN',
    })
    expect(state.alerts.summary('D-1').count).toBe(1)
  })

  it('escalates at once, never suppressed, back to OPEN with a new deadline', async () => {
    const { hour, rows, state } = await story()
    await hour(0, { score: 0.65 })
    const [low] = await rows()
    await state.alerts.act({
      alertId: low!.alert_id,
      action: { kind: 'AssignAlert', assignee: 'ann' },
      expectedVersion: 1,
      idempotencyKey: 'k',
      actor: { id: 'ann', role: 'operator' },
      source: 'console',
    })
    await hour(1, { score: 0.8 })
    const [, medium] = await rows()
    expect(medium).toMatchObject({
      alert_type: 'ANOMALY_ESCALATED',
      severity: 'MEDIUM',
      status: 'OPEN',
      assignee_id: 'ann',
      suppressed: false,
      first_detected_at: startMs,
      sla_deadline: startMs + hourMs + 5 * minuteMs + 4 * hourMs,
    })
  })

  it('treats another dominant contributor, or another family, as another episode', async () => {
    const { hour, rows } = await story()
    await hour(0, {})
    const other = scoredWindow('D-1').contributors.map((contributor) => ({
      ...contributor,
      feature: 'pressure_mean',
    }))
    await hour(1, { contributors: other })
    await hour(2, { modelId: 'statistical_baseline' })
    expect((await rows()).filter(({ suppressed }) => !suppressed)).toHaveLength(3)
  })

  it('holds a false positive for a day against the same evidence, but not against worse', async () => {
    const { hour, rows, state, time } = await story()
    await hour(0, {})
    const [first] = await rows()
    time.nowMs = startMs + 10 * minuteMs
    await state.alerts.act({
      alertId: first!.alert_id,
      action: { kind: 'MarkFalsePositive', reasonCode: 'DOOR', reason: 'door stood open' },
      expectedVersion: 1,
      idempotencyKey: 'k',
      actor: { id: 'ann', role: 'operator' },
      source: 'console',
    })
    await hour(5, {})
    await hour(23, { modelId: 'isolation_forest', score: 0.75 })
    const later = (await rows()).slice(1)
    expect(later.map(({ suppressed, status }) => [suppressed, status])).toEqual([
      [true, 'FALSE_POSITIVE'],
      [true, 'FALSE_POSITIVE'],
    ])
    const both = ['isolation_forest', 'statistical_baseline'].map((modelId) =>
      scoredWindow('D-1', { modelId, score: 0.9, windowEndMs: startMs + 24 * hourMs }),
    )
    const worse = scoringRun(both)
    time.nowMs = worse.nowMs
    await runAlerts({
      ...{ state, fleet: testFleet, run: worse, scoredDeviceCount: 100, isFiring: quietRule },
    })
    expect((await rows()).at(-1)).toMatchObject({ suppressed: false, severity: 'HIGH' })
  })

  it('clears itself after three quiet runs, once each however often they are repeated', async () => {
    const { hour, rows } = await story()
    await hour(0, {})
    for (const at of [1, 1, 1, 2, 2]) await hour(at)
    expect((await rows())[0]?.status).toBe('OPEN')
    await hour(3)
    expect((await rows())[0]).toMatchObject({
      alert_type: 'ANOMALY_RESOLVED',
      status: 'RESOLVED',
      resolution_code: 'SELF_CLEARED',
    })
    await hour(4, {})
    const [first, again] = await rows()
    expect(again).toMatchObject({
      alert_type: 'ANOMALY_DETECTED',
      suppressed: false,
      correlated_alert_ids: [first?.alert_id],
    })
  })

  it('starts counting quiet runs anew after a flag, and does not count a device it did not see', async () => {
    const { hour, run, rows } = await story()
    await hour(0, {})
    await hour(1)
    await hour(2)
    await hour(3, {})
    await hour(3.5)
    const unseen = scoringRun([], { evidence: () => undefined, nowMs: startMs + 4 * hourMs })
    await run(unseen)
    await run({ ...unseen, nowMs: startMs + 5 * hourMs })
    expect((await rows())[0]?.status).toBe('OPEN')
  })

  it('ignores rows that are not eligible or explained by the data (SRV-38, MOD-10)', async () => {
    const { hour, rows } = await story()
    await hour(0, { eligible: false })
    await hour(1, { dataQuality: true })
    expect(await rows()).toEqual([])
  })

  it('names the site as it was, and SITE-UNASSIGNED for a device nobody knows (SRV-43)', async () => {
    const { state, run, rows, time } = await story()
    time.nowMs = startMs + 10 * hourMs
    const moved = deviceRow('D-1', { site_id: 'SITE-2', valid_from: startMs + hourMs })
    await state.registry.upsert([moved])
    await run(scoringRun([scoredWindow('D-1'), scoredWindow('D-9')]))
    expect((await rows()).map(({ device_id, site_id }) => [device_id, site_id]).toSorted()).toEqual(
      [
        ['D-1', 'SITE-1'],
        ['D-9', 'SITE-UNASSIGNED'],
      ],
    )
  })

  it('links the alerts of three devices of a site in one sensor group (SRV-44)', async () => {
    const { state, run, rows } = await story()
    await state.registry.upsert(['D-3', 'D-4', 'D-5'].map((id) => deviceRow(id)))
    await run(scoringRun(['D-1', 'D-2'].map((id) => scoredWindow(id))))
    expect((await rows()).every((row) => row.correlated_alert_ids?.length === 0)).toBe(true)
    await run(scoringRun(['D-1', 'D-2', 'D-3'].map((id) => scoredWindow(id))))
    const ids = (await rows()).map(({ alert_id }) => alert_id)
    for (const row of await rows()) {
      expect(row.correlated_alert_ids).toEqual(ids.filter((id) => id !== row.alert_id).toSorted())
    }
  })
})

describe('whatever happens (SRV-40)', () => {
  const flag = fc.record({
    hours: fc.integer({ min: 1, max: 9 }),
    score: fc.constantFrom(0.3, 0.65, 0.8, 0.97),
    families: fc.constantFrom(1, 2),
    feature: fc.constantFrom('temp_mean', 'pressure_mean'),
    action: fc.constantFrom('none', 'false_positive', 'resolve'),
  })

  it('an episode has one active alert, suppression ends by itself, worse is never suppressed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(flag, { minLength: 1, maxLength: 8 }), async (flags) => {
        const store = await temporaryState([deviceRow('D-1')])
        const { state } = store
        try {
          let windowEndMs = startMs
          for (const [index, step] of flags.entries()) {
            windowEndMs += step.hours * hourMs
            const models = ['isolation_forest', 'statistical_baseline'].slice(0, step.families)
            const windows = models.map((modelId) =>
              scoredWindow('D-1', {
                modelId,
                windowEndMs,
                score: step.score,
                contributors: scoredWindow('D-1').contributors.map((contributor) => ({
                  ...contributor,
                  feature: step.feature,
                })),
              }),
            )
            const run = scoringRun(step.score > 0.6 ? windows : [], {
              nowMs: windowEndMs + 5 * minuteMs,
            })
            store.time.nowMs = run.nowMs
            const options = {
              ...{ state, fleet: testFleet, run, scoredDeviceCount: 10, isFiring: quietRule },
            }
            const before = await state.alerts.active()
            await runAlerts(options)
            const written = await allAlerts(state)
            const repeat = await runAlerts(options)
            expect(repeat).toMatchObject({ createdCount: 0, suppressedCount: 0, changedCount: 0 })
            checkRows(written, before, index)
            await actOn(state, step.action, index)
          }
        } finally {
          await store.remove()
        }
      }),
      { numRuns: 25 },
    )
  })

  type Rows = Awaited<ReturnType<typeof allAlerts>>
  type Records = Awaited<
    ReturnType<Awaited<ReturnType<typeof temporaryState>>['state']['alerts']['active']>
  >

  function checkRows(rows: Rows, before: Records, index: number): void {
    for (const feature of ['temp_mean', 'pressure_mean']) {
      const same = rows.filter(({ top_contributors }) => top_contributors?.[0] === feature)
      expect(same.filter(isActive).length, `step ${index}`).toBeLessThanOrEqual(1)
      for (const row of same.filter(({ suppressed }) => suppressed)) {
        // Whatever suppresses is itself unsuppressed, no milder, and not older than its limit.
        const anchors = same.filter(
          (other) =>
            !other.suppressed &&
            other.alert_created_at < row.alert_created_at &&
            severityRank(other.severity) >= severityRank(row.severity) &&
            (other.status === 'FALSE_POSITIVE'
              ? row.alert_created_at - (other.resolved_at ?? 0) < 24 * hourMs
              : row.alert_created_at - other.alert_created_at < 4 * hourMs),
        )
        expect(anchors.length, `step ${index}`).toBeGreaterThan(0)
      }
    }
    const strongest = (list: readonly { readonly severity: Severity }[]) =>
      Math.max(0, ...list.map(({ severity }) => severityRank(severity)))
    const newest = rows.at(-1)
    const rank = newest === undefined ? 0 : severityRank(newest.severity)
    const isNew = before.every(({ row }) => row.alert_id !== newest?.alert_id)
    if (newest !== undefined && isNew && rank > strongest(rows.slice(0, -1))) {
      expect(newest.suppressed, `step ${index}`).toBe(false)
    }
  }

  async function actOn(
    state: Awaited<ReturnType<typeof temporaryState>>['state'],
    action: string,
    index: number,
  ): Promise<void> {
    const [active] = await state.alerts.active()
    if (active === undefined || action === 'none') return
    await state.alerts.act({
      alertId: active.row.alert_id,
      action:
        action === 'resolve'
          ? { kind: 'ResolveAlert', resolutionCode: 'REPAIRED', notes: 'repaired' }
          : { kind: 'MarkFalsePositive', reasonCode: 'DOOR', reason: 'door stood open' },
      expectedVersion: active.row.version,
      idempotencyKey: String(index),
      actor: { id: 'ann', role: 'operator' },
      source: 'console',
    })
  }
})
