import type { LabelEventRow } from '../contracts/index.ts'
import type { AlertAction } from './alert-actions.ts'
import type { AlertRow } from './alert-record.ts'

type LabelSource = 'field_engineer' | 'operator_feedback'

/** Default confidence by source, CON-38. */
const confidences: Readonly<Record<LabelSource, number>> = {
  field_engineer: 0.9,
  operator_feedback: 0.7,
}

type Verdict = {
  readonly type:
    | 'failure_confirmed'
    | 'anomaly_confirmed'
    | 'false_positive'
    | 'planned_maintenance'
  readonly failureMode?: string | undefined
  readonly notes?: string | undefined
  readonly onSite?: boolean | undefined
}

function resolutionVerdict(
  action: Extract<AlertAction, { kind: 'ResolveAlert' }>,
): Verdict | undefined {
  const { notes, failureMode, inspectedOnSite: onSite } = action
  switch (action.resolutionCode) {
    case 'REPAIRED':
      // Repaired before it failed is a confirmed anomaly; a named failure is a confirmed failure.
      return failureMode === undefined
        ? { type: 'anomaly_confirmed', notes, onSite }
        : { type: 'failure_confirmed', failureMode, notes, onSite }
    case 'NO_FAULT_FOUND':
      return { type: 'false_positive', notes, onSite }
    case 'PLANNED_ACTIVITY':
      return { type: 'planned_maintenance', notes, onSite }
    default:
      return undefined
  }
}

function verdict(action: AlertAction, newest: LabelEventRow | undefined): Verdict | undefined {
  switch (action.kind) {
    case 'MarkFalsePositive':
      return {
        type: 'false_positive',
        notes: `${action.reasonCode}: ${action.reason}`,
        onSite: action.inspectedOnSite,
      }
    case 'ConfirmAnomaly':
      return {
        type: 'anomaly_confirmed',
        failureMode: action.failureMode,
        onSite: action.inspectedOnSite,
      }
    case 'ResolveAlert':
      return resolutionVerdict(action)
    case 'ReopenAlert': {
      // OBJ-25: only a verdict that said "no fault" is contradicted by opening the alert again.
      const denied =
        newest?.label_type === 'false_positive' || newest?.label_type === 'planned_maintenance'
      return denied ? { type: 'anomaly_confirmed', notes: action.reason } : undefined
    }
    default:
      return undefined
  }
}

/**
 * The label an action leaves behind, OBJ-29, or undefined if it says nothing about truth. It
 * corrects the alert's newest label; earlier ones stay.
 */
export function labelOfAction(options: {
  readonly action: AlertAction
  readonly alert: AlertRow
  readonly newest: LabelEventRow | undefined
  readonly labelId: string
  readonly labeledAtMs: number
}): LabelEventRow | undefined {
  const found = verdict(options.action, options.newest)
  if (found === undefined) return undefined
  const source: LabelSource = found.onSite === true ? 'field_engineer' : 'operator_feedback'
  return {
    label_id: options.labelId,
    device_id: options.alert.device_id,
    event_timestamp: options.alert.first_detected_at,
    label_type: found.type,
    label_source: source,
    label_confidence: confidences[source],
    labeled_at: options.labeledAtMs,
    alert_id: options.alert.alert_id,
    failure_mode: found.failureMode ?? null,
    notes: found.notes ?? null,
    supersedes_label_id: options.newest?.label_id ?? null,
  }
}
