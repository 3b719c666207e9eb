import { z } from 'zod'
import { alertStatuses, severities } from '../../contracts/index.ts'

const timestamp = z.iso.datetime()
const strings = z.array(z.string())

/** Actions on alerts as the API spells them, objects.md section 4. */
const alertActionNames = [
  'acknowledge',
  'assign',
  'start',
  'resolve',
  'false-positive',
  'confirm',
  'reopen',
  'escalate',
] as const

/** An action on an alert. */
export type AlertActionPath = (typeof alertActionNames)[number]

/** What is normal for a feature and from whose history that is known. */
const normalSchema = z.object({
  median: z.number(),
  low: z.number().describe('5th percentile'),
  high: z.number().describe('95th percentile'),
  spread: z.number().describe('Robust standard deviation, never below the resolution'),
  scope: z.enum(['device', 'cohort', 'fleet']),
})

/** One reason of an alert: a feature, its value and what is normal. */
export const contributorSchema = z.object({
  feature: z.string(),
  label: z.string(),
  unit: z.string(),
  group: z.string(),
  direction: z.enum(['high', 'low']).nullable(),
  weight: z.number().nullable().describe('Contribution to the score, as recorded'),
  value: z.number().nullable(),
  normal: normalSchema.nullable(),
  hint: z.string().nullable().describe('What it usually means, FEA-21'),
})

/** A reason of an alert as the API sends it. */
export type Contributor = z.infer<typeof contributorSchema>

/** An alert with its device and its reasons, OBJ-7 and CON-33. */
const alertSchema = z.object({
  alert_id: z.string(),
  device_id: z.string(),
  site_id: z.string(),
  site_name: z.string().nullable(),
  device_model: z.string().nullable(),
  alert_type: z.string(),
  trigger_category: z.string().nullable(),
  severity: z.enum(severities),
  title: z.string(),
  description: z.string(),
  model_id: z.string(),
  model_version: z.string().nullable(),
  contributing_model_ids: strings,
  anomaly_score: z.number().nullable(),
  score_id: z.string().nullable(),
  confidence: z.enum(['normal', 'low']).nullable(),
  contributors: z.array(contributorSchema),
  window_start: timestamp.nullable(),
  window_end: timestamp.nullable(),
  first_detected_at: timestamp,
  alert_created_at: timestamp,
  last_breach_at: timestamp.nullable(),
  breach_count: z.number().int().nullable(),
  suppressed: z.boolean(),
  predecessor_alert_id: z.string().nullable(),
  correlated_alert_ids: strings,
  status: z.enum(alertStatuses),
  acknowledged_at: timestamp.nullable(),
  acknowledged_by: z.string().nullable(),
  assignee_id: z.string().nullable(),
  resolved_at: timestamp.nullable(),
  resolved_by: z.string().nullable(),
  resolution_code: z.string().nullable(),
  resolution_notes: z.string().nullable(),
  escalation_level: z.string(),
  sla_deadline: timestamp,
  sla_breached: z.boolean(),
  version: z.number().int(),
  allowed_actions: z.array(z.enum(alertActionNames)).describe('What the caller may do now'),
})

/** An alert as the API sends it. */
export type AlertView = z.infer<typeof alertSchema>

/** Filters of the work list. */
export const alertQuerySchema = z.strictObject({
  status: z
    .string()
    .optional()
    .describe('Comma separated; without it all that are not closed; also `closed` and `all`'),
  severity: z.string().optional().describe('Comma separated'),
  site: z.string().optional(),
  device: z.string().optional(),
  suppressed: z.enum(['true', 'false']).default('false').describe('Show suppressed ones too'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().max(500).optional(),
})

/** One page of the work list, in the order to act. */
export const alertPageSchema = z.object({
  alerts: z.array(alertSchema),
  next_cursor: z.string().nullable(),
  as_of: timestamp,
})

/** A page of the work list as the API sends it. */
export type AlertPage = z.infer<typeof alertPageSchema>

/** One entry of an alert's history, OBJ-34. */
const historyEntrySchema = z.object({
  audit_id: z.string(),
  at: timestamp,
  actor_id: z.string(),
  actor_role: z.string(),
  source: z.string(),
  action: z.string(),
  result: z.string(),
  reason: z.string().nullable(),
  parameters: z.record(z.string(), z.unknown()),
})

/** An entry of an alert's history as the API sends it. */
export type HistoryEntry = z.infer<typeof historyEntrySchema>

/** An alert with its history. */
export const alertDetailSchema = alertSchema.extend({
  history: z.array(historyEntrySchema),
  warnings: z.array(z.string()).describe('After an action: worth telling the person'),
})

/** An alert with its history as the API sends it. */
export type AlertDetail = z.infer<typeof alertDetailSchema>
