import { type FleetDefinition, quoteName } from '../contracts/index.ts'
import { sqlText } from './sql-literal.ts'

/** A sensor counts as reported by a device for this long, CON-8. */
const reportedDays = 30
/** Ids of rows whose clock was wrong are remembered for this long, CON-10. */
const driftDays = 8

const dayUs = 24 * 3600 * 1_000_000

function memoryColumns(fleet: FleetDefinition): readonly string[] {
  return fleet.sensors.map((_, index) => `last_${index}`)
}

/**
 * The empty memory: temporary tables `device_memory` (newest row and the last UTC day each sensor
 * was reported, per device) and `drifted_ids`. The memory is a function of the clean table alone, so
 * it may be thrown away at any time and rebuilt.
 */
export function emptyMemory(fleet: FleetDefinition): readonly string[] {
  const days = memoryColumns(fleet).map((name) => `${name} BIGINT`)
  return [
    `CREATE OR REPLACE TEMP TABLE device_memory (remembered_device VARCHAR, newest_us BIGINT,
      ${days.join(', ')})`,
    'CREATE OR REPLACE TEMP TABLE drifted_ids (event_id VARCHAR, ingested_us BIGINT)',
  ]
}

/**
 * Statements that add clean rows to the memory. A value nulled by the range check was reported all
 * the same; `range_violation_sensors` tells.
 */
export function advanceMemory(fleet: FleetDefinition, relation: string): readonly string[] {
  const day = `epoch_us(timestamp_utc) // ${dayUs}`
  const names = memoryColumns(fleet)
  const present = fleet.sensors.map(
    ({ name }, index) =>
      `max(CASE WHEN ${quoteName(name)} IS NOT NULL THEN ${day} END) AS last_${index}`,
  )
  const nulled = fleet.sensors.map(
    ({ name }, index) => `max(day) FILTER (sensor = ${sqlText(name)}) AS last_${index}`,
  )
  return [
    `CREATE OR REPLACE TEMP TABLE device_memory AS
      SELECT remembered_device, max(newest_us) AS newest_us,
        ${names.map((name) => `max(${name}) AS ${name}`).join(', ')}
      FROM (
        SELECT * FROM device_memory
        UNION ALL
        SELECT device_id, max(epoch_us(timestamp_utc)), ${present.join(', ')}
        FROM ${relation} GROUP BY device_id
        UNION ALL
        SELECT device_id, NULL, ${nulled.join(', ')} FROM (
          SELECT device_id, ${day} AS day, unnest(range_violation_sensors) AS sensor
          FROM ${relation} WHERE range_violation_sensors IS NOT NULL)
        GROUP BY device_id)
      GROUP BY remembered_device`,
    `INSERT INTO drifted_ids
      SELECT event_id, epoch_us(timestamp_ingested) FROM ${relation}
      WHERE len(quality_flags) > 0
        AND list_has_any(quality_flags, ['CLOCK_DRIFT', 'CLOCK_AHEAD'])`,
    `DELETE FROM drifted_ids
      WHERE ingested_us < (SELECT max(ingested_us) FROM drifted_ids) - ${driftDays * dayUs}`,
  ]
}

/**
 * Statements for the batch's own view of the past: temporary tables `remembered` (sensors known to
 * report, per device and UTC day), `first_reports` (sensors a device reports for the first time on
 * that day, with the instant) and `reading_gaps` (rows that end a silence). What a device reported
 * on earlier days of the batch counts as if it had come in an earlier batch.
 */
export function recallMemory(fleet: FleetDefinition): readonly string[] {
  const all = 2n ** BigInt(fleet.sensors.length) - 1n
  const fromMemory = fleet.sensors
    .map(
      (_, index) =>
        `CASE WHEN last_${index} >= utc_day - ${reportedDays} THEN ${2n ** BigInt(index)} ELSE 0 END`,
    )
    .join(' + ')
  const firsts = fleet.sensors.map(
    ({ name }, index) =>
      `min(CASE WHEN ${quoteName(name)} IS NOT NULL THEN epoch_us(timestamp_utc) END) AS first_${index}`,
  )
  return [
    `CREATE OR REPLACE TEMP TABLE reports AS
      SELECT device_id, utc_day, bit_or(${all} & ~null_mask) AS report_mask
      FROM judged WHERE fate = 'clean' GROUP BY ALL`,
    `CREATE OR REPLACE TEMP TABLE remembered AS
      SELECT device_id AS remembered_id, utc_day AS remembered_day,
        (${fromMemory})::BIGINT | coalesce(earlier_mask, 0) AS known_mask,
        report_mask & ~((${fromMemory})::BIGINT | coalesce(earlier_mask, 0)) AS new_mask
      FROM reports
      LEFT JOIN device_memory ON remembered_device = device_id
      LEFT JOIN (
        SELECT later.device_id, later.utc_day, bit_or(earlier.report_mask) AS earlier_mask
        FROM reports AS later JOIN reports AS earlier ON earlier.device_id = later.device_id
          AND earlier.utc_day < later.utc_day
          AND earlier.utc_day >= later.utc_day - ${reportedDays}
        GROUP BY ALL) USING (device_id, utc_day)`,
    `CREATE OR REPLACE TEMP TABLE first_reports AS
      SELECT device_id AS first_id, utc_day AS first_day, ${firsts.join(', ')}
      FROM judged JOIN remembered ON remembered_id = device_id AND remembered_day = utc_day
      WHERE fate = 'clean' AND new_mask <> 0 GROUP BY ALL`,
    `CREATE OR REPLACE TEMP TABLE reading_gaps AS
      SELECT device_id AS gap_id, time_us AS gap_end_us FROM (
        SELECT device_id, gap_us, time_us, newest_us,
          lag(time_us) OVER (PARTITION BY device_id ORDER BY time_us) AS previous_us
        FROM (SELECT device_id, gap_us, epoch_us(timestamp_utc) AS time_us FROM judged
          WHERE fate = 'clean')
        LEFT JOIN device_memory ON remembered_device = device_id)
      WHERE time_us - greatest(previous_us, newest_us) > gap_us`,
  ]
}
