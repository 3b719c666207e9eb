import type { AlertStatus, DeviceAlertRow, Severity } from '../contracts/index.ts'

/** Place of an alert in its episode, SRV-40. */
export type AlertType =
  | 'ANOMALY_DETECTED'
  | 'ANOMALY_SUSTAINED'
  | 'ANOMALY_ESCALATED'
  | 'ANOMALY_RESOLVED'

/** A row of contract C6 with its closed sets of values. */
export type AlertRow = DeviceAlertRow & {
  readonly alert_type: AlertType
  readonly severity: Severity
  readonly status: AlertStatus
}

/** What the alert job must remember about an alert beyond its contract row. */
export type AlertTracking = {
  /** Stream rule that fired; null for every other origin. */
  readonly ruleId: string | null
  /** For a suppressed row: the alert whose episode it belongs to; it closes with it, SRV-40. */
  readonly anchorAlertId: string | null
  /** Consecutive runs in which the device was not flagged again, SRV-40. */
  readonly quietRuns: number
  /** End of the newest window counted in `quietRuns`: a run that is repeated counts once. */
  readonly quietWindowEndMs: number | null
  /** Re-fired within 4 h of softening: never softened automatically again, SRV-23. */
  readonly softenLocked: boolean
}

/** An alert as the store holds it. */
export type AlertRecord = {
  readonly row: AlertRow
  readonly tracking: AlertTracking
}

/** Tracking of an alert that nothing has happened to yet. */
export const freshTracking: AlertTracking = {
  ruleId: null,
  anchorAlertId: null,
  quietRuns: 0,
  quietWindowEndMs: null,
  softenLocked: false,
}

/** True for RESOLVED and FALSE_POSITIVE. */
export function isClosed(status: AlertStatus): boolean {
  return status === 'RESOLVED' || status === 'FALSE_POSITIVE'
}

/** Active: not suppressed and not closed, OBJ-7. */
export function isActive(row: AlertRow): boolean {
  return !row.suppressed && !isClosed(row.status)
}

const ranks: Readonly<Record<Severity, number>> = { LOW: 1, MEDIUM: 2, HIGH: 3, CRITICAL: 4 }

/** Place of a severity, 1 for LOW to 4 for CRITICAL. */
export function severityRank(severity: Severity): number {
  return ranks[severity]
}
