import { unreachable } from '../contracts/index.ts'
import { type AlertRecord, type AlertRow, isActive, isClosed } from './alert-record.ts'

/**
 * What the alert jobs may do to alerts. Each is safe to apply twice and is checked again against
 * the alert as it is when applied: a person may have acted in between.
 */
export type AlertChange =
  /** A new alert; nothing happens if the id exists. */
  | { readonly kind: 'create'; readonly record: AlertRecord }
  /**
   * A new alert that takes the place of an active one (SRV-40). It inherits the workflow fields;
   * with `keepStatus` (sustained) also status, deadline watch and level, else it starts OPEN.
   */
  | {
      readonly kind: 'succeed'
      readonly record: AlertRecord
      readonly predecessorId: string
      readonly keepStatus: boolean
    }
  /** A batch run agrees with a streaming alert, SRV-22. */
  | {
      readonly kind: 'confirm'
      readonly alertId: string
      readonly scoreId: string | null
      readonly modelIds: readonly string[]
    }
  /** A batch run contradicts a streaming alert, SRV-22. */
  | { readonly kind: 'soften'; readonly alertId: string }
  /** The evidence is gone, SRV-40. */
  | { readonly kind: 'self_clear'; readonly alertId: string }
  /** Count of quiet runs so far, SRV-40. */
  | {
      readonly kind: 'quiet'
      readonly alertId: string
      readonly quietRuns: number
      readonly windowEndMs: number
    }
  /** Related alerts, added to those known, SRV-44. */
  | { readonly kind: 'correlate'; readonly alertId: string; readonly alertIds: readonly string[] }
  /** The evidence repeated, SRV-15. */
  | {
      readonly kind: 'repeat'
      readonly alertId: string
      readonly lastBreachMs: number
      readonly breachCount: number
    }
  /** The deadline passed unacknowledged, SRV-42. */
  | { readonly kind: 'breach_sla'; readonly alertId: string }
  /** Automatic escalation, SRV-46. */
  | { readonly kind: 'auto_escalate'; readonly alertId: string; readonly level: 'L2' | 'L3' }
  /** A device that was silent is heard again, SRV-20. */
  | { readonly kind: 'heard_again'; readonly alertId: string }

/** The record after a change, and its name in the audit log when it touches workflow fields. */
export type AppliedChange = {
  readonly record: AlertRecord
  readonly audit?: string
}

/** Most alerts named in `correlated_alert_ids`; a storm would otherwise write n x n ids. */
const maxCorrelated = 100

function mergeIds(known: readonly string[] | null, more: readonly string[]): readonly string[] {
  return [...new Set([...(known ?? []), ...more])].toSorted().slice(0, maxCorrelated)
}

/** The row closed by the platform itself. */
export function closeBySystem(
  row: AlertRow,
  code: 'TRANSIENT' | 'SELF_CLEARED' | 'SUPERSEDED',
  nowMs: number,
  notes: string,
): AlertRow {
  return {
    ...row,
    status: 'RESOLVED',
    resolved_at: nowMs,
    resolved_by: 'service',
    resolution_code: code,
    resolution_notes: notes,
    version: row.version + 1,
  }
}

/** Workflow fields a successor takes over from its predecessor, SRV-40. */
export function inheritWorkflow(row: AlertRow, from: AlertRow, keepStatus: boolean): AlertRow {
  const taken = {
    assignee_id: from.assignee_id,
    assignee_team: from.assignee_team,
    work_order_id: from.work_order_id,
    escalation_level: from.escalation_level,
    escalated_at: from.escalated_at,
    escalated_to: from.escalated_to,
  }
  if (!keepStatus) return { ...row, ...taken }
  return {
    ...row,
    ...taken,
    status: from.status,
    acknowledged_at: from.acknowledged_at,
    acknowledged_by: from.acknowledged_by,
  }
}

