import type { FleetDefinition, TableContract } from 'isotherm/contracts'

/** Landing commits that the rows are spread over. */
export const versionCount = 8

/** Kinds of fault, besides `none`: what is wrong with a row and what must become of it. */
export const kinds = [
  'out_of_range',
  'repeat',
  'unknown_device',
  'unknown_schema',
  'all_null',
  'clock_drift',
  'clock_ahead',
  'late_flush',
  'sensor_gap',
  'silence',
  'suspect',
  'bad_quality',
] as const

/** A healthy cabinet, by sensor; a little movement is added to each number. */
const healthy: Readonly<Record<string, string>> = {
  temperature_evaporator: '-24.0',
  temperature_condenser: '38.0',
  temperature_ambient: '21.0',
  temperature_discharge: '78.0',
  temperature_suction: '-9.0',
  pressure_high_side: '1480.0',
  pressure_low_side: '190.0',
  current_compressor: '6.0',
  vibration_compressor: '2.5',
  humidity: '48.0',
  superheat: '7.0',
  subcooling: '5.0',
}

/**
 * Temporary table `plan`: a row per device and minute with the fault planted in it, chosen by a hash.
 * The first three rows of a device are clean. A device of the kind `late_flush` sends all its rows
 * two days late from its buffer; after a `silence` nine rows are missing.
 */
export function faultyRows(rowCount: number, startMs: number): string {
  const minutes = 1000
  const devices = Math.max(12, Math.round(rowCount / minutes))
  const rowKinds = kinds.filter((kind) => kind !== 'late_flush' && kind !== 'silence')
  const choice = rowKinds.map((kind, index) => `WHEN ${index} THEN '${kind}'`).join(' ')
  return `CREATE OR REPLACE TEMP TABLE plan AS
    WITH cells AS (
      SELECT d, m, hash(d * 100003 + m) % 1200 AS h, d % 50 = 7 AS is_flush
      FROM range(${devices}) AS devices(d), range(${minutes}) AS minutes(m)),
    silences AS (
      SELECT d, m FROM cells WHERE m > 20 AND m % 97 = 0 AND hash(d * 31 + m) % 40 = 0
        AND NOT is_flush),
    kept AS (
      SELECT cells.* FROM cells ANTI JOIN silences
        ON silences.d = cells.d AND cells.m >= silences.m AND cells.m < silences.m + 9)
    SELECT d, m, m * ${versionCount} // ${minutes} AS version, is_flush,
      CASE WHEN is_flush THEN 'late_flush' WHEN m < 3 THEN 'none'
        ELSE CASE h ${choice} ELSE 'none' END END AS kind,
      'e-' || d || '-' || m AS event_id,
      CASE WHEN kind = 'unknown_device' THEN 'ghost-' || d || '-' || m ELSE 'unit-' || d END
        AS device_id,
      make_timestamptz(${startMs}000 + m * 60000000) AS reading_time,
      (d * 7 + m * 13) % 100 / 100.0 AS wobble
    FROM kept`
}

/** Value of a numeric sensor as sent. */
function sentSql(name: string): string {
  const usual = `${healthy[name]} + wobble`
  const outside: Readonly<Record<string, string>> = {
    temperature_condenser: 'm % 3 = 0 THEN 95.0',
    pressure_low_side: 'm % 3 = 1 THEN 20.0',
    superheat: "m % 3 = 2 THEN 'nan'::DOUBLE",
  }
  const cases = [
    "WHEN kind = 'all_null' THEN NULL",
    ...(outside[name] === undefined ? [] : [`WHEN kind = 'out_of_range' AND ${outside[name]}`]),
    ...(name === 'humidity' ? ["WHEN kind = 'sensor_gap' THEN NULL"] : []),
    ...(name === 'subcooling' ? ["WHEN kind = 'suspect' THEN -2.5"] : []),
  ]
  return `CASE ${cases.join(' ')} ELSE ${usual} END`
}

/** What must be kept of it. */
function keptSql(name: string): string {
  const faulty: Readonly<Record<string, string>> = {
    temperature_condenser: "(kind = 'out_of_range' AND m % 3 = 0)",
    pressure_low_side: "(kind = 'out_of_range' AND m % 3 = 1)",
    superheat: "(kind = 'out_of_range' AND m % 3 = 2)",
  }
  const nulled = ["kind = 'bad_quality'", ...(faulty[name] === undefined ? [] : [faulty[name]])]
  return `CASE WHEN ${nulled.join(' OR ')} THEN NULL ELSE ${sentSql(name)} END`
}

