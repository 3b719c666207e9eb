import { extension, optional, type RowOf, required, type TableContract } from '../column.ts'

const columns = [
  required('score_id', 'string', 'UUIDv5 of what was scored by what: a re-run adds nothing'),
  required('device_id', 'string', 'Device'),
  required('window_start', 'timestamp', 'Start of the scored window'),
  required('window_end', 'timestamp', 'End of the scored window, exclusive'),
  { ...required('window_duration_minutes', 'integer', 'Length of the window'), extension: true },
  required('model_id', 'string', 'Model family, no version'),
  required('model_version', 'string', 'Semantic version'),
  {
    ...required('deployment_role', 'string', 'Role of the version', {
      values: ['champion', 'challenger', 'shadow'],
    }),
    extension: true,
  },
  required('granularity', 'string', 'Scope of the statistics used', {
    values: ['fleet', 'cohort', 'device'],
  }),
  extension('cohort_id', 'string', 'Cohort of the device when scored'),
  required('anomaly_score', 'double', '0 normal to 1 most anomalous; no probability', {
    range: [0, 1],
  }),
  required('anomaly_flag', 'boolean', 'anomaly_score > threshold_used'),
  required('threshold_used', 'double', 'Flag threshold', { range: [0, 1] }),
  optional('top_contributors', 'array<string>', 'Up to 5 features, strongest first'),
  optional('contributor_scores', 'array<double>', 'Same length and order'),
  extension('contributor_directions', 'array<string>', 'high or low against the reference median'),
  extension('shap_values', 'map<string,double>', 'Attribution per feature, flagged forest rows'),
  required('scored_at', 'timestamp', 'Time of the scoring run'),
  required('sensor_completeness', 'double', 'Carried over from the features', { range: [0, 1] }),
  { ...required('alert_eligible', 'boolean', 'May raise an alert, SRV-4'), extension: true },
  {
    ...required('data_quality', 'boolean', 'Explained by data, not by the machine'),
    extension: true,
  },
  { ...required('run_id', 'string', 'Scoring run'), extension: true },
  {
    ...required('confidence', 'string', 'low below training completeness', {
      values: ['normal', 'low'],
    }),
    extension: true,
  },
  extension('raw_score', 'double', "The detector's own score, higher is more anomalous"),
  extension('component_scores', 'map<string,double>', 'Contribution share per sensor group'),
  required('scored_at_date', 'string', 'Partition: UTC date of scored_at'),
] as const

/** Contract 5: every window scored once per model version and role (CON-31, CON-32). */
export const modelScores = {
  name: 'model_scores',
  id: 'C5',
  version: '1.0.0',
  purpose: 'How unusual each window was, by which model, and which features say so',
  columns,
  key: ['score_id'],
  partitionColumns: ['scored_at_date', 'deployment_role'],
  sortColumns: ['device_id', 'window_start'],
  owner: 'ml-engineering',
  service: {
    freshnessMinutes: 60,
    freshnessColumn: 'scored_at',
    retentionDays: 396,
    completeness: { share: 0.99, of: 'active devices of a run' },
  },
  semantics: [
    'anomaly_flag = anomaly_score > threshold_used.',
    'contributor_scores and contributor_directions go with top_contributors, place by place.',
    'scored_at is after window_end; the same version and input give the same score (CON-32).',
  ],
} as const satisfies TableContract

/** A row of `model_scores`. */
export type ModelScoreRow = RowOf<typeof columns>
