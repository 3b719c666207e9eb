import { type Severity, unreachable } from '../contracts/index.ts'
import {
  type AlertChange,
  type AlertRow,
  freshTracking,
  isClosed,
  slaPeriodMs,
} from '../objects/index.ts'
import { episodeHistoryMs, type Placement } from './episode.ts'

/** Site of devices that the registry knows no place for, SRV-43. */
export const unassignedSite = 'SITE-UNASSIGNED'

/** What an alert says, before it is placed in an episode. */
export type AlertContent = {
  readonly alertId: string
  readonly deviceId: string
  readonly siteId: string
  readonly severity: Severity
  readonly title: string
  readonly description: string
  readonly modelId: string
  readonly modelVersion: string
  readonly modelIds: readonly string[]
  readonly triggerCategory:
    | 'anomaly_score_high'
    | 'sensor_out_of_range'
    | 'device_offline'
    | 'pattern_anomaly'
  readonly score: number | null
  readonly scoreId: string | null
  readonly contributors: readonly string[]
  readonly detectedMs: number
  readonly lastBreachMs: number
  readonly ruleId?: string
  readonly softenLocked?: boolean
}

function baseRow(content: AlertContent, nowMs: number): AlertRow {
  return {
    alert_id: content.alertId,
    device_id: content.deviceId,
    site_id: content.siteId,
    alert_type: 'ANOMALY_DETECTED',
    severity: content.severity,
    title: content.title,
    description: content.description,
    model_id: content.modelId,
    anomaly_score: content.score,
    top_contributors: content.contributors.length === 0 ? null : content.contributors,
    first_detected_at: Math.min(content.detectedMs, nowMs),
    alert_created_at: nowMs,
    suppressed: false,
    ontology_action_id: null,
    status: 'OPEN',
    resolved_at: null,
    escalation_level: 'L1',
    sla_deadline: nowMs + slaPeriodMs(content.severity),
    sla_breached: false,
    trigger_category: content.triggerCategory,
    model_version: content.modelVersion,
    contributing_model_ids: content.modelIds,
    score_id: content.scoreId,
    last_breach_at: content.lastBreachMs,
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

/** A row for audit: it takes the type of the alert it repeats and ends with it, SRV-40. */
function suppressedRow(row: AlertRow, anchor: AlertRow, nowMs: number): AlertRow {
  const suppressed: AlertRow = {
    ...row,
    suppressed: true,
    alert_type: anchor.alert_type,
    first_detected_at: Math.min(anchor.first_detected_at, row.first_detected_at),
    correlated_alert_ids: [anchor.alert_id],
  }
  if (!isClosed(anchor.status)) return suppressed
  return {
    ...suppressed,
    status: anchor.status,
    resolved_at: nowMs,
    resolved_by: 'service',
    resolution_notes: `covered by the verdict on ${anchor.alert_id}`,
  }
}

/**
 * The changes that write an alert at its place in the episode: a new row, a suppressed row with the
 * repeated evidence noted on its anchor, or a successor, SRV-40.
 */
export function alertChanges(
  content: AlertContent,
  placement: Placement,
  nowMs: number,
): readonly AlertChange[] {
  const row = baseRow(content, nowMs)
  const tracking = {
    ...freshTracking,
    ruleId: content.ruleId ?? null,
    softenLocked: content.softenLocked ?? false,
  }
  switch (placement.kind) {
    case 'detected': {
      const { previous } = placement
      const isRecent =
        previous !== undefined &&
        nowMs - (previous.row.resolved_at ?? previous.row.alert_created_at) < episodeHistoryMs
      const correlated = isRecent ? [previous.row.alert_id] : []
      return [
        {
          kind: 'create',
          record: { row: { ...row, correlated_alert_ids: correlated }, tracking },
        },
      ]
    }
    case 'suppressed': {
      const { anchor } = placement
      const record = {
        row: suppressedRow(row, anchor.row, nowMs),
        tracking: { ...tracking, anchorAlertId: anchor.row.alert_id },
      }
      const repeat: AlertChange = {
        kind: 'repeat',
        alertId: anchor.row.alert_id,
        lastBreachMs: content.lastBreachMs,
        breachCount: (anchor.row.breach_count ?? 1) + 1,
      }
      return [{ kind: 'create', record }, repeat]
    }
    case 'sustained':
    case 'escalated': {
      const { predecessor } = placement
      const successor: AlertRow = {
        ...row,
        alert_type: placement.kind === 'sustained' ? 'ANOMALY_SUSTAINED' : 'ANOMALY_ESCALATED',
        first_detected_at: predecessor.row.first_detected_at,
        breach_count: (predecessor.row.breach_count ?? 1) + 1,
        predecessor_alert_id: predecessor.row.alert_id,
        correlated_alert_ids: predecessor.row.correlated_alert_ids,
      }
      return [
        {
          kind: 'succeed',
          record: {
            row: successor,
            tracking: { ...tracking, softenLocked: predecessor.tracking.softenLocked },
          },
          predecessorId: predecessor.row.alert_id,
          keepStatus: placement.kind === 'sustained',
        },
      ]
    }
    default:
      return unreachable(placement)
  }
}
