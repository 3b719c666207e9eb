import type { ExcludedSpan } from '../models/index.ts'
import type { AlertRow, State } from '../objects/index.ts'

const hourMs = 3_600_000

/** Evidence of an alert may be an hour older than the alert says: its first window. */
const firstWindowMs = hourMs

function spanOf(row: AlertRow, nowMs: number): ExcludedSpan {
  const isOver = row.alert_type === 'ANOMALY_RESOLVED'
  const lastMs = (row.last_breach_at ?? row.first_detected_at) + hourMs
  return {
    deviceId: row.device_id,
    startMs: row.first_detected_at - firstWindowMs,
    endMs: row.resolved_at ?? (isOver ? lastMs : nowMs),
  }
}

/**
 * Time that must not teach a model what is normal: under HIGH and CRITICAL alerts that are open or
 * were confirmed (MOD-15, MOD-31, MOD-36). Lesser alerts are part of normal life; leaving their
 * time out would cut the tails that the next threshold is made of.
 * @param fromMs alerts created since then
 */
export async function alertedSpans(
  state: State,
  fromMs: number,
  nowMs: number,
): Promise<readonly ExcludedSpan[]> {
  const spans: ExcludedSpan[] = []
  let cursor: string | undefined
  do {
    const page = await state.alerts.query({
      severities: ['HIGH', 'CRITICAL'],
      statuses: ['OPEN', 'ACKNOWLEDGED', 'IN_PROGRESS', 'RESOLVED'],
      createdFromMs: fromMs,
      order: 'newest',
      limit: 500,
      ...(cursor !== undefined && { cursor }),
    })
    for (const row of page.alerts) spans.push(spanOf(row, nowMs))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return spans
}
