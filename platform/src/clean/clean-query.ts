import {
  type FleetDefinition,
  type QualityFlag,
  qualityFlags,
  quoteName,
} from '../contracts/index.ts'
import { eventTimeFaultSql, timeCodes } from './event-time.ts'
import { sensorBit, sensorMask } from './sensor-mask.ts'
import { correctedSql, plausibleSql } from './sensor-range.ts'
import { sqlText } from './sql-literal.ts'

/** Which judged rows to write out, and what of the past is known about them. */
export type CleanSelection = {
  /** SQL condition on `judged`. */
  readonly where: string
  /** False for quarantined rows: no gap flags without a device. */
  readonly hasMemory: boolean
  /** True when the table `zone_suspects` has rows. Default false. */
  readonly hasZoneSuspects?: boolean
  /** False for rows set aside: there the checks E2.3 to E2.5 hold nothing up. Default true. */
  readonly isChecked?: boolean
  /** Columns to carry along besides those of the clean table. */
  readonly extraColumns?: readonly string[]
}

const present = (items: readonly string[]) =>
  `list_filter([${items.join(', ')}], lambda item: item IS NOT NULL)`

/** Judged rows with corrected values; `gap_mask` holds sensors that should have reported. */
function correctedRows(fleet: FleetDefinition, selection: CleanSelection): string {
  const { where, hasMemory, hasZoneSuspects = false } = selection
  const values = fleet.sensors.map(
    (sensor) => `${correctedSql(fleet, sensor)} AS ${quoteName(sensor.name)}`,
  )
  const firstMask = fleet.sensors
    .map(
      (_, index) =>
        `CASE WHEN first_${index} < epoch_us(timestamp_utc) THEN ${sensorBit(index)} ELSE 0 END`,
    )
    .join(' + ')
  const gap = hasMemory
    ? `null_mask & ~bad_mask & expected_mask & (known_mask | (${firstMask})::BIGINT)`
    : '0::BIGINT'
  const joins = hasMemory
    ? `JOIN remembered ON remembered_id = device_id AND remembered_day = utc_day
       LEFT JOIN first_reports ON first_id = device_id AND first_day = utc_day
       LEFT JOIN (SELECT DISTINCT * FROM reading_gaps)
         ON gap_id = device_id AND gap_end_us = epoch_us(timestamp_utc)`
    : ''
  const zones = hasZoneSuspects
    ? `LEFT JOIN zone_suspects ON suspect_offset = log_offset
       AND suspect_generation = log_generation AND suspect_partition = log_partition`
    : ''
  return `SELECT * REPLACE (${values.join(', ')}), ${gap} AS gap_mask,
      ${hasMemory ? 'gap_id IS NOT NULL' : 'false'} AS ends_gap,
      ${hasZoneSuspects ? 'suspect_offset IS NOT NULL' : 'false'} AS is_zone_suspect
    FROM judged ${joins} ${zones} WHERE ${where}`
}

function suspectSql(fleet: FleetDefinition): string {
  const tests = fleet.sensors
    .filter(({ suspectBelow }) => suspectBelow !== undefined)
    .map(({ name, suspectBelow }) => `coalesce(${quoteName(name)} < ${suspectBelow}, false)`)
  return tests.length === 0 ? 'false' : tests.join(' OR ')
}

const flagConditions: Readonly<Record<QualityFlag, string>> = {
  RANGE_VIOLATION: 'violation_mask <> 0',
  CLOCK_DRIFT: `time_code = ${timeCodes.CLOCK_DRIFT}`,
  DUPLICATE_REMOVED: 'has_copy',
  SENSOR_GAP: 'gap_mask <> 0',
  DEVICE_UNKNOWN: "fate = 'DEVICE_UNKNOWN'",
  READING_GAP: 'ends_gap',
  LATE_ARRIVAL: `time_code = ${timeCodes.LATE_ARRIVAL}`,
  CLOCK_AHEAD: `time_code = ${timeCodes.CLOCK_AHEAD}`,
  TIMEZONE_SUSPECT: 'is_zone_suspect',
  SUSPECT_VALUE: 'is_suspect',
  DEVICE_BAD_QUALITY: 'has_bad_value',
}

/** List of flags; the list is built only for the few rows that have any. */
function flagList(): string {
  const cases = qualityFlags.map((flag) => `CASE WHEN ${flagConditions[flag]} THEN '${flag}' END`)
  const any = qualityFlags.map((flag) => `coalesce(${flagConditions[flag]}, false)`).join(' OR ')
  return `CASE WHEN ${any} THEN ${present(cases)} ELSE []::VARCHAR[] END`
}

/**
 * SELECT of rows of the clean table (CON-9 from the time step on). Checks E2.3 to E2.5 are part of
 * the query: a row that fails one raises an error, and nothing is committed.
 */
export function cleanQuery(fleet: FleetDefinition, selection: CleanSelection): string {
  const columns = fleet.sensors.map(({ name }) => quoteName(name))
  const violation = sensorMask(fleet, (column, index) => {
    const sensor = fleet.sensors[index]
    if (sensor === undefined || sensor.kind === 'boolean') return 'false'
    return `${column} IS NOT NULL AND NOT ${plausibleSql(fleet, sensor, column)}`
  })
  const kept = columns.map(
    (column, index) =>
      `CASE WHEN violation_mask & ${sensorBit(index)} = 0 THEN ${column} END AS ${column}`,
  )
  const violated = fleet.sensors.map(
    ({ name }, index) =>
      `CASE WHEN violation_mask & ${sensorBit(index)} <> 0 THEN ${sqlText(name)} END`,
  )
  return `SELECT event_id, device_id, timestamp_utc, ${columns.join(', ')},
      ${flagList()} AS quality_flags, sensor_null_count::INTEGER AS sensor_null_count,
      timestamp_ingested, timestamp_available,
      CASE WHEN violation_mask <> 0 THEN ${present(violated)} END AS range_violation_sensors,
      merged_event_ids, ${selection.isChecked === false ? dateSql : checkedDate(fleet)} AS date
      ${(selection.extraColumns ?? []).map((column) => `, ${column}`).join('')}
    FROM (SELECT *, (${suspectSql(fleet)}) AS is_suspect FROM (
      SELECT * REPLACE (${kept.join(', ')}),
        bit_count(null_mask | violation_mask) AS sensor_null_count
      FROM (SELECT *, (${violation})::BIGINT AS violation_mask
        FROM (${correctedRows(fleet, selection)}))))`
}

/** The UTC date of a row. */
const dateSql = "(DATE '1970-01-01' + utc_day::INTEGER)::VARCHAR"

/** The UTC date of a row, or an error that names the check it fails. */
function checkedDate(fleet: FleetDefinition): string {
  const outside = fleet.sensors
    .filter(({ kind }) => kind !== 'boolean')
    .map((sensor) => `NOT ${plausibleSql(fleet, sensor, quoteName(sensor.name))}`)
  const nulls = fleet.sensors.map(({ name }) => `(${quoteName(name)} IS NULL)::INTEGER`).join(' + ')
  const failure = (check: string) =>
    `error('clean_sensor_readings: check ${check} fails for event ' || event_id || ' of device ' ||
      device_id || ' at ' || timestamp_utc::VARCHAR)`
  return `CASE
    WHEN ${eventTimeFaultSql} THEN ${failure('E2.3 (event time near arrival)')}
    WHEN ${outside.length === 0 ? 'false' : outside.join(' OR ')}
      THEN ${failure('E2.4 (values in range)')}
    WHEN sensor_null_count <> ${nulls} THEN ${failure('E2.5 (null count)')}
    ELSE ${dateSql} END`
}
