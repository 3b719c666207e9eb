import { coordinates } from './arrivals.ts'
import { isZoneOff, offset, steps } from './zone-offset.ts'

/** Consecutive messages that make a zone suspect, ING-45. */
const runLength = 10
/**
 * Ten messages of a device on line arrive with one offset; a flushed buffer without `sent_at` moves by
 * its reporting interval from message to message (decided).
 */
const jitterUs = 2 * 60 * 1_000_000

const keys = coordinates.join(', ')

/**
 * Temporary table `zone_suspects`: messages of the batch that are at least the tenth in a row with the
 * same non-zero multiple of a quarter of an hour between arrival and device time (ING-45).
 * @param earlier view of the same columns with what arrived shortly before the batch
 */
export function zoneSuspects(earlier: string | undefined): readonly string[] {
  const columns = `device_id, timestamp_device, timestamp_ingested, sent_at, ${keys}`
  const before =
    earlier === undefined
      ? ''
      : `UNION ALL SELECT ${columns}, false FROM ${earlier}
         WHERE device_id IN (SELECT device_id FROM zone_devices)`
  return [
    `CREATE OR REPLACE TEMP TABLE zone_devices AS
      SELECT DISTINCT device_id FROM arrivals WHERE ${isZoneOff}`,
    `CREATE OR REPLACE TEMP TABLE zone_suspects AS
      WITH seen AS (
        SELECT ${columns}, true AS is_new FROM arrivals
        WHERE device_id IN (SELECT device_id FROM zone_devices) ${before}),
      zoned AS (
        SELECT *, ${offset} AS offset_us, CASE WHEN ${isZoneOff} THEN ${steps} ELSE 0 END AS zone,
          row_number() OVER (PARTITION BY device_id ORDER BY log_generation, log_offset) AS place
        FROM seen),
      runs AS (
        SELECT *, place - row_number() OVER (PARTITION BY device_id, zone
          ORDER BY log_generation, log_offset) AS run FROM zoned),
      counted AS (
        SELECT *, row_number() OVER same_run AS nth,
          max(offset_us) OVER last_ten - min(offset_us) OVER last_ten AS jitter_us
        FROM runs
        WINDOW same_run AS (PARTITION BY device_id, zone, run ORDER BY place),
          last_ten AS (PARTITION BY device_id, zone, run ORDER BY place
            ROWS BETWEEN ${runLength - 1} PRECEDING AND CURRENT ROW))
      SELECT log_generation AS suspect_generation, log_partition AS suspect_partition,
        log_offset AS suspect_offset
      FROM counted
      WHERE zone <> 0 AND is_new AND nth >= ${runLength} AND jitter_us <= ${jitterUs}`,
  ]
}
