import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DeviceRow } from '../contracts/index.ts'
import type { ActionRequest, AlertAction } from './alert-actions.ts'
import { type AlertRecord, type AlertRow, freshTracking } from './alert-record.ts'
import { openState, type State } from './state.ts'

/** A moment all tests start from: 2026-02-15T10:00:00Z. */
export const startMs = Date.UTC(2026, 1, 15, 10)

export const secretKey = new Uint8Array(32).fill(7)

export function deviceRow(deviceId: string, changes: Partial<DeviceRow> = {}): DeviceRow {
  return {
    device_id: deviceId,
    status: 'active',
    site_id: 'SITE-1',
    region: 'north',
    model: 'CF-200',
    equipment_class: 'refrigeration',
    climate_zone: null,
    customer_tier: null,
    cohort_id: null,
    install_date: null,
    firmware_version: '3.1.0',
    expected_sensors: null,
    reporting_interval_s: 60,
    timezone: 'UTC',
    timestamp_mode: 'utc',
    pressure_reference: 'absolute',
    valid_from: startMs - 86_400_000,
    valid_to: null,
    site_name: null,
    ...changes,
  }
}

export function alertRecord(alertId: string, changes: Partial<AlertRow> = {}): AlertRecord {
  const row: AlertRow = {
    alert_id: alertId,
    device_id: 'REF-1',
    site_id: 'SITE-1',
    alert_type: 'ANOMALY_DETECTED',
    severity: 'HIGH',
    title: 'Evaporator is warming',
    description: 'Unusual behaviour.',
    model_id: 'isolation_forest',
    anomaly_score: 0.9,
    top_contributors: ['temp_evaporator_mean'],
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
    ...changes,
  }
  return { row, tracking: freshTracking }
}

export function request(
  alertId: string,
  action: AlertAction,
  changes: Partial<ActionRequest> = {},
): ActionRequest {
  return {
    alertId,
    action,
    expectedVersion: 1,
    idempotencyKey: `${action.kind}-${alertId}-${changes.expectedVersion ?? 1}`,
    actor: { id: 'ann', role: 'operator' },
    source: 'console',
    ...changes,
  }
}

/** A state store in a folder of its own with a clock that the test moves. */
export async function temporaryState() {
  const directory = mkdtempSync(join(tmpdir(), 'isotherm-state-'))
  const path = join(directory, 'state.db')
  const time = { nowMs: startMs }
  const open = () => openState({ path, secretKey, clock: () => time.nowMs })
  let state: State = await open()
  return {
    path,
    directory,
    time,
    get state() {
      return state
    },
    reopen: async () => {
      await state.close()
      state = await open()
      return state
    },
    remove: async () => {
      await state.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
