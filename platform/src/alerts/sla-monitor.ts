import { type AlertChange, type AlertRecord, type State, slaPeriodMs } from '../objects/index.ts'

/**
 * What has become due, SRV-42 and SRV-46: an OPEN alert past its deadline is breached for good and
 * goes to L2 (LOW is only recorded); HIGH and CRITICAL go to L3 one further period later.
 */
export function decideSla(active: readonly AlertRecord[], nowMs: number): readonly AlertChange[] {
  return active.flatMap(({ row }): AlertChange[] => {
    if (row.status !== 'OPEN' || row.suppressed || nowMs <= row.sla_deadline) return []
    const { alert_id: alertId, severity } = row
    const breach: AlertChange[] = row.sla_breached ? [] : [{ kind: 'breach_sla', alertId }]
    if (severity === 'LOW') return breach
    const isUrgent = severity === 'HIGH' || severity === 'CRITICAL'
    const level = isUrgent && nowMs > row.sla_deadline + slaPeriodMs(severity) ? 'L3' : 'L2'
    return row.escalation_level >= level
      ? breach
      : [...breach, { kind: 'auto_escalate', alertId, level }]
  })
}

/** Looks after the deadlines once; call it each minute. */
export async function runSlaMonitor(
  state: State,
  nowMs: number,
): Promise<{ readonly changedCount: number }> {
  const changes = decideSla(await state.alerts.active(), nowMs)
  if (changes.length === 0) return { changedCount: 0 }
  const { written } = await state.alerts.apply(changes)
  return { changedCount: written.length }
}
