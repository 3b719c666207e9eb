import { type Column, extension, optional, required, type TableContract } from '../column.ts'
import type { FleetDefinition } from '../fleet.ts'
import { plausibleRange } from '../plausible-range.ts'
import { sensorColumns } from './raw-readings.ts'

/** Quality flags in their fixed order, CON-8. */
export const qualityFlags = [
  'RANGE_VIOLATION',
  'CLOCK_DRIFT',
  'DUPLICATE_REMOVED',
  'SENSOR_GAP',
  'DEVICE_UNKNOWN',
  'READING_GAP',
  'LATE_ARRIVAL',
  'CLOCK_AHEAD',
  'TIMEZONE_SUSPECT',
  'SUSPECT_VALUE',
  'DEVICE_BAD_QUALITY',
] as const

/** A quality flag of a clean or quarantined row. */
export type QualityFlag = (typeof qualityFlags)[number]

function cleanColumns(fleet: FleetDefinition): readonly Column[] {
  return [
    required('event_id', 'string', 'Unique in the whole table'),
    required('device_id', 'string', 'In the registry'),
    required('timestamp_utc', 'timestamp', 'Event time, CON-11'),
    ...sensorColumns(fleet).map((column, index) => {
      const sensor = fleet.sensors[index]
      const range = sensor === undefined ? undefined : plausibleRange(fleet, sensor)
      return range === undefined ? column : { ...column, range }
    }),
    required('quality_flags', 'array<string>', 'Distinct flags in CON-8 order; empty is clean'),
    required('sensor_null_count', 'integer', 'Nulls among the sensors of this row', {
      range: [0, fleet.sensors.length],
    }),
    { ...required('timestamp_ingested', 'timestamp', 'Gateway receive time'), extension: true },
    extension('timestamp_available', 'timestamp', 'Publish time of the landing commit'),
    extension('range_violation_sensors', 'array<string>', 'Sensors nulled by the range check'),
    extension('merged_event_ids', 'array<string>', 'Narrow rows folded into this one'),
  ]
}

/** Contract 2: de-duplicated, in range, on one clock (CON-7 to CON-15). */
export function cleanReadings(fleet: FleetDefinition): TableContract {
  return {
    name: 'clean_sensor_readings',
    id: 'C2',
    version: '1.0.0',
    purpose: 'Readings that passed cleansing: unique, in range, on one clock',
    columns: [
      ...cleanColumns(fleet),
      required('date', 'string', 'Partition: UTC date of timestamp_utc'),
    ],
    key: ['event_id'],
    partitionColumns: ['date'],
    sortColumns: ['device_id', 'timestamp_utc'],
    owner: 'data-engineering',
    service: {
      freshnessMinutes: 15,
      freshnessColumn: 'timestamp_ingested',
      retentionDays: 90,
      completeness: { share: 0.999, of: 'valid landing rows of a day' },
    },
    semantics: [
      'event_id is unique in the whole table (CON-10).',
      'timestamp_utc is device time in UTC, or arrival time where the flags say so (CON-11).',
      'sensor_null_count is the number of nulls among the sensors of the row.',
      'A value outside its range is null and the row carries RANGE_VIOLATION (CON-8).',
      'landed rows = clean + duplicates + folded + quarantined + dead letters (CON-13).',
    ],
  }
}

/** Decodable rows that may not enter the clean table, ING-25. */
export function quarantinedReadings(fleet: FleetDefinition): TableContract {
  return {
    name: 'quarantine_sensor_readings',
    id: 'QU',
    version: '1.0.0',
    purpose: 'Readable rows kept out of the clean table, with the reason; releasable',
    columns: [
      ...cleanColumns(fleet),
      required('date', 'string', 'UTC date of timestamp_utc'),
      required('quarantine_reason', 'string', 'Why the row waits', {
        values: ['DEVICE_UNKNOWN', 'SCHEMA_VERSION_UNKNOWN', 'GATE_FAILED', 'DISCARDED'],
      }),
      required('quarantined_at', 'timestamp', 'When it was set aside'),
      optional('released_at', 'timestamp', 'When it was released into the clean table'),
      required('registry_version', 'string', 'Registry state the decision was made with'),
    ],
    key: ['event_id'],
    partitionColumns: [],
    sortColumns: ['device_id', 'timestamp_utc'],
  }
}

const removedColumns = [
  required('event_id', 'string', 'Id of the duplicate'),
  required('device_id', 'string', 'Device that sent it'),
  required('_sequence_number', 'long', 'Log offset of the removed row'),
  required('_partition_id', 'integer', 'Log partition of the removed row'),
  required('timestamp_ingested', 'timestamp', 'Gateway receive time of the removed row'),
  required('removed_at', 'timestamp', 'Time of the run that removed it'),
] as const

/** Duplicates dropped by cleansing, CON-10: the books must balance. */
export const removedDuplicates = {
  name: 'removed_duplicates',
  id: 'RD',
  version: '1.0.0',
  purpose: 'Rows that repeated an event_id and were not stored again',
  columns: removedColumns,
  key: ['_partition_id', '_sequence_number'],
  partitionColumns: [],
  sortColumns: ['device_id'],
} as const satisfies TableContract
