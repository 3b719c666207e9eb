import { extension, required, type TableContract } from '../column.ts'

const columns = [
  required('device_id', 'string', 'Device'),
  required('window_start', 'timestamp', 'Start, inclusive'),
  required('window_end', 'timestamp', 'End, exclusive'),
  required('model_id', 'string', 'Model family, no version, MOD-3'),
  required('granularity', 'string', 'Scope of the statistics or artifact', {
    values: ['fleet', 'cohort', 'device'],
  }),
  required('feature_vector', 'array<double>', 'Finite values in the order of feature_names'),
  required('feature_names', 'array<string>', "The model's list in the model's order"),
  required('sensor_completeness', 'double', 'Below the limit of the model: not scored', {
    range: [0, 1],
  }),
  extension('window_duration_minutes', 'integer', 'Length of the window', { unit: 'min' }),
  extension('model_version', 'string', 'Semantic version'),
  extension('cohort_id', 'string', 'Cohort whose medians filled gaps'),
  extension('imputed_features', 'array<string>', 'Features that were filled, CON-29'),
] as const

/**
 * Contract 4: what a model reads (CON-27 to CON-30). It is never stored: rows pass from features to
 * a detector in memory, and what was imputed is written beside the score.
 */
export const modelInput = {
  name: 'model_input',
  id: 'C4',
  version: '1.0.0',
  purpose: 'The vector a model scores, in its own order, without nulls; passed on, never stored',
  columns,
  key: ['device_id', 'window_start', 'window_end', 'model_id', 'granularity'],
  partitionColumns: [],
  sortColumns: ['device_id', 'window_start'],
  owner: 'ml-engineering',
  service: { freshnessMinutes: 45, freshnessColumn: 'window_end' },
  semantics: [
    'feature_vector and feature_names have the same length and order: the list of the model.',
    'No null and no NaN; a name or order that differs fails the run (CON-30).',
  ],
} as const satisfies TableContract
