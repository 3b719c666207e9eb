import { type FleetDefinition, type LogSlice, quoteName, type Sensor } from '../contracts/index.ts'

/**
 * Columns of a log line for `read_ndjson`. Declared, never detected: a record that does not fit
 * fails the read instead of turning into nulls, and the gateway lets only fitting ones be `p`.
 */
function lineColumns(fleet: FleetDefinition): string {
  const readings = fleet.sensors
    .map(({ name, kind }) => `${quoteName(name)} ${kind === 'boolean' ? 'BOOLEAN' : 'DOUBLE'}`)
    .join(', ')
  const payload =
    `STRUCT(device_id VARCHAR, "timestamp" VARCHAR, readings STRUCT(${readings}), ` +
    'schema_version VARCHAR, sent_at VARCHAR, sensor_type VARCHAR, "value" JSON, ' +
    'unit VARCHAR, quality VARCHAR)'
  const columns: readonly (readonly [string, string])[] = [
    ['o', 'BIGINT'],
    ['t', 'BIGINT'],
    ['d', 'VARCHAR'],
    ['e', 'VARCHAR'],
    ['a', 'VARCHAR'],
    ['f', 'VARCHAR'],
    ['s', 'BIGINT'],
    ['u', 'VARCHAR'],
    ['x', 'VARCHAR'],
    ['xd', 'VARCHAR'],
    ['b', 'VARCHAR'],
    ['p', payload],
  ]
  return `{${columns.map(([name, type]) => `${name}: '${type}'`).join(', ')}}`
}

/** FROM clause over the records of a slice. Files may hold more; `o` is cut to the bounds. */
function linesOf(fleet: FleetDefinition, slice: LogSlice): string {
  const paths = slice.paths.map((path) => `'${path.replaceAll("'", "''")}'`).join(', ')
  return (
    `(SELECT * FROM read_ndjson([${paths}], columns = ${lineColumns(fleet)}, ` +
    `format = 'newline_delimited', maximum_object_size = 2097152) ` +
    `WHERE o >= ${slice.startOffset} AND o < ${slice.endOffset})`
  )
}

function sensorValue(sensor: Sensor): string {
  const wide = `p.readings.${quoteName(sensor.name)}`
  const narrow = `(p."value"->>'$')`
  const typed =
    sensor.kind === 'boolean' ? `${narrow} IN ('true', '1')` : `TRY_CAST(${narrow} AS DOUBLE)`
  return (
    `CASE WHEN f = 'n' THEN CASE WHEN p.sensor_type = '${sensor.name}' THEN ${typed} END ` +
    `ELSE ${wide} END AS ${quoteName(sensor.name)}`
  )
}

/** Where a slice sits in the log and when its commit is published. */
export type LandingCoordinates = {
  readonly generation: number
  /** Publish instant of the commit, ING-31, epoch ms. */
  readonly availableMs: number
}

/** SELECT of landing rows (contract 1) from the readable records of a slice. */
export function landingQuery(
  fleet: FleetDefinition,
  slice: LogSlice,
  { generation, availableMs }: LandingCoordinates,
): string {
  return `
    SELECT e AS event_id, d AS device_id,
      make_timestamptz(s * 1000) AS timestamp_device,
      make_timestamptz(t * 1000) AS timestamp_ingested,
      ${fleet.sensors.map(sensorValue).join(',\n      ')},
      d AS _partition_key, o AS _sequence_number,
      make_timestamptz(${availableMs} * 1000) AS timestamp_available,
      p."timestamp" AS timestamp_device_raw,
      TRY_CAST(p.sent_at AS TIMESTAMPTZ) AS sent_at,
      p.schema_version AS schema_version,
      u AS unmapped_fields,
      a AS message_properties,
      CASE f WHEN 'n' THEN 'narrow' ELSE 'wide' END AS message_format,
      p.quality AS device_quality,
      ${slice.partition}::INTEGER AS _partition_id,
      ${generation}::INTEGER AS _log_generation,
      strftime(make_timestamp(t * 1000), '%Y-%m-%d') AS ingest_date,
      hour(make_timestamp(t * 1000))::INTEGER AS ingest_hour
    FROM ${linesOf(fleet, slice)}
    WHERE x IS NULL`
}

/** SELECT of dead letters from the refused records of a slice, ING-23. */
export function deadLetterQuery(
  fleet: FleetDefinition,
  slice: LogSlice,
  { generation, availableMs }: LandingCoordinates,
): string {
  return `
    SELECT uuid_v5('${generation}' || chr(10) || '${slice.partition}' || chr(10) || o) AS dlq_id,
      'decode' AS stage, x AS reason_code, xd AS reason_detail, e AS event_id, nullif(d, '') AS device_id,
      NULL::VARCHAR AS firmware_version, ${generation}::INTEGER AS log_generation,
      ${slice.partition}::INTEGER AS partition_id, o AS sequence_number,
      make_timestamptz(t * 1000) AS timestamp_ingested,
      make_timestamptz(${availableMs} * 1000) AS dead_lettered_at,
      from_base64(b) AS payload, a AS message_properties, 'new' AS status, 0::INTEGER AS replay_count
    FROM ${linesOf(fleet, slice)}
    WHERE x IS NOT NULL`
}

/** Number of refused records in a slice, to balance the books before a commit. */
export function refusedCountQuery(fleet: FleetDefinition, slice: LogSlice): string {
  return `SELECT count(*) FROM ${linesOf(fleet, slice)} WHERE x IS NOT NULL`
}
