import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Actor, type AlertActionName, denialReason, roles } from './action-permissions.ts'
import type { ActionRequest, AlertAction } from './alert-actions.ts'
import type { AlertRow } from './alert-record.ts'
import { alertRecord, request, startMs, temporaryState } from './test-support.ts'

async function withAlerts(...changes: readonly Partial<AlertRow>[]) {
  const store = await temporaryState()
  onTestFinished(store.remove)
  const records = changes.map((change, index) => alertRecord(`a-${index + 1}`, change))
  await store.state.alerts.apply(records.map((record) => ({ kind: 'create', record }) as const))
  return { ...store, alerts: store.state.alerts, time: store.time }
}

const acknowledge: AlertAction = { kind: 'AcknowledgeAlert' }
const falseAlarm: AlertAction = {
  kind: 'MarkFalsePositive',
  reasonCode: 'DOOR',
  reason: 'door was propped open',
}
const repaired: AlertAction = {
  kind: 'ResolveAlert',
  resolutionCode: 'REPAIRED',
  notes: 'replaced the fan',
}

describe('actions on alerts (OBJ-3, OBJ-16 to OBJ-26)', () => {
  it('walks an alert from open to resolved and records who and when', async () => {
    const { alerts, time } = await withAlerts({})
    const technician: Actor = { id: 'tom', role: 'technician' }
    time.nowMs = startMs + 60_000
    const steps: readonly AlertAction[] = [
      acknowledge,
      { kind: 'StartWork' },
      { ...repaired, failureMode: 'fan_motor_failure', inspectedOnSite: true },
    ]
    for (const [index, action] of steps.entries()) {
      const step = request('a-1', action, { expectedVersion: index + 1, actor: technician })
      expect(await alerts.act(step)).toMatchObject({ kind: 'ok' })
    }
    expect((await alerts.get('a-1'))?.row).toMatchObject({
      status: 'RESOLVED',
      acknowledged_by: 'tom',
      acknowledged_at: startMs + 60_000,
      assignee_id: 'tom',
      resolved_by: 'tom',
      resolution_code: 'REPAIRED',
      version: 4,
      sla_breached: false,
    })
    expect(await alerts.labels('a-1')).toMatchObject([
      {
        label_type: 'failure_confirmed',
        label_source: 'field_engineer',
        label_confidence: 0.9,
        failure_mode: 'fan_motor_failure',
        supersedes_label_id: null,
      },
    ])
    const history = await alerts.history('a-1')
    expect(history.map(({ action, result }) => [action, result])).toEqual([
      ['AcknowledgeAlert', 'ok'],
      ['StartWork', 'ok'],
      ['ResolveAlert', 'ok'],
    ])
    expect(history[0]).toMatchObject({
      before: { status: 'OPEN' },
      after: { status: 'ACKNOWLEDGED' },
      actorId: 'tom',
    })
  })

  it('gives a repeated request its first result and acts once', async () => {
    const { alerts } = await withAlerts({})
    const first = await alerts.act(request('a-1', acknowledge))
    const second = await alerts.act(request('a-1', acknowledge))
    expect(second).toEqual(first)
    expect(await alerts.history('a-1')).toHaveLength(1)
    const other = request('a-1', falseAlarm, { idempotencyKey: 'AcknowledgeAlert-a-1-1' })
    expect(await alerts.act(other)).toMatchObject({ kind: 'invalid' })
  })

  it('answers a stale version with how the alert stands now and writes nothing', async () => {
    const { alerts } = await withAlerts({})
    await alerts.act(request('a-1', acknowledge))
    const result = await alerts.act(request('a-1', falseAlarm))
    expect(result).toMatchObject({ kind: 'conflict', alert: { status: 'ACKNOWLEDGED' } })
    expect((await alerts.get('a-1'))?.row.status).toBe('ACKNOWLEDGED')
    expect((await alerts.history('a-1')).at(-1)).toMatchObject({ result: 'conflict', after: {} })
  })

  it('audits what it denies and what does not exist', async () => {
    const { alerts } = await withAlerts({})
    const viewer: Actor = { id: 'vic', role: 'viewer' }
    expect(await alerts.act(request('a-1', acknowledge, { actor: viewer }))).toMatchObject({
      kind: 'denied',
    })
    expect(await alerts.act(request('a-9', acknowledge))).toMatchObject({ kind: 'not_found' })
    expect((await alerts.history('a-1'))[0]).toMatchObject({ actorId: 'vic', result: 'denied' })
    expect((await alerts.history('a-9'))[0]).toMatchObject({ result: 'invalid' })
  })

  it('needs a real reason for a false positive and closes the suppressed rows with it', async () => {
    const { alerts } = await withAlerts({})
    const row = { ...alertRecord('s-1', { suppressed: true }).row }
    const tracking = { ...alertRecord('s-1').tracking, anchorAlertId: 'a-1' }
    await alerts.apply([{ kind: 'create', record: { row, tracking } }])
    const short = { ...falseAlarm, reason: 'no fault ' }
    expect(await alerts.act(request('a-1', short))).toMatchObject({ kind: 'invalid' })
    const done = await alerts.act(request('a-1', falseAlarm, { idempotencyKey: 'again' }))
    expect(done).toMatchObject({
      kind: 'ok',
      label: { label_type: 'false_positive', label_confidence: 0.7 },
    })
    expect((await alerts.get('s-1'))?.row.status).toBe('FALSE_POSITIVE')
    const suppressed = request('s-1', acknowledge, { expectedVersion: 2 })
    expect(await alerts.act(suppressed)).toMatchObject({
      kind: 'invalid',
      reason: expect.stringContaining('suppressed'),
    })
  })

  it('opens a closed alert again within seven days, with a new deadline and a counter-label', async () => {
    const { alerts, time } = await withAlerts({})
    await alerts.act(request('a-1', falseAlarm))
    time.nowMs = startMs + 6 * 86_400_000
    const reopen: AlertAction = { kind: 'ReopenAlert', reason: 'it is warm again' }
    const result = await alerts.act(request('a-1', reopen, { expectedVersion: 2 }))
    expect(result).toMatchObject({
      kind: 'ok',
      alert: { status: 'OPEN', resolved_at: null, sla_deadline: time.nowMs + 7_200_000 },
      label: { label_type: 'anomaly_confirmed' },
    })
    const [newest, first] = await alerts.labels('a-1')
    expect(newest?.supersedes_label_id).toBe(first?.label_id)
    await alerts.act(request('a-1', falseAlarm, { expectedVersion: 3 }))
    time.nowMs += 7 * 86_400_000 + 1
    const late = request('a-1', reopen, { expectedVersion: 4 })
    expect(await alerts.act(late)).toMatchObject({ kind: 'invalid' })
  })

  it('does not open an alert again beside a newer one of the same episode', async () => {
    const { alerts } = await withAlerts({}, {})
    await alerts.act(request('a-1', repaired))
    const reopen: AlertAction = { kind: 'ReopenAlert', reason: 'again' }
    expect(await alerts.act(request('a-1', reopen, { expectedVersion: 2 }))).toMatchObject({
      kind: 'invalid',
      reason: expect.stringContaining('newer alert'),
    })
  })

  it('records a deadline missed before the monitor looked, and never takes it back', async () => {
    const { alerts, time } = await withAlerts({ sla_deadline: startMs + 1_000 })
    time.nowMs = startMs + 1_001
    expect(await alerts.act(request('a-1', acknowledge))).toMatchObject({
      alert: { sla_breached: true },
    })
  })

  it('accepts an action done offline up to 72 hours ago', async () => {
    const { alerts, time } = await withAlerts({}, {})
    time.nowMs = startMs + 72 * 3_600_000
    const performed = { performedAtMs: startMs }
    expect(await alerts.act(request('a-1', acknowledge, performed))).toMatchObject({
      alert: { acknowledged_at: startMs },
    })
    time.nowMs += 1
    expect(await alerts.act(request('a-2', acknowledge, performed))).toMatchObject({
      kind: 'invalid',
    })
  })

  it('escalates upward only, and technicians to L2 only', async () => {
    const { alerts } = await withAlerts({})
    const escalate = (targetLevel: 'L2' | 'L3'): AlertAction => ({
      kind: 'EscalateAlert',
      targetLevel,
      escalatedTo: 'region-north',
      reason: 'needs a specialist',
    })
    const technician: Actor = { id: 'tom', role: 'technician' }
    const third = request('a-1', escalate('L3'), { actor: technician, idempotencyKey: 'k1' })
    expect(await alerts.act(third)).toMatchObject({ kind: 'denied' })
    await alerts.act(request('a-1', escalate('L2'), { actor: technician, idempotencyKey: 'k2' }))
    const again = request('a-1', escalate('L2'), { expectedVersion: 2, idempotencyKey: 'k3' })
    expect(await alerts.act(again)).toMatchObject({ kind: 'invalid' })
  })

  it('assigning an alert to oneself acknowledges it, to somebody else does not', async () => {
    const { alerts } = await withAlerts({}, {})
    const assign: AlertAction = { kind: 'AssignAlert', assignee: 'ann' }
    expect(await alerts.act(request('a-1', assign))).toMatchObject({
      alert: { status: 'ACKNOWLEDGED', assignee_id: 'ann' },
    })
    const other: AlertAction = { kind: 'AssignAlert', assignee: 'bob' }
    expect(await alerts.act(request('a-2', other))).toMatchObject({
      alert: { status: 'OPEN', assignee_id: 'bob' },
    })
  })
})

