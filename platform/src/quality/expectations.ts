import { anyViolationSql } from '../clean/index.ts'
import { alertStatuses, qualityFlags, severities } from '../contracts/index.ts'
import type { Expectation, GateChanges } from './expectation.ts'
import { featureFault, notFinite, nullMiscount, outsideEveryRange } from './fault-sql.ts'

const texts = (values: readonly string[]) => values.map((value) => `'${value}'`).join(', ')
const minutesUs = (minutes: number) => minutes * 60_000_000

const raw = { contract: 'C1', table: 'raw_sensor_readings' } as const
const clean = { contract: 'C2', table: 'clean_sensor_readings' } as const
const features = { contract: 'C3', table: 'device_features' } as const

const landing: readonly Expectation[] = [
  {
    ...raw,
    id: 'E1.1',
    check: 'event id, device, both times and log position are there',
    severity: 'FAIL',
    judgedBy: {
      kind: 'rows',
      fault: () =>
        'event_id IS NULL OR device_id IS NULL OR timestamp_device IS NULL OR timestamp_ingested IS NULL OR _sequence_number IS NULL',
    },
    hold: {
      fault: () =>
        'event_id IS NULL OR timestamp_device IS NULL OR timestamp_ingested IS NULL OR log_offset IS NULL',
      limit: 0,
    },
  },
  {
    ...raw,
    id: 'E1.2',
    check: 'few messages come twice',
    severity: 'WARN',
    limit: 0.01,
    minRows: 100,
    judgedBy: { kind: 'history' },
  },
  {
    ...raw,
    id: 'E1.3',
    check: 'sensor values are numbers, or nothing',
    severity: 'FAIL',
    judgedBy: { kind: 'rows', fault: notFinite },
    hold: { fault: notFinite, limit: 0 },
  },
  {
    ...raw,
    id: 'E1.4',
    check: 'log offsets follow on the commit before',
    severity: 'FAIL',
    judgedBy: { kind: 'writer', writer: 'landing' },
  },
  {
    ...raw,
    id: 'E1.5',
    check: 'device clocks run at most 5 min ahead in 99 % of rows',
    severity: 'WARN',
    limit: 0.01,
    judgedBy: {
      kind: 'rows',
      fault: () => `epoch_us(timestamp_device) > epoch_us(timestamp_ingested) + ${minutesUs(5)}`,
    },
  },
  {
    ...raw,
    id: 'E1.6',
    check: 'at most 0.1 % of messages could not be read',
    severity: 'WARN',
    limit: 0.001,
    minRows: 10,
    judgedBy: { kind: 'history' },
  },
]

const cleansing: readonly Expectation[] = [
  {
    ...clean,
    id: 'E2.1',
    check: 'event id is unique in the whole table',
    severity: 'FAIL',
    judgedBy: { kind: 'writer', writer: 'clean' },
  },
  {
    ...clean,
    id: 'E2.2',
    check: 'the device is in the registry',
    severity: 'ROW',
    judgedBy: { kind: 'rows', fault: () => 'registered_id IS NULL' },
  },
  {
    ...clean,
    id: 'E2.3',
    check: 'event time is within 24 h of arrival, 7 d for a proven late message',
    severity: 'FAIL',
    judgedBy: {
      kind: 'rows',
      fault: () => `timestamp_utc IS NULL
        OR abs(epoch_us(timestamp_ingested) - epoch_us(timestamp_utc)) > CASE
          WHEN list_contains(quality_flags, 'LATE_ARRIVAL') THEN ${minutesUs(7 * 1440)}
          ELSE ${minutesUs(1440)} END`,
    },
  },
  {
    ...clean,
    id: 'E2.4',
    check: 'every value is in range or null',
    severity: 'ROW',
    judgedBy: { kind: 'rows', fault: outsideEveryRange },
  },
  {
    ...clean,
    id: 'E2.5',
    check: 'flags are there, the null count is right, and the books balance',
    severity: 'FAIL',
    judgedBy: { kind: 'rows', fault: nullMiscount },
  },
  {
    ...clean,
    id: 'E2.6',
    check: 'only known flags',
    severity: 'WARN',
    judgedBy: {
      kind: 'rows',
      fault: () => `NOT list_has_all([${texts(qualityFlags)}], quality_flags)`,
    },
  },
  {
    ...clean,
    id: 'E2.7',
    check: 'at most 5 % of rows hold a value out of range',
    severity: 'WARN',
    limit: 0.05,
    minRows: 60,
    judgedBy: {
      kind: 'rows',
      fault: () => "list_contains(quality_flags, 'RANGE_VIOLATION')",
    },
    // A whole site out of range is a wrong unit or a wrong registry entry, not broken machines:
    // features of what is left would mislead. See docs/decisions/gates-hold-slices.md.
    hold: { fault: anyViolationSql, limit: 0.5, minDevices: 5 },
  },
  {
    ...clean,
    id: 'E2.8',
    check: 'no sensor is missing 5 points more often than in the last 7 days',
    severity: 'WARN',
    limit: 0.05,
    minRows: 60,
    judgedBy: { kind: 'history' },
  },
  {
    ...clean,
    id: 'E2.9',
    check: 'at least half as many rows as in the same hour yesterday',
    severity: 'WARN',
    limit: 0.5,
    minRows: 60,
    judgedBy: { kind: 'history' },
  },
]

