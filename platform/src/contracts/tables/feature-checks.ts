import { required, type TableContract } from '../column.ts'

const verdictColumns = [
  required('checked_at', 'timestamp', 'When the proof ran'),
  required('feature_version', 'string', 'Version of the feature definitions'),
  required('snapshot_id', 'string', 'Table and version that was served'),
  required('checked_count', 'integer', 'Served rows computed again'),
  required('differing_count', 'integer', 'Rows with a value that is not what its readings give'),
  required('other_version_count', 'integer', 'Served rows of other definitions'),
  required('verdict', 'string', 'What came of it', { values: ['OK', 'SKEW', 'EMPTY'] }),
  required('differences', 'array<string>', 'The first differences, as JSON'),
] as const

/** Nightly proof that served features are what their readings give, CON-47. */
export const featureSkewVerdicts = {
  name: 'feature_skew_verdicts',
  id: 'C3V',
  version: '1.0.0',
  purpose: 'Verdicts of the proof that served features can be computed again',
  columns: verdictColumns,
  key: ['checked_at'],
  partitionColumns: [],
  sortColumns: ['checked_at'],
} as const satisfies TableContract

const alarmColumns = [
  required('alarm_at', 'timestamp', 'When the state of the alarm changed or it was repeated'),
  required('metric', 'string', 'What is watched', {
    values: ['freshness', 'coverage', 'null_fraction', 'online_lag', 'skew'],
  }),
  required('subject', 'string', 'Duration, feature or table concerned'),
  required('event', 'string', 'What happened to the alarm', {
    values: ['opened', 'escalated', 'eased', 'repeated', 'closed'],
  }),
  required('severity', 'string', 'How urgent, MON-2', {
    values: ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'],
  }),
  required('owner', 'string', 'Team that acts'),
  required('value', 'double', 'What was measured'),
  required('threshold', 'double', 'Bound that was crossed'),
  required('detail', 'string', 'One sentence for people'),
] as const

/** Alarms about the features themselves, never about devices: opened, escalated, closed (MON-2). */
export const featureAlarms = {
  name: 'feature_alarms',
  id: 'C3A',
  version: '1.0.0',
  purpose: 'What went wrong with features and when: late, missing, null or skewed',
  columns: alarmColumns,
  key: ['alarm_at', 'metric', 'subject'],
  partitionColumns: [],
  sortColumns: ['alarm_at'],
} as const satisfies TableContract
