import { sqlText } from '../clean/index.ts'
import { quoteName } from '../contracts/index.ts'
import { type HistorySource, statesIn } from './history-source.ts'
import type { WindowSpan } from './known-windows.ts'

/** What decides which rows are in a training set and under which label; instants in epoch ms. */
export type TrainingRule = {
  /** Window starts, half-open. */
  readonly span: WindowSpan
  /** Windows end by then, FEA-16. */
  readonly cutMs: number
  /** Readings that arrived and labels recorded by then count, nothing later. */
  readonly asOfMs: number
  readonly bufferHours: number
  readonly maxAgeHours: number
  readonly minCompleteness: number
}

/** CON-24: label of an event; planned maintenance has none and only excludes. */
const labelSql = `CASE label_type WHEN 'failure_confirmed' THEN 'pre_failure'
  WHEN 'normal_operation' THEN 'normal' ELSE label_type END`

const sourceSql = `CASE label_source WHEN 'maintenance_system' THEN 'maintenance_record'
  WHEN 'operator_feedback' THEN 'pseudo_label' WHEN 'automated_heuristic' THEN 'heuristic'
  ELSE label_source END`

const instant = (ms: number) => `make_timestamptz(${Math.floor(ms * 1000)})`
const hours = (count: number) => `to_microseconds(${Math.round(count * 3_600_000_000)})`

/** Labels that were recorded in time and not taken back; the best of those for one instant. */
function labelsSql(labels: string, asOfMs: number): string {
  return `recorded AS (SELECT * FROM ${labels} WHERE labeled_at <= ${instant(asOfMs)}),
    standing AS (SELECT *, label_type = 'planned_maintenance' AS is_maintenance FROM recorded
      ANTI JOIN (SELECT supersedes_label_id AS label_id FROM recorded
        WHERE supersedes_label_id IS NOT NULL) AS superseded USING (label_id)),
    judged_events AS (SELECT device_id, event_timestamp, ${labelSql} AS label,
        ${sourceSql} AS label_source, label_confidence
      FROM standing WHERE NOT is_maintenance
      QUALIFY row_number() OVER (PARTITION BY device_id, event_timestamp
        ORDER BY label_confidence DESC, labeled_at DESC, label_id) = 1)`
}

/**
 * SELECT of every window of the span with the state that may be used and a reason if it may not:
 * `in_buffer`, `event_inside`, `maintenance`, `unknown_then` or `low_completeness` (CON-23).
 * A labelled window is taken as it was known a buffer before the event, others as of the set.
 */
export function judgedWindows(source: HistorySource, labels: string, rule: TrainingRule): string {
  const { bufferHours, maxAgeHours, asOfMs, cutMs } = rule
  const limit = `event.event_timestamp - ${hours(bufferHours)}`
  return `WITH ${labelsSql(labels, asOfMs)},
    states AS MATERIALIZED (SELECT * FROM ${statesIn(source, rule.span)}
      WHERE known_from <= ${instant(asOfMs)} AND window_end <= ${instant(cutMs)}),
    windows AS (SELECT DISTINCT device_id, window_start, window_end FROM states),
    matched AS (SELECT windows.*, event.label, event.label_source, event.event_timestamp,
        event.label_confidence,
        event.event_timestamp IS NOT NULL AND windows.window_end >= ${limit} AS in_buffer,
        event.event_timestamp IS NOT NULL AND windows.window_end < ${limit}
          AND windows.window_end >= ${limit} - ${hours(maxAgeHours)} AS is_labelled
      FROM windows ASOF LEFT JOIN judged_events AS event
        ON windows.device_id = event.device_id AND windows.window_end <= event.event_timestamp),
    events_inside AS (SELECT windows.device_id, windows.window_start,
        bool_or(is_maintenance) AS has_maintenance, bool_or(NOT is_maintenance) AS has_event
      FROM windows JOIN standing ON standing.device_id = windows.device_id
        AND standing.event_timestamp >= windows.window_start
        AND standing.event_timestamp < windows.window_end
      GROUP BY ALL),
    timed AS (SELECT matched.*, coalesce(has_maintenance, false) AS has_maintenance,
        coalesce(has_event, false) AS has_event,
        CASE WHEN is_labelled THEN least(event_timestamp - ${hours(bufferHours)}, ${instant(asOfMs)})
          ELSE ${instant(asOfMs)} END AS usable_until
      FROM matched LEFT JOIN events_inside USING (device_id, window_start)),
    chosen AS (SELECT states.* FROM states
      JOIN timed USING (device_id, window_start) WHERE states.known_from <= timed.usable_until
      QUALIFY row_number() OVER (
        PARTITION BY states.device_id, states.window_start ORDER BY states.known_from DESC) = 1)
    SELECT timed.device_id, timed.window_start, timed.window_end, timed.is_labelled, timed.label,
      timed.label_source, timed.event_timestamp, timed.label_confidence, timed.usable_until,
      chosen.* EXCLUDE (device_id, window_start, window_end),
      CASE WHEN has_maintenance THEN 'maintenance' WHEN has_event THEN 'event_inside'
        WHEN in_buffer THEN 'in_buffer' WHEN chosen.known_from IS NULL THEN 'unknown_then'
        WHEN chosen.sensor_completeness < ${rule.minCompleteness} THEN 'low_completeness'
      END AS exclusion
    FROM timed LEFT JOIN chosen USING (device_id, window_start)`
}

/** SELECT of training rows with the columns of contract 3.5 from a table of judged windows. */
export function trainingRowsQuery(
  judged: string,
  rule: TrainingRule,
  set: {
    readonly durationMinutes: number
    readonly featureNames: readonly string[]
    readonly snapshotId: string
    readonly labelSnapshotId: string
  },
): string {
  const whenLabelled = (column: string) => `CASE WHEN is_labelled THEN ${column} END`
  return `SELECT device_id, window_start, window_end,
      ${set.durationMinutes}::INTEGER AS window_duration_minutes,
      [${set.featureNames.map((name) => `${quoteName(name)}::DOUBLE`).join(', ')}] AS feature_vector,
      [${set.featureNames.map(sqlText).join(', ')}] AS feature_names,
      ${whenLabelled('label')} AS label, ${whenLabelled('label_source')} AS label_source,
      ${whenLabelled('event_timestamp')} AS label_timestamp,
      ${Math.round(rule.bufferHours)}::INTEGER AS label_delay_buffer_hours,
      ${sqlText(set.snapshotId)} AS snapshot_id, sensor_completeness,
      ${instant(rule.asOfMs)} AS assembled_at, ${sqlText(set.labelSnapshotId)} AS label_snapshot_id,
      ${whenLabelled('label_confidence')} AS label_confidence, known_from
    FROM ${judged} WHERE exclusion IS NULL ORDER BY device_id, window_start`
}

/** SQL condition that is true for a row that breaks contract 3.5; E3.7. */
export function brokenRule(rule: TrainingRule): string {
  const limit = `label_timestamp - ${hours(rule.bufferHours)}`
  return `len(feature_vector) <> len(feature_names)
    OR NOT sensor_completeness >= ${rule.minCompleteness}
    OR window_end > ${instant(rule.cutMs)} OR known_from > ${instant(rule.asOfMs)}
    OR (label IS NOT NULL AND NOT (window_end < ${limit}
      AND window_end >= ${limit} - ${hours(rule.maxAgeHours)} AND known_from <= ${limit}))`
}
