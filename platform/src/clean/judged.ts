import { type FleetDefinition, quoteName } from '../contracts/index.ts'
import { sensorMask } from './sensor-mask.ts'
import { sqlText } from './sql-literal.ts'

/** What becomes of a source row; the first reason in CON-9 order counts. */
export type Fate = 'clean' | 'DEVICE_UNKNOWN' | 'SCHEMA_VERSION_UNKNOWN' | 'ALL_SENSORS_NULL'

/**
 * Temporary table `judged`: every source row with what its registry entry as of the event time says,
 * the set of sensors null as received, and its fate. A table, because it is read several times.
 * @param knownMajors schema versions whose meaning this release knows, as major numbers
 */
export function judgedTable(fleet: FleetDefinition, knownMajors: readonly string[]): string {
  const majors = knownMajors.map(sqlText).join(', ')
  const allNull = 2n ** BigInt(fleet.sensors.length) - 1n
  const idle = fleet.idleBounds
  const isIdle =
    idle === undefined ? 'false' : `coalesce(${quoteName(idle.sensor)} < ${idle.below}, false)`
  return `CREATE OR REPLACE TEMP TABLE judged AS
    SELECT * EXCLUDE (schema_version, is_known), CASE
      WHEN NOT is_known THEN 'DEVICE_UNKNOWN'
      WHEN schema_version IS NOT NULL AND split_part(schema_version, '.', 1) NOT IN (${majors})
        THEN 'SCHEMA_VERSION_UNKNOWN'
      WHEN (null_mask & ~bad_mask) = ${allNull} THEN 'ALL_SENSORS_NULL'
      ELSE 'clean' END AS fate
    FROM (
      SELECT source.* EXCLUDE (sent_at, lateness_us),
        epoch_us(timestamp_utc) // ${24 * 3600 * 1_000_000} AS utc_day,
        registered_id IS NOT NULL AS is_known, equipment_class, is_gauge, expected_mask, gap_us,
        firmware_version, ${isIdle} AS is_idle,
        (${sensorMask(fleet, (column) => `source.${column} IS NULL`)})::BIGINT AS null_mask
      FROM source LEFT JOIN registry ON registered_id = source.device_id
        AND epoch_us(timestamp_utc) >= valid_from_us AND epoch_us(timestamp_utc) < valid_to_us)`
}

/** Rows per fate, to know which side tables are needed and to balance the books. */
export const fateCounts = 'SELECT fate, count(*)::DOUBLE AS row_count FROM judged GROUP BY fate'
