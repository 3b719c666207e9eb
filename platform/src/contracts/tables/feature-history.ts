import { extension, optional, required, type TableContract } from '../column.ts'
import { featureColumns } from '../feature-catalogue.ts'
import type { FleetDefinition } from '../fleet.ts'

/**
 * The offline feature store: every state of every window with the instant from which it was known.
 * Append by day and feature version; a reader at any instant sees what readings had arrived then.
 */
export function featureHistory(fleet: FleetDefinition): TableContract {
  const values = featureColumns(fleet)
    .filter(({ source }) => source.kind !== 'quality')
    .map(({ name, label, unit }) => optional(name, 'double', label, unit === '' ? {} : { unit }))
  return {
    name: 'feature_history',
    id: 'C3H',
    version: '1.0.0',
    purpose: 'What was known of each window, and from when: the source of training sets',
    columns: [
      required('feature_version', 'string', 'Version of the feature definitions, FEA-59'),
      required('device_id', 'string', 'Device'),
      required('window_start', 'timestamp', 'Start, inclusive, clock-aligned UTC'),
      required('window_end', 'timestamp', 'End, exclusive: the clock of events'),
      required('window_duration_minutes', 'integer', 'Length', { unit: 'min' }),
      required('known_from', 'timestamp', 'All readings in it had arrived: the clock of arrival'),
      required('revision', 'integer', '0 for the first state of a window, then 1, 2, …'),
      required('reading_count', 'integer', 'Clean rows in the window'),
      ...values,
      required('sensor_completeness', 'double', 'Mean share of sensors present', { range: [0, 1] }),
      required('quality_flag_count', 'integer', 'Rows with at least one quality flag'),
      extension('operating_mode', 'string', 'First matching operating mode, FEA-22'),
      extension('computed_at', 'timestamp', 'When the row was computed; no part of its content'),
      extension('clean_snapshot_id', 'string', 'Clean table version read'),
      required('window_date', 'string', 'Partition: UTC date of window_start'),
    ],
    key: ['feature_version', 'device_id', 'window_start', 'window_duration_minutes', 'known_from'],
    partitionColumns: ['feature_version', 'window_date', 'window_duration_minutes'],
    sortColumns: ['device_id', 'window_start', 'known_from'],
    settlesAfterDays: 8,
  }
}
