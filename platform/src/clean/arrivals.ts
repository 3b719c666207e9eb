import { type FleetDefinition, quoteName } from '../contracts/index.ts'
import { mayBeZoneOff } from './zone-offset.ts'

/** Log coordinates of a landing row; they name it. */
export const coordinates = ['log_generation', 'log_partition', 'log_offset'] as const

/**
 * Temporary view `arrivals`: the landing rows of a batch under short names. Coordinates from before
 * their columns existed count as generation and partition 0.
 */
export function arrivalsView(fleet: FleetDefinition, relation: string, name = 'arrivals'): string {
  const sensors = fleet.sensors.map(({ name }) => quoteName(name)).join(', ')
  return `CREATE OR REPLACE TEMP VIEW ${name} AS
    SELECT event_id, device_id, timestamp_device, timestamp_ingested, timestamp_available, sent_at,
      schema_version, ${sensors},
      coalesce(_log_generation, 0) AS log_generation, coalesce(_partition_id, 0) AS log_partition,
      _sequence_number AS log_offset,
      coalesce(message_format = 'narrow', false) AS is_narrow,
      coalesce(device_quality = 'bad', false) AS is_bad
    FROM ${relation}`
}

/** What a batch holds, from one pass over its narrow columns. */
export const arrivalSummary = `
  SELECT count(*)::DOUBLE AS row_count,
    count_if(is_narrow OR is_bad)::DOUBLE AS folded_input_count,
    list(DISTINCT epoch_us(timestamp_device) // ${5 * 60 * 1_000_000})::DOUBLE[] AS buckets,
    count_if(${mayBeZoneOff})::DOUBLE AS zone_off_count
  FROM arrivals`

/** Width of the time buckets of `arrivalSummary`. */
export const bucketMs = 5 * 60 * 1000

/** Newest arrival per log partition: with the positions it tells how far cleansing has come. */
export const newestArrivals = `
  SELECT log_generation, log_partition, max(epoch_ms(timestamp_ingested))::DOUBLE AS newest_ms
  FROM arrivals GROUP BY ALL ORDER BY ALL`