describe('permissions (OBJ-33)', () => {
  /** The table of OBJ-33, written out a second time from the specification. */
  const table: Readonly<Record<AlertActionName, string>> = {
    AcknowledgeAlert:
      'technician site_manager operator operator_lead regional_engineer vendor_specialist',
    ConfirmAnomaly:
      'technician site_manager operator operator_lead regional_engineer vendor_specialist',
    AssignAlert: 'technician site_manager operator operator_lead regional_engineer',
    StartWork: 'technician regional_engineer vendor_specialist',
    MarkFalsePositive: 'technician operator operator_lead regional_engineer vendor_specialist',
    ResolveAlert: 'technician operator operator_lead regional_engineer vendor_specialist',
    ReopenAlert: 'technician site_manager operator operator_lead regional_engineer',
    EscalateAlert: 'technician site_manager operator operator_lead regional_engineer',
  }
  const alert = alertRecord('a-1', { escalation_level: 'L3' }).row

  it.each(roles)('lets a %s do exactly what the table says', (role) => {
    for (const [action, allowed] of Object.entries(table)) {
      const denied = denialReason({ id: 'x', role }, action as AlertActionName, alert)
      expect([action, denied === undefined]).toEqual([action, allowed.split(' ').includes(role)])
    }
  })

  it('keeps people to their sites and vendors to what was given to them', () => {
    const elsewhere: Actor = { id: 'x', role: 'operator', siteIds: ['SITE-2'] }
    expect(denialReason(elsewhere, 'AcknowledgeAlert', alert)).toContain('SITE-1')
    const vendor: Actor = { id: 'v', role: 'vendor_specialist' }
    const own = alertRecord('a-2').row
    expect(denialReason(vendor, 'AcknowledgeAlert', own)).toBeDefined()
    expect(denialReason(vendor, 'AcknowledgeAlert', { ...own, assignee_id: 'v' })).toBeUndefined()
  })
})

