import { type FleetDefinition, quoteName } from '../contracts/index.ts'
import { sensorMask } from './sensor-mask.ts'
import { sqlText } from './sql-literal.ts'

/** What becomes of a source row; the first reason in CON-9 order counts. */
export type Fate = 'clean' | 'DEVICE_UNKNOWN' | 'SCHEMA_VERSION_UNKNOWN' | 'ALL_SENSORS_NULL'

/**
 * Temporary view `judged`: every source row with its device's registry entry as of the event time,
 * the set of sensors null as received, and its fate.
 * @param knownMajors schema versions whose meaning this release knows, as major numbers
 */
export function judgedView(fleet: FleetDefinition, knownMajors: readonly string[]): string {
  const majors = knownMajors.map(sqlText).join(', ')
  const allNull = 2n ** BigInt(fleet.sensors.length) - 1n
  const idle = fleet.idleBounds
  const isIdle =
    idle === undefined ? 'false' : `coalesce(${quoteName(idle.sensor)} < ${idle.below}, false)`
  return `CREATE OR REPLACE TEMP VIEW judged AS
    SELECT *, CASE
      WHEN registered_id IS NULL THEN 'DEVICE_UNKNOWN'
      WHEN schema_version IS NOT NULL AND split_part(schema_version, '.', 1) NOT IN (${majors})
        THEN 'SCHEMA_VERSION_UNKNOWN'
      WHEN (null_mask & ~bad_mask) = ${allNull} THEN 'ALL_SENSORS_NULL'
      ELSE 'clean' END AS fate
    FROM (
      SELECT source.*, registry.*, ${isIdle} AS is_idle,
        (${sensorMask(fleet, (column) => `source.${column} IS NULL`)})::BIGINT AS null_mask
      FROM source LEFT JOIN registry ON registered_id = source.device_id
        AND epoch_us(timestamp_utc) >= valid_from_us AND epoch_us(timestamp_utc) < valid_to_us)`
}

/** Rows per fate, to know which side tables are needed and to balance the books. */
export const fateCounts = 'SELECT fate, count(*)::DOUBLE AS row_count FROM judged GROUP BY fate'
