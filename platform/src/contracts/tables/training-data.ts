import { extension, optional, required, type TableContract } from '../column.ts'

/** Labels of training rows, CON-22. */
export const trainingLabels = [
  'normal',
  'pre_failure',
  'anomaly_confirmed',
  'false_positive',
] as const

const columns = [
  required('device_id', 'string', 'Device'),
  required('window_start', 'timestamp', 'Start, inclusive'),
  required('window_end', 'timestamp', 'End, exclusive'),
  required('window_duration_minutes', 'integer', 'Length', { unit: 'min' }),
  required('feature_vector', 'array<double>', 'Values in the order of feature_names; null is null'),
  required('feature_names', 'array<string>', 'Names of the values'),
  optional('label', 'string', 'What became true; null is unlabelled', { values: trainingLabels }),
  optional('label_source', 'string', 'Who said so', {
    values: ['field_engineer', 'maintenance_record', 'pseudo_label', 'heuristic'],
  }),
  optional('label_timestamp', 'timestamp', 'When it happened'),
  required('label_delay_buffer_hours', 'integer', 'Hours before the event that are left out', {
    unit: 'h',
  }),
  required('snapshot_id', 'string', 'Table and version the features come from'),
  required('sensor_completeness', 'double', 'Carried from the window', { range: [0, 1] }),
  required('assembled_at', 'timestamp', 'When the set was assembled; no part of its content'),
  extension('label_snapshot_id', 'string', 'Table and version the labels come from'),
  extension('label_confidence', 'double', 'How sure the label is', { range: [0, 1] }),
  extension('known_from', 'timestamp', 'Instant from which the features were known'),
] as const

/** Contract 3.5: rows to learn from, each as it was known before its event (CON-22 to CON-26). */
export const trainingData = {
  name: 'training_data',
  id: 'C3.5',
  version: '1.0.0',
  purpose: 'Rows to learn from, as they were known before the event; immutable files',
  columns,
  key: ['device_id', 'window_start', 'window_duration_minutes'],
  partitionColumns: [],
  sortColumns: ['device_id', 'window_start'],
  owner: 'ml-engineering',
  service: { freshnessMinutes: 120, freshnessColumn: 'assembled_at' },
  semantics: [
    'feature_vector and feature_names have the same length and order.',
    'window_end lies before the event less label_delay_buffer_hours (CON-23).',
    'The same snapshots give the same bytes but for assembled_at (CON-26).',
  ],
} as const satisfies TableContract
