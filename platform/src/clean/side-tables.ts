import { type FleetDefinition, quoteName } from '../contracts/index.ts'
import { cleanQuery } from './clean-query.ts'
import { sqlText } from './sql-literal.ts'

/** When the batch was published: the time of the landing commit, so that a repeated run is equal. */
const publishedSql = 'coalesce(timestamp_available, timestamp_ingested)'

/** Bytes of a payload kept in a dead letter, ING-23. */
const maxPayloadBytes = 262_144

/** Rows for `quarantine_sensor_readings`, with the same range step as clean rows, ING-25. */
export function quarantineQuery(fleet: FleetDefinition, registryVersion: string): string {
  return `SELECT * EXCLUDE (fate), fate AS quarantine_reason, ${publishedSql} AS quarantined_at,
      NULL::TIMESTAMPTZ AS released_at, ${sqlText(registryVersion)} AS registry_version
    FROM (${cleanQuery(fleet, {
      where: "fate IN ('DEVICE_UNKNOWN', 'SCHEMA_VERSION_UNKNOWN', 'GATE_FAILED')",
      hasMemory: false,
      isChecked: false,
      extraColumns: ['fate'],
    })})`
}

/** Rows for `dead_letter_messages`: messages in which no sensor had a value, CON-9. */
export function allNullQuery(fleet: FleetDefinition): string {
  const payload = ['event_id', 'device_id', 'timestamp_device', 'timestamp_ingested']
    .concat(fleet.sensors.map(({ name }) => quoteName(name)))
    .join(', ')
  return `SELECT
      uuid_v5(log_generation || chr(10) || log_partition || chr(10) || log_offset) AS dlq_id,
      'cleansing' AS stage, 'ALL_SENSORS_NULL' AS reason_code,
      'no sensor of the message has a value' AS reason_detail, event_id, device_id,
      firmware_version, log_generation::INTEGER AS log_generation,
      log_partition::INTEGER AS partition_id, log_offset AS sequence_number, timestamp_ingested,
      ${publishedSql} AS dead_lettered_at,
      NULL::VARCHAR AS message_properties,
      encode(left(to_json(struct_pack(${payload}))::VARCHAR, ${maxPayloadBytes})) AS payload,
      'new' AS status, 0::INTEGER AS replay_count
    FROM judged WHERE fate = 'ALL_SENSORS_NULL'`
}