const windows: readonly Expectation[] = [
  {
    ...features,
    id: 'E3.1',
    check: 'one row per device and aligned window',
    severity: 'FAIL',
    judgedBy: {
      kind: 'rows',
      fault: () => `window_start >= window_end
        OR epoch_ms(window_end) - epoch_ms(window_start) <> window_duration_minutes * 60000
        OR epoch_ms(window_start) % (window_duration_minutes * 60000) <> 0`,
    },
  },
  {
    ...features,
    id: 'E3.2',
    check: 'readings, shares between 0 and 1, min <= mean <= max, finite',
    severity: 'FAIL',
    judgedBy: { kind: 'rows', fault: featureFault },
  },
  {
    ...features,
    id: 'E3.3',
    check: 'at most 1 % of values lie outside the 0.1 to 99.9 percentile of training',
    severity: 'WARN',
    limit: 0.01,
    minRows: 20,
    judgedBy: { kind: 'history' },
  },
  {
    ...features,
    id: 'E3.4',
    check: 'at most 1 % of windows hold a value beyond 10 IQR of training; kept and scored',
    severity: 'WARN',
    limit: 0.01,
    minRows: 20,
    judgedBy: { kind: 'history' },
  },
  {
    ...features,
    id: 'E3.5',
    check: 'windows hold half of the readings they should',
    severity: 'WARN',
    limit: 0.2,
    minRows: 5,
    judgedBy: {
      kind: 'rows',
      fault: () => 'reading_count * interval_s < 0.5 * window_duration_minutes * 60',
    },
  },
  {
    ...features,
    id: 'E3.6',
    check: 'windows have at least 80 % of their sensors',
    severity: 'WARN',
    limit: 0.5,
    minRows: 5,
    judgedBy: { kind: 'rows', fault: () => 'sensor_completeness < 0.8' },
  },
  {
    id: 'E3.7',
    contract: 'C3.5',
    table: 'training_data',
    check: 'windows end before the label buffer, lengths agree, completeness is at least 0.5',
    severity: 'FAIL',
    judgedBy: { kind: 'writer', writer: 'training-set assembly' },
  },
]

const serving: readonly Expectation[] = [
  {
    id: 'E4.1',
    contract: 'C4',
    table: 'model_input',
    check: 'no null in the input, names as the model has them',
    severity: 'FAIL',
    judgedBy: { kind: 'writer', writer: 'scoring' },
  },
  {
    id: 'E4.2',
    contract: 'C4',
    table: 'model_input',
    check: 'completeness is at least the limit of the model',
    severity: 'ROW',
    judgedBy: { kind: 'writer', writer: 'scoring' },
  },
  {
    id: 'E5.1',
    contract: 'C5',
    table: 'model_scores',
    check: 'score between 0 and 1, flag = score above threshold',
    severity: 'FAIL',
    judgedBy: {
      kind: 'rows',
      fault: () =>
        'anomaly_score IS NULL OR anomaly_score NOT BETWEEN 0 AND 1 OR anomaly_flag <> (anomaly_score > threshold_used)',
    },
  },
  {
    id: 'E5.2',
    contract: 'C5',
    table: 'model_scores',
    check: 'the model has a name and a version; scored after the window ended',
    severity: 'FAIL',
    judgedBy: {
      kind: 'rows',
      fault: () => 'model_id IS NULL OR model_version IS NULL OR scored_at < window_end',
    },
  },
  {
    id: 'E5.3',
    contract: 'C5',
    table: 'model_scores',
    check: 'at least 99 % of devices with a window are scored',
    severity: 'WARN',
    limit: 0.01,
    minRows: 5,
    judgedBy: { kind: 'history' },
  },
  {
    id: 'E6.1',
    contract: 'C6',
    table: 'device_alerts',
    check: 'severity and status are known, site set, deadline after creation',
    severity: 'FAIL',
    judgedBy: {
      kind: 'rows',
      fault:
        () => `severity NOT IN (${texts(severities)}) OR status NOT IN (${texts(alertStatuses)})
        OR site_id IS NULL OR sla_deadline <= alert_created_at`,
    },
  },
  {
    id: 'E7.1',
    contract: 'C7',
    table: 'label_events',
    check: 'confidence between 0 and 1, kind and source are known',
    severity: 'FAIL',
    judgedBy: {
      kind: 'rows',
      fault: () =>
        'label_confidence NOT BETWEEN 0 AND 1 OR label_type IS NULL OR label_source IS NULL',
    },
  },
]

/** Watched beside CON-41. */
const monitors: readonly Expectation[] = [
  {
    ...raw,
    id: 'ING-53',
    check: 'sensors are distributed as in the 30 days before',
    severity: 'WARN',
    judgedBy: { kind: 'writer', writer: 'distribution monitor' },
  },
  {
    ...clean,
    id: 'ING-45',
    check: 'no device clock is off by a time zone',
    severity: 'WARN',
    judgedBy: {
      kind: 'rows',
      fault: () => "list_contains(quality_flags, 'TIMEZONE_SUSPECT')",
    },
  },
  {
    ...clean,
    id: 'CON-42',
    check: 'at most 0.1 % of devices, and fewer than 5, fall silent for an hour',
    severity: 'WARN',
    limit: 0.001,
    judgedBy: { kind: 'writer', writer: 'dropout monitor' },
  },
]

/** Every expectation of CON-41 in its order, and what is watched beside them. */
export const allExpectations: readonly Expectation[] = [
  ...landing,
  ...cleansing,
  ...windows,
  ...serving,
  ...monitors,
]

/** The expectations with what a deployment changed about them. */
export function expectationsOf(changes: GateChanges): readonly Expectation[] {
  return allExpectations.map((expectation) => {
    const change = changes[expectation.id]
    if (change === undefined) return expectation
    const { hold, ...rest } = expectation
    const { severity, limit, holdLimit } = change
    return {
      ...rest,
      ...(severity !== undefined && { severity }),
      ...(limit !== undefined && { limit }),
      ...(hold !== undefined &&
        holdLimit !== null && { hold: { ...hold, limit: holdLimit ?? hold.limit } }),
    }
  })
}