describe('the audit log (OBJ-34)', () => {
  it('holds together over any sequence of actions, and shows where it was tampered with', async () => {
    const action = fc.constantFrom<AlertAction>(
      acknowledge,
      falseAlarm,
      repaired,
      { kind: 'StartWork' },
      { kind: 'ConfirmAnomaly' },
      { kind: 'ReopenAlert', reason: 'again' },
    )
    const steps = fc.array(
      fc.record({
        action,
        role: fc.constantFrom(...roles),
        version: fc.integer({ min: 1, max: 4 }),
        alertId: fc.constantFrom('a-1', 'a-2'),
      }),
      { minLength: 1, maxLength: 12 },
    )
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const store = await temporaryState()
        try {
          const { alerts } = store.state
          await alerts.apply(
            ['a-1', 'a-2'].map((id) => ({ kind: 'create', record: alertRecord(id) }) as const),
          )
          for (const [index, step] of sequence.entries()) {
            const before = (await alerts.get(step.alertId))?.row
            const result = await alerts.act(
              request(step.alertId, step.action, {
                expectedVersion: step.version,
                idempotencyKey: String(index),
                actor: { id: 'x', role: step.role },
              } satisfies Partial<ActionRequest>),
            )
            const after = (await alerts.get(step.alertId))?.row
            if (result.kind !== 'ok') expect(after).toEqual(before)
            else expect(after?.version).toBe((before?.version ?? 0) + 1)
          }
          const reopened = await store.reopen()
          expect(await reopened.alerts.checkAudit()).toEqual({
            kind: 'intact',
            entryCount: sequence.length,
          })
        } finally {
          await store.remove()
        }
      }),
      { numRuns: 25 },
    )
  })

  it('refuses to be changed, and a change made around it is found', async () => {
    const { DatabaseSync } = await import('node:sqlite')
    const store = await withAlerts({}, {})
    await store.alerts.act(request('a-1', acknowledge))
    await store.alerts.act(request('a-2', acknowledge))
    const other = new DatabaseSync(store.path)
    const forge = `UPDATE audit_log SET body = replace(body, 'ann', 'eve') WHERE audit_id = 1`
    expect(() => other.exec(forge)).toThrow(/append-only/)
    expect(() => other.exec('DELETE FROM audit_log')).toThrow(/append-only/)
    other.exec(`DROP TRIGGER audit_no_update; ${forge}`)
    other.close()
    expect(await store.alerts.checkAudit()).toEqual({ kind: 'broken', auditId: 1 })
  })
})
