import { type FleetDefinition, quoteName } from '../contracts/index.ts'
import { sensorMask } from './sensor-mask.ts'
import { sqlText } from './sql-literal.ts'

/** What becomes of a source row; the first reason in CON-9 order counts. */
export type Fate =
  | 'clean'
  | 'DEVICE_UNKNOWN'
  | 'SCHEMA_VERSION_UNKNOWN'
  | 'ALL_SENSORS_NULL'
  | 'GATE_FAILED'

/**
 * Temporary table `messages`: the source rows with the set of sensors null as received. A table,
 * because they are read several times and because the planner then knows how many there are; of
 * Parquet files under a declared schema it does not, and builds joins on the wrong side.
 * @param knownMajors schema versions whose meaning this release knows, as major numbers
 */
export function messagesTable(fleet: FleetDefinition, knownMajors: readonly string[]): string {
  const majors = knownMajors.map(sqlText).join(', ')
  const idle = fleet.idleBounds
  const isIdle =
    idle === undefined ? 'false' : `coalesce(${quoteName(idle.sensor)} < ${idle.below}, false)`
  return `CREATE OR REPLACE TEMP TABLE messages AS
    SELECT * EXCLUDE (sent_at, lateness_us, schema_version),
      coalesce(split_part(schema_version, '.', 1) IN (${majors}), true) AS is_schema_known,
      epoch_us(timestamp_utc) // ${24 * 3600 * 1_000_000} AS utc_day, ${isIdle} AS is_idle,
      (${sensorMask(fleet, (column) => `${column} IS NULL`)})::BIGINT AS null_mask
    FROM source`
}

/**
 * Temporary view `judged`: every message with what its registry entry as of the event time says, and
 * its fate.
 * @param isVersioned whether the registry has several versions of a device
 * @param heldSlices numbers of the slices that a gate holds back
 */
export function judgedView(
  fleet: FleetDefinition,
  isVersioned: boolean,
  heldSlices: readonly number[] = [],
): string {
  const allNull = 2n ** BigInt(fleet.sensors.length) - 1n
  const asOf = isVersioned
    ? 'AND epoch_us(timestamp_utc) >= valid_from_us AND epoch_us(timestamp_utc) < valid_to_us'
    : ''
  const held =
    heldSlices.length === 0 ? '' : `WHEN slice IN (${heldSlices.join(', ')}) THEN 'GATE_FAILED'`
  return `CREATE OR REPLACE TEMP VIEW judged AS
    SELECT messages.*, equipment_class, is_gauge, expected_mask, gap_us, firmware_version, slice,
      CASE
        WHEN registered_id IS NULL THEN 'DEVICE_UNKNOWN'
        WHEN NOT is_schema_known THEN 'SCHEMA_VERSION_UNKNOWN'
        WHEN (null_mask & ~bad_mask) = ${allNull} THEN 'ALL_SENSORS_NULL'
        ${held}
        ELSE 'clean' END AS fate
    FROM messages LEFT JOIN registry ON registered_id = messages.device_id ${asOf}`
}

/** Rows per fate and slice with the figures gates ask for, in one pass over `judged`. */
export function fateCounts(figures: readonly string[]): string {
  return `SELECT fate, coalesce(slice, -1) AS slice_index, count(*)::DOUBLE AS row_count
      ${figures.map((figure) => `, (${figure})::DOUBLE`).join('')}
    FROM judged GROUP BY fate, slice`
}