function confirm(
  { row, tracking }: AlertRecord,
  { scoreId, modelIds }: Extract<AlertChange, { kind: 'confirm' }>,
): AppliedChange | undefined {
  if (isClosed(row.status) || row.alert_type === 'ANOMALY_SUSTAINED') return undefined
  const confirmed: AlertRow = {
    ...row,
    alert_type: 'ANOMALY_SUSTAINED',
    score_id: scoreId,
    contributing_model_ids: [...new Set([...(row.contributing_model_ids ?? []), ...modelIds])],
  }
  return { record: { row: confirmed, tracking } }
}

function soften({ row, tracking }: AlertRecord, nowMs: number): AppliedChange | undefined {
  if (!isActive(row) || row.alert_type === 'ANOMALY_RESOLVED') return undefined
  const notes = 'transient: every batch model scored the device as usual again'
  const softened: AlertRow = { ...row, alert_type: 'ANOMALY_RESOLVED' }
  return row.status === 'OPEN'
    ? {
        record: { row: closeBySystem(softened, 'TRANSIENT', nowMs, notes), tracking },
        audit: 'SoftenAlert',
      }
    : { record: { row: { ...softened, resolution_notes: notes }, tracking }, audit: 'SoftenAlert' }
}

function selfClear(
  { row, tracking }: AlertRecord,
  nowMs: number,
  notes: string,
): AppliedChange | undefined {
  if (!isActive(row) || row.alert_type === 'ANOMALY_RESOLVED') return undefined
  const cleared: AlertRow = { ...row, alert_type: 'ANOMALY_RESOLVED' }
  const closes = row.status === 'OPEN' && (row.severity === 'LOW' || row.severity === 'MEDIUM')
  return {
    record: {
      row: closes ? closeBySystem(cleared, 'SELF_CLEARED', nowMs, notes) : cleared,
      tracking,
    },
    audit: 'SelfClearAlert',
  }
}

/**
 * What a change makes of an existing alert; undefined when it no longer applies.
 * @param change every kind but `create` and `succeed`, which make an alert
 */
export function applyChange(
  record: AlertRecord,
  change: Exclude<AlertChange, { kind: 'create' | 'succeed' }>,
  nowMs: number,
): AppliedChange | undefined {
  const { row, tracking } = record
  const open = !isClosed(row.status)
  switch (change.kind) {
    case 'confirm':
      return confirm(record, change)
    case 'soften':
      return soften(record, nowMs)
    case 'self_clear':
      return selfClear(record, nowMs, 'not flagged in three runs in a row')
    case 'heard_again':
      return selfClear(record, nowMs, 'the device sends readings again')
    case 'quiet':
      return tracking.quietRuns === change.quietRuns &&
        tracking.quietWindowEndMs === change.windowEndMs
        ? undefined
        : {
            record: {
              row,
              tracking: {
                ...tracking,
                quietRuns: change.quietRuns,
                quietWindowEndMs: change.windowEndMs,
              },
            },
          }
    case 'correlate': {
      const ids = mergeIds(row.correlated_alert_ids, change.alertIds)
      if (ids.length === (row.correlated_alert_ids?.length ?? 0)) return undefined
      return { record: { row: { ...row, correlated_alert_ids: ids }, tracking } }
    }
    case 'repeat':
      if (!open || change.lastBreachMs <= (row.last_breach_at ?? 0)) return undefined
      return {
        record: {
          row: { ...row, last_breach_at: change.lastBreachMs, breach_count: change.breachCount },
          tracking,
        },
      }
    case 'breach_sla':
      if (row.status !== 'OPEN' || row.sla_breached) return undefined
      return {
        record: { row: { ...row, sla_breached: true, version: row.version + 1 }, tracking },
        audit: 'BreachSla',
      }
    case 'auto_escalate':
      if (row.status !== 'OPEN' || row.escalation_level >= change.level) return undefined
      return {
        record: {
          row: {
            ...row,
            escalation_level: change.level,
            escalated_at: nowMs,
            version: row.version + 1,
          },
          tracking,
        },
        audit: 'EscalateAlert',
      }
    default:
      return unreachable(change)
  }
}