/** SELECT of the landing rows of a commit, repeats included; half of them come a commit later. */
export function landingQuery(
  fleet: FleetDefinition,
  contract: TableContract,
  version: number,
): string {
  const sensors = fleet.sensors.map(({ name, kind }) =>
    kind === 'boolean'
      ? `CASE WHEN kind <> 'all_null' THEN false END AS ${name}`
      : `${sentSql(name)} AS ${name}`,
  )
  const rows = `SELECT *, reading_time AS read_at, false AS is_copy FROM plan WHERE version = ${version}
    UNION ALL
    SELECT *, reading_time, true FROM plan
    WHERE kind = 'repeat' AND version + (m % 2) = ${version}`
  const given = `SELECT event_id, device_id,
      read_at + CASE kind WHEN 'clock_drift' THEN INTERVAL 30 HOUR
        WHEN 'clock_ahead' THEN INTERVAL 20 MINUTE WHEN 'late_flush' THEN -INTERVAL 48 HOUR
        ELSE INTERVAL 0 SECOND END AS timestamp_device,
      read_at + INTERVAL 1 SECOND + CASE WHEN is_copy THEN INTERVAL 2 SECOND
        ELSE INTERVAL 0 SECOND END AS timestamp_ingested,
      ${sensors.join(', ')}, device_id AS _partition_key,
      (${version} * 10000000 + row_number() OVER (ORDER BY m, d, is_copy))::BIGINT
        AS _sequence_number,
      read_at + INTERVAL 1 MINUTE AS timestamp_available,
      CASE WHEN kind = 'late_flush' THEN read_at END AS sent_at,
      CASE WHEN kind = 'unknown_schema' THEN '9.4' ELSE '1.0' END AS schema_version,
      'wide' AS message_format,
      CASE WHEN kind = 'bad_quality' THEN 'bad' END AS device_quality,
      0 AS _partition_id, 0 AS _log_generation,
      strftime(read_at, '%Y-%m-%d') AS ingest_date, hour(read_at)::INTEGER AS ingest_hour
    FROM (${rows})`
  const names = new Set([
    ...fleet.sensors.map(({ name }) => name),
    ...[...given.matchAll(/ AS (\w+)|^SELECT (\w+), (\w+),/g)].flatMap((found) => found.slice(1)),
  ])
  const others = contract.columns.filter(({ name }) => !names.has(name))
  return `SELECT *, ${others.map(({ name }) => `NULL AS ${name}`).join(', ')} FROM (${given})`
}

/**
 * Temporary table `expected`: what must become of each planned row, told from the plan alone. Only a
 * silence is seen from the neighbours: a row more than 5 min after the one before.
 */
export function twinFlags(fleet: FleetDefinition): string {
  const kept = fleet.sensors.map(({ name, kind }) =>
    kind === 'boolean'
      ? `CASE WHEN kind NOT IN ('all_null', 'bad_quality') THEN false END AS kept_${name}`
      : `${keptSql(name)} AS kept_${name}`,
  )
  return `CREATE OR REPLACE TEMP TABLE expected AS
    SELECT * EXCLUDE (kind), CASE WHEN ends_silence AND kind = 'none' THEN 'silence' ELSE kind END AS kind,
      list_filter([
        CASE WHEN kind = 'out_of_range' THEN 'RANGE_VIOLATION' END,
        CASE WHEN kind = 'clock_drift' THEN 'CLOCK_DRIFT' END,
        CASE WHEN kind = 'repeat' AND m % 2 = 0 THEN 'DUPLICATE_REMOVED' END,
        CASE WHEN kind = 'sensor_gap' THEN 'SENSOR_GAP' END,
        CASE WHEN ends_silence THEN 'READING_GAP' END,
        CASE WHEN kind = 'late_flush' THEN 'LATE_ARRIVAL' END,
        CASE WHEN kind = 'clock_ahead' THEN 'CLOCK_AHEAD' END,
        CASE WHEN kind = 'suspect' THEN 'SUSPECT_VALUE' END,
        CASE WHEN kind = 'bad_quality' THEN 'DEVICE_BAD_QUALITY' END],
        lambda flag: flag IS NOT NULL) AS flags
    FROM (
      SELECT event_id, m, kind, fate, reason, copies, true_time, ${kept.join(', ')},
        fate = 'clean' AND coalesce(epoch_us(true_time) - epoch_us(lag(true_time)
          OVER (PARTITION BY device_id, fate ORDER BY true_time)) > 300000000, false)
          AS ends_silence
      FROM (SELECT *,
          CASE WHEN kind IN ('unknown_device', 'unknown_schema') THEN 'quarantine'
            WHEN kind = 'all_null' THEN 'letter' ELSE 'clean' END AS fate,
          CASE kind WHEN 'unknown_device' THEN 'DEVICE_UNKNOWN'
            WHEN 'unknown_schema' THEN 'SCHEMA_VERSION_UNKNOWN' END AS reason,
          CASE WHEN kind = 'repeat' AND version + m % 2 < ${versionCount} THEN 1 ELSE 0 END AS copies,
          CASE WHEN kind IN ('clock_drift', 'clock_ahead') THEN reading_time + INTERVAL 1 SECOND
            WHEN kind = 'late_flush' THEN reading_time - INTERVAL 48 HOUR
            ELSE reading_time END AS true_time
        FROM plan))`
}
