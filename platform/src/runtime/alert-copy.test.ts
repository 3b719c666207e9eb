import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { exampleFleet } from '../contracts/index.ts'
import { openLake } from '../lake/index.ts'
import { type AlertRow, freshTracking, openState } from '../objects/index.ts'
import { alertCopyJob } from './alert-copy.ts'

const startMs = Date.UTC(2026, 0, 15)

function alertRow(alertId: string): AlertRow {
  return {
    alert_id: alertId,
    device_id: 'U-1',
    site_id: 'S-1',
    alert_type: 'ANOMALY_DETECTED',
    severity: 'HIGH',
    title: 'Unusual pressure',
    description: 'Pressure is low.',
    model_id: 'isolation_forest',
    anomaly_score: 0.9,
    top_contributors: ['pressure_mean'],
    first_detected_at: startMs,
    alert_created_at: startMs,
    suppressed: false,
    ontology_action_id: null,
    status: 'OPEN',
    resolved_at: null,
    escalation_level: 'L1',
    sla_deadline: startMs + 7_200_000,
    sla_breached: false,
    trigger_category: 'anomaly_score_high',
    model_version: '1.0.0',
    contributing_model_ids: ['isolation_forest'],
    score_id: 'score-1',
    last_breach_at: startMs,
    breach_count: 1,
    predecessor_alert_id: null,
    correlated_alert_ids: [],
    model_rolled_back: false,
    acknowledged_at: null,
    acknowledged_by: null,
    assignee_id: null,
    assignee_team: null,
    resolved_by: null,
    resolution_code: null,
    resolution_notes: null,
    escalated_at: null,
    escalated_to: null,
    work_order_id: null,
    version: 1,
  }
}

it('alerts reach the lake once each and follow their later changes (C6)', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'isotherm-copy-'))
  const lake = await openLake({ directory: join(directory, 'tables'), fleet: exampleFleet })
  const state = await openState({
    path: join(directory, 'state.db'),
    secretKey: new Uint8Array(32),
    clock: () => startMs + 60_000,
  })
  const copy = () => alertCopyJob({ lake, nowMs: startMs + 60_000 }, state.alerts)
  const stored = async () =>
    (await lake.query('SELECT alert_id, status, sla_deadline FROM device_alerts ORDER BY 1')).rows
  const create = (alertId: string) =>
    state.alerts.apply([
      { kind: 'create', record: { row: alertRow(alertId), tracking: freshTracking } },
    ])

  await create('a')
  expect(await copy()).toEqual({ alertCount: 1, labelCount: 0 })
  expect(await copy()).toEqual({ alertCount: 0, labelCount: 0 })
  await create('b')
  await state.alerts.act({
    action: { kind: 'AcknowledgeAlert' },
    alertId: 'a',
    expectedVersion: 1,
    idempotencyKey: 'key-1',
    actor: { id: 'kim', role: 'operator' },
    source: 'api',
  })
  await copy()
  expect(await stored()).toEqual([
    ['a', 'ACKNOWLEDGED', '2026-01-15 02:00:00+00'],
    ['b', 'OPEN', '2026-01-15 02:00:00+00'],
  ])
  await state.close()
  await lake.close()
})
