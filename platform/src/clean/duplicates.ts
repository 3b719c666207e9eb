import { coordinates } from './arrivals.ts'

const keys = coordinates.join(', ')

/**
 * Ids that occur more than once. Grouping 8-byte hashes is cheaper than grouping ids of 36
 * characters; the candidates are then compared exactly.
 */
const repeatedIn = (relation: string) => `SELECT event_id FROM ${relation}
  WHERE hash(event_id) IN (SELECT id_hash FROM (SELECT hash(event_id) AS id_hash FROM ${relation})
    GROUP BY id_hash HAVING count(*) > 1)
  GROUP BY event_id HAVING count(*) > 1`

/** Temporary table `repeated`: ids that occur more than once in the batch. */
export const repeatedIds = `CREATE OR REPLACE TEMP TABLE repeated AS ${repeatedIn('arrivals')}`

/** Number of ids that would repeat in the clean table after removal and folding, E2.1. */
export const repeatedCount = `SELECT count(*)::DOUBLE FROM (${repeatedIn('messages')})`

/**
 * Temporary table `known`: ids of the batch that the clean table already has, folded-in ones too.
 * @param cleanRelation the clean files that may hold them, or undefined for none
 */
export function knownIds(cleanRelation: string | undefined): string {
  const stored =
    cleanRelation === undefined
      ? ''
      : `SELECT event_id FROM ${cleanRelation} UNION ALL
         SELECT unnest(merged_event_ids) FROM ${cleanRelation} WHERE merged_event_ids IS NOT NULL
         UNION ALL`
  return `CREATE OR REPLACE TEMP TABLE known AS
    SELECT DISTINCT event_id FROM (${stored} SELECT event_id FROM drifted_ids)
    WHERE event_id IN (SELECT event_id FROM arrivals)`
}

/**
 * Temporary table `removed`: all but the first copy of a repeated id by log order, and every copy of
 * an id the clean table has (CON-10). Removal comes before folding, so that a copy of a narrow row
 * cannot come back inside a folded row.
 */
export const removedRows = `CREATE OR REPLACE TEMP TABLE removed AS
  SELECT event_id, device_id, timestamp_ingested, timestamp_available, ${keys} FROM (
    SELECT *, row_number() OVER (PARTITION BY event_id ORDER BY log_generation, log_offset,
      log_partition) AS copy
    FROM arrivals
    WHERE event_id IN (SELECT event_id FROM repeated UNION ALL SELECT event_id FROM known))
  WHERE copy > 1 OR event_id IN (SELECT event_id FROM known)`

/** Temporary view `unique_arrivals`: the batch without removed rows. */
export function uniqueArrivals(hasRemovals: boolean): string {
  const rest = hasRemovals
    ? `SELECT *, event_id IN (SELECT event_id FROM repeated) AS has_copy
       FROM arrivals ANTI JOIN removed USING (${keys})`
    : 'SELECT *, false AS has_copy FROM arrivals'
  return `CREATE OR REPLACE TEMP VIEW unique_arrivals AS ${rest}`
}

/** Rows for `removed_duplicates`. Nothing from the clock of the run, so that a repeat is equal. */
export const removedDuplicatesQuery = `
  SELECT event_id, device_id, log_offset AS _sequence_number,
    log_partition::INTEGER AS _partition_id, timestamp_ingested,
    coalesce(timestamp_available, timestamp_ingested) AS removed_at
  FROM removed`
