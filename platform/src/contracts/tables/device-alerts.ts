import { extension, optional, type RowOf, required, type TableContract } from '../column.ts'

/** Severities from mild to severe, CON-34. */
export const severities = ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'] as const
/** How urgent an alert is. */
export type Severity = (typeof severities)[number]

/** States of an alert, SRV-45. */
export const alertStatuses = [
  'OPEN',
  'ACKNOWLEDGED',
  'IN_PROGRESS',
  'RESOLVED',
  'FALSE_POSITIVE',
] as const
/** Where an alert stands in its lifecycle. */
export type AlertStatus = (typeof alertStatuses)[number]

const columns = [
  required('alert_id', 'string', 'UUIDv5, OBJ-7'),
  required('device_id', 'string', 'Device'),
  required('site_id', 'string', 'Site by the registry at window_end'),
  required('alert_type', 'string', 'Place in the episode', {
    values: ['ANOMALY_DETECTED', 'ANOMALY_SUSTAINED', 'ANOMALY_ESCALATED', 'ANOMALY_RESOLVED'],
  }),
  required('severity', 'string', 'How urgent', { values: severities }),
  required('title', 'string', 'Summary in one line'),
  required('description', 'string', 'Abnormal sensors, trend, time to act'),
  required('model_id', 'string', 'Model family or rule set'),
  optional('anomaly_score', 'double', 'Score at creation; null for rule alerts', {
    range: [0, 1],
  }),
  optional('top_contributors', 'array<string>', 'From the score; for rules the sensor'),
  required('first_detected_at', 'timestamp', 'Start of the episode'),
  required('alert_created_at', 'timestamp', 'When the alert was written'),
  required('suppressed', 'boolean', 'Kept for audit only, SRV-40'),
  optional('ontology_action_id', 'string', 'Action that created it; null if alert only'),
  required('status', 'string', 'Lifecycle', { values: alertStatuses }),
  optional('resolved_at', 'timestamp', 'Set on closing only'),
  required('escalation_level', 'string', 'Who holds it', { values: ['L1', 'L2', 'L3'] }),
  required('sla_deadline', 'timestamp', 'Acknowledge by'),
  required('sla_breached', 'boolean', 'Deadline passed unacknowledged; never turns back'),
  extension('trigger_category', 'string', 'What kind of evidence', {
    values: ['anomaly_score_high', 'sensor_out_of_range', 'device_offline', 'pattern_anomaly'],
  }),
  extension('model_version', 'string', 'Version of the model or rule set'),
  extension('contributing_model_ids', 'array<string>', 'Families that flagged'),
  extension('score_id', 'string', 'Score behind it'),
  extension('last_breach_at', 'timestamp', 'Newest evidence'),
  extension('breach_count', 'integer', 'How often the evidence repeated'),
  extension('predecessor_alert_id', 'string', 'Alert this one succeeds'),
  extension('correlated_alert_ids', 'array<string>', 'Related alerts'),
  extension('model_rolled_back', 'boolean', 'Raised by a version that was withdrawn'),
  extension('acknowledged_at', 'timestamp', 'First acknowledgement'),
  extension('acknowledged_by', 'string', 'Who acknowledged', { personal: true }),
  extension('assignee_id', 'string', 'Who works on it', { personal: true }),
  extension('assignee_team', 'string', 'Team that works on it'),
  extension('resolved_by', 'string', 'Who closed it', { personal: true }),
  extension('resolution_code', 'string', 'How it ended', {
    values: [
      'REPAIRED',
      'NO_FAULT_FOUND',
      'PLANNED_ACTIVITY',
      'DEVICE_REMOVED',
      'DUPLICATE',
      'TRANSIENT',
      'SELF_CLEARED',
      'SUPERSEDED',
    ],
  }),
  extension('resolution_notes', 'string', 'What was found', { personal: true }),
  extension('escalated_at', 'timestamp', 'Last escalation'),
  extension('escalated_to', 'string', 'Escalated to whom', { personal: true }),
  extension('work_order_id', 'string', 'Work order'),
  { ...required('version', 'integer', 'Row version for optimistic writers'), extension: true },
] as const

/** Contract 6: one row per alert, suppressed ones included (CON-33 to CON-37). */
export const deviceAlerts = {
  name: 'device_alerts',
  id: 'C6',
  version: '1.0.0',
  purpose: 'What a technician should look at, why, until when, and what became of it',
  columns,
  key: ['alert_id'],
  partitionColumns: [],
  sortColumns: ['alert_created_at', 'device_id'],
  owner: 'operations',
  service: { freshnessMinutes: 5, freshnessColumn: 'alert_created_at' },
  semantics: [
    'first_detected_at <= alert_created_at < sla_deadline.',
    'resolved_at is set when status is RESOLVED or FALSE_POSITIVE, and only then.',
    'Severity and suppression follow CON-34 and CON-35; sla_breached never turns back.',
  ],
} as const satisfies TableContract

/** A row of `device_alerts`. */
export type DeviceAlertRow = RowOf<typeof columns>

const labelColumns = [
  { ...required('label_id', 'string', 'UUID of the label'), extension: true },
  required('device_id', 'string', 'Device'),
  required('event_timestamp', 'timestamp', 'When it happened'),
  required('label_type', 'string', 'What is true', {
    values: [
      'failure_confirmed',
      'anomaly_confirmed',
      'false_positive',
      'planned_maintenance',
      'normal_operation',
    ],
  }),
  required('label_source', 'string', 'Who says so', {
    values: ['field_engineer', 'maintenance_system', 'operator_feedback', 'automated_heuristic'],
  }),
  required('label_confidence', 'double', 'How sure', { range: [0, 1] }),
  required('labeled_at', 'timestamp', 'When recorded'),
  optional('alert_id', 'string', 'Alert it answers'),
  optional('failure_mode', 'string', 'For example refrigerant_leak'),
  optional('notes', 'string', 'Free text', { personal: true }),
  extension('supersedes_label_id', 'string', 'Label this one corrects'),
] as const

/** Contract 7: recorded truth about events, append only (CON-38). */
export const labelEvents = {
  name: 'label_events',
  id: 'C7',
  version: '1.0.0',
  purpose: 'What people and systems found to be true; feeds evaluation and training',
  columns: labelColumns,
  key: ['label_id'],
  partitionColumns: [],
  sortColumns: ['labeled_at'],
  owner: 'operations',
  service: { freshnessMinutes: 1440, freshnessColumn: 'labeled_at' },
  semantics: [
    'Append only: a correction is a new row that names the one it supersedes.',
    'A label of a field engineer that confirms a failure names the failure_mode (CON-40).',
    'Every alert_id is one of device_alerts.',
  ],
} as const satisfies TableContract

/** A row of `label_events`. */
export type LabelEventRow = RowOf<typeof labelColumns>
