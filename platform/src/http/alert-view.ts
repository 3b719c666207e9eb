import type { DeviceRow } from '../contracts/index.ts'
import type { AlertRow, AuditEntry } from '../objects/index.ts'
import { allowedActions } from './allowed-actions.ts'
import type { Identity } from './identity.ts'
import type { Evidence } from './queries/alert-evidence.ts'
import type { AlertView, HistoryEntry } from './schemas/alert-schema.ts'

const instant = (timeMs: number) => new Date(timeMs).toISOString()
const instantOrNull = (timeMs: number | null) => (timeMs === null ? null : instant(timeMs))

/** An alert as the API sends it: the row, its device, its evidence and what the caller may do. */
export function alertView(
  row: AlertRow,
  device: DeviceRow | undefined,
  evidence: Evidence | undefined,
  identity: Identity,
): AlertView {
  return {
    alert_id: row.alert_id,
    device_id: row.device_id,
    site_id: row.site_id,
    site_name: device?.site_name ?? null,
    device_model: device?.model ?? null,
    alert_type: row.alert_type,
    trigger_category: row.trigger_category,
    severity: row.severity,
    title: row.title,
    description: row.description,
    model_id: row.model_id,
    model_version: row.model_version,
    contributing_model_ids: [...(row.contributing_model_ids ?? [])],
    anomaly_score: row.anomaly_score,
    score_id: row.score_id,
    confidence: evidence?.confidence ?? null,
    contributors: [...(evidence?.contributors ?? [])],
    window_start: instantOrNull(evidence?.windowStartMs ?? null),
    window_end: instantOrNull(evidence?.windowEndMs ?? null),
    first_detected_at: instant(row.first_detected_at),
    alert_created_at: instant(row.alert_created_at),
    last_breach_at: instantOrNull(row.last_breach_at),
    breach_count: row.breach_count,
    suppressed: row.suppressed,
    predecessor_alert_id: row.predecessor_alert_id,
    correlated_alert_ids: [...(row.correlated_alert_ids ?? [])],
    status: row.status,
    acknowledged_at: instantOrNull(row.acknowledged_at),
    acknowledged_by: row.acknowledged_by,
    assignee_id: row.assignee_id,
    resolved_at: instantOrNull(row.resolved_at),
    resolved_by: row.resolved_by,
    resolution_code: row.resolution_code,
    resolution_notes: row.resolution_notes,
    escalation_level: row.escalation_level,
    sla_deadline: instant(row.sla_deadline),
    sla_breached: row.sla_breached,
    version: row.version,
    allowed_actions: allowedActions(row, identity),
  }
}

/** An audit entry as the API sends it, OBJ-34. */
export function historyEntry(entry: AuditEntry): HistoryEntry {
  return {
    audit_id: String(entry.auditId),
    at: instant(entry.atMs),
    actor_id: entry.actorId,
    actor_role: entry.actorRole,
    source: entry.source,
    action: entry.action,
    result: entry.result,
    reason: entry.reason ?? null,
    parameters: { ...entry.parameters },
  }
}
