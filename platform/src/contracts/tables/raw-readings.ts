import { type Column, extension, required, type TableContract } from '../column.ts'
import type { FleetDefinition } from '../fleet.ts'

/** The sensor columns of a fleet, CON-3, all nullable. */
export function sensorColumns(fleet: FleetDefinition): readonly Column[] {
  return fleet.sensors.map((sensor) => ({
    name: sensor.name,
    type: sensor.kind === 'boolean' ? 'boolean' : 'double',
    nullable: true,
    meaning: sensor.meaning,
    ...(sensor.unit === '' ? {} : { unit: sensor.unit }),
  }))
}

/** Contract 1, landing: what was received, untransformed, append only (CON-5, CON-6). */
export function rawReadings(fleet: FleetDefinition): TableContract {
  return {
    name: 'raw_sensor_readings',
    id: 'C1',
    version: '1.1.0',
    purpose: 'What was received: append only, untransformed, duplicates allowed',
    columns: [
      required('event_id', 'string', 'Deterministic UUID of the message, ING-10; dedup key'),
      required('device_id', 'string', 'Authenticated device'),
      required('timestamp_device', 'timestamp', 'Reading time by the device clock'),
      required('timestamp_ingested', 'timestamp', 'Gateway receive time'),
      ...sensorColumns(fleet),
      required('_partition_key', 'string', 'Log key, equal to device_id'),
      required('_sequence_number', 'long', 'Log offset, order within a partition'),
      extension('timestamp_available', 'timestamp', 'Publish time of the commit, ING-31'),
      extension('timestamp_device_raw', 'string', 'Timestamp text as sent'),
      extension('sent_at', 'timestamp', 'Device clock when transmitting'),
      extension('schema_version', 'string', 'Message schema version as sent'),
      extension('unmapped_fields', 'string', 'Unknown keys as JSON, at most 4 KB'),
      extension('message_properties', 'string', 'What came beside the payload, as JSON of texts'),
      extension('message_format', 'string', 'Shape of the message', { values: ['wide', 'narrow'] }),
      extension('device_quality', 'string', 'Quality a narrow message claims', {
        values: ['good', 'suspect', 'bad'],
      }),
      extension('_partition_id', 'integer', 'Log partition'),
      extension('_log_generation', 'integer', 'Log generation'),
      required('ingest_date', 'string', 'Partition: UTC date of timestamp_ingested'),
      required('ingest_hour', 'integer', 'Partition: UTC hour of timestamp_ingested', {
        range: [0, 23],
      }),
    ],
    key: ['_log_generation', '_partition_id', '_sequence_number'],
    partitionColumns: ['ingest_date', 'ingest_hour'],
    sortColumns: ['device_id', 'timestamp_device'],
    owner: 'data-engineering',
    service: {
      freshnessMinutes: 5,
      freshnessColumn: 'timestamp_ingested',
      retentionDays: 90,
      completeness: { share: 0.995, of: 'acknowledged messages of a day' },
    },
    semantics: [
      'Append only and untransformed; the same event_id may come more than once (CON-6).',
      'Rows are in order within a log partition only.',
    ],
  }
}
