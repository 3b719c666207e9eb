import type { AlertView, Contributor, ReadingsView } from 'isotherm/http'

/** A moment that examples start from. */
export const exampleNowMs = Date.UTC(2026, 1, 15, 10)

const iso = (timeMs: number) => new Date(timeMs).toISOString()

/** A reason with a value above its normal range. */
export const exampleContributor: Contributor = {
  feature: 'temp_evaporator_mean',
  label: 'mean evaporator temperature',
  unit: '°C',
  group: 'temperature',
  direction: 'high',
  weight: 3.2,
  value: -8,
  normal: { median: -22, low: -25, high: -19, spread: 1.5, scope: 'device' },
  hint: 'The coil is warmer than usual.',
}

/** An open alert; `changes` make it another one. */
export function exampleAlert(changes: Partial<AlertView> = {}): AlertView {
  return {
    alert_id: 'alert-1',
    device_id: 'REF-1',
    site_id: 'SITE-1',
    site_name: 'Oslo Harbour',
    device_model: 'Borealis 120',
    alert_type: 'ANOMALY_DETECTED',
    trigger_category: 'anomaly_score_high',
    severity: 'HIGH',
    title: 'Evaporator is warming',
    description: 'This cabinet behaves unusually.',
    model_id: 'isolation_forest',
    model_version: '1.0.0',
    contributing_model_ids: ['isolation_forest', 'statistical_baseline'],
    anomaly_score: 0.93,
    score_id: 'score-1',
    confidence: 'normal',
    contributors: [exampleContributor],
    window_start: iso(exampleNowMs - 3_600_000),
    window_end: iso(exampleNowMs),
    first_detected_at: iso(exampleNowMs - 7_200_000),
    alert_created_at: iso(exampleNowMs),
    last_breach_at: iso(exampleNowMs),
    breach_count: 1,
    suppressed: false,
    predecessor_alert_id: null,
    correlated_alert_ids: [],
    status: 'OPEN',
    acknowledged_at: null,
    acknowledged_by: null,
    assignee_id: null,
    resolved_at: null,
    resolved_by: null,
    resolution_code: null,
    resolution_notes: null,
    escalation_level: 'L1',
    sla_deadline: iso(exampleNowMs + 7_200_000),
    sla_breached: false,
    version: 1,
    allowed_actions: ['acknowledge', 'assign', 'resolve', 'false-positive', 'confirm', 'escalate'],
    ...changes,
  }
}

/** Ten minutes of one gauge and one state, a reading missing here and there. */
export function exampleReadings(
  mean: readonly (number | null)[],
  fraction: readonly (number | null)[],
  minutes: readonly number[] = mean.map((_, index) => index),
): ReadingsView {
  return {
    device_id: 'REF-1',
    from: iso(exampleNowMs),
    to: iso(exampleNowMs + 3_600_000),
    bucket_seconds: 60,
    times: minutes.map((minute) => exampleNowMs + minute * 60_000),
    series: {
      temperature: {
        kind: 'gauge',
        mean: [...mean],
        min: mean.map((value) => (value === null ? null : value - 1)),
        max: mean.map((value) => (value === null ? null : value + 1)),
        count: mean.map((value) => (value === null ? 0 : 1)),
      },
      defrost: {
        kind: 'boolean',
        fraction: [...fraction],
        count: fraction.map((value) => (value === null ? 0 : 1)),
      },
    },
    newest_reading_at: iso(exampleNowMs),
  }
}
