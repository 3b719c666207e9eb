import { type FleetDefinition, quoteName } from '../contracts/index.ts'
import { eventTimeSql, timeCodeSql } from './event-time.ts'
import { sensorMask } from './sensor-mask.ts'

/** Rows that go through the fold: narrow ones, and wide ones whose values the device calls bad. */
const foldsSql = '(is_narrow OR is_bad)'

/**
 * Temporary table `folded`: narrow rows of one device and instant as one row (CON-12). The row has
 * the id of its first part; of a sensor given twice the last value wins. Values marked bad are
 * nulled and remembered in `bad_mask`, for they were received.
 */
export function foldedTable(fleet: FleetDefinition): string {
  const order = 'log_generation::HUGEINT * 4611686018427387904 + log_offset'
  const first = ['timestamp_ingested', 'timestamp_available', 'sent_at', 'schema_version']
  const sensors = fleet.sensors.map(({ name }) => {
    const column = quoteName(name)
    return `arg_max(${column}, part) FILTER (NOT is_bad) AS ${column}`
  })
  const bad = sensorMask(
    fleet,
    (column) =>
      `bool_or(is_bad AND ${column} IS NOT NULL)
       AND count(${column}) FILTER (NOT is_bad) = 0`,
  )
  const hasValue = fleet.sensors.map(({ name }) => `${quoteName(name)} IS NOT NULL`).join(' OR ')
  return `CREATE OR REPLACE TEMP TABLE folded AS
    SELECT arg_min(event_id, part) AS event_id, device_id, timestamp_device,
      ${first.map((column) => `arg_min_null(${column}, part) AS ${column}`).join(', ')},
      ${sensors.join(', ')},
      arg_min(log_generation, part) AS log_generation,
      arg_min(log_partition, part) AS log_partition, arg_min(log_offset, part) AS log_offset,
      bool_or(has_copy) AS has_copy, (${bad})::BIGINT AS bad_mask,
      bool_or(is_bad AND (${hasValue})) AS has_bad_value,
      CASE WHEN count(*) > 1 THEN (list(event_id ORDER BY part))[2:] END AS merged_event_ids,
      count(*) AS part_count
    FROM (SELECT *, ${order} AS part FROM unique_arrivals WHERE ${foldsSql})
    GROUP BY device_id, timestamp_device, CASE WHEN is_narrow THEN '' ELSE event_id END`
}

/** Temporary view `source`: one row per future clean row, with its event time. */
export function sourceView(fleet: FleetDefinition, hasFolded: boolean): string {
  const columns = [
    'event_id',
    'device_id',
    'timestamp_device',
    'timestamp_ingested',
    'timestamp_available',
    'sent_at',
    'schema_version',
    ...fleet.sensors.map(({ name }) => quoteName(name)),
    'log_generation',
    'log_partition',
    'log_offset',
    'has_copy',
  ].join(', ')
  const wide = `SELECT ${columns}, 0::BIGINT AS bad_mask, false AS has_bad_value,
    NULL::VARCHAR[] AS merged_event_ids FROM unique_arrivals`
  const rows = hasFolded
    ? `${wide} WHERE NOT ${foldsSql} UNION ALL
       SELECT ${columns}, bad_mask, has_bad_value, merged_event_ids FROM folded`
    : wide
  return `CREATE OR REPLACE TEMP VIEW source AS
    SELECT *, ${eventTimeSql} AS timestamp_utc
    FROM (SELECT *, ${timeCodeSql} AS time_code FROM (
      SELECT *, epoch_us(timestamp_ingested) - epoch_us(timestamp_device) AS lateness_us
      FROM (${rows})))`
}
