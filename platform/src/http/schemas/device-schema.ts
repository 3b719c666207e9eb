import { z } from 'zod'
import { severities } from '../../contracts/index.ts'

const timestamp = z.iso.datetime()

/** Health of a device from worst to best, OBJ-4. */
export const healthStatuses = ['critical', 'warning', 'offline', 'healthy'] as const

/** How old the scores are, SRV-35. */
export const scoreStates = ['none', 'fresh', 'stale', 'very_stale', 'expired'] as const

/** A device as the object API serves it, OBJ-4; answered from stored properties. */
export const deviceSchema = z.object({
  device_id: z.string(),
  equipment_class: z.string(),
  status: z.enum(['active', 'disabled', 'decommissioned']),
  region: z.string(),
  site_id: z.string(),
  site_name: z.string().nullable(),
  model: z.string(),
  cohort_id: z.string().nullable(),
  install_date: z.string().nullable(),
  firmware_version: z.string().nullable(),
  reporting_interval_s: z.number().int(),
  last_reading_timestamp: timestamp.nullable(),
  latest_anomaly_score: z.number().nullable().describe('0 normal to 1; null when expired'),
  latest_scored_at: timestamp.nullable(),
  score_state: z.enum(scoreStates),
  score_confidence: z.enum(['normal', 'low']).nullable(),
  anomaly_trend: z.enum(['stable', 'increasing', 'decreasing']).nullable(),
  health_status: z.enum(healthStatuses),
  open_alert_count: z.number().int(),
  highest_severity: z.enum(severities).nullable(),
  metrics: z.record(z.string(), z.number().nullable()).describe('Over the trailing 24 hours'),
  hydrated_at: timestamp.nullable().describe('When the pipeline last wrote these properties'),
})

/** A device as the API sends it. */
export type DeviceView = z.infer<typeof deviceSchema>

/** Filters, order and page of the device list. */
export const deviceQuerySchema = z.strictObject({
  health: z.string().optional().describe('Health states, comma separated'),
  site: z.string().optional().describe('Site id'),
  model: z.string().optional().describe('Equipment model'),
  search: z.string().max(200).optional().describe('Part of a device id or site name'),
  sort: z
    .enum(['health', '-score', 'score', 'device_id', '-device_id', '-last_reading_timestamp'])
    .default('health'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().max(500).optional(),
})

/** One page of devices. */
export const devicePageSchema = z.object({
  devices: z.array(deviceSchema),
  total_count: z.number().int().describe('Devices that match the filters'),
  next_cursor: z.string().nullable(),
})

/** A page of devices as the API sends it. */
export type DevicePage = z.infer<typeof devicePageSchema>

/** A site with its devices summed up, OBJ-5. */
const siteSchema = z.object({
  site_id: z.string(),
  site_name: z.string().nullable(),
  region: z.string(),
  device_count: z.number().int(),
  devices_in_alert: z.number().int(),
  avg_anomaly_score: z.number().nullable(),
  health_status: z.enum(['healthy', 'degraded', 'critical']),
})

/** A site as the API sends it. */
export type SiteView = z.infer<typeof siteSchema>

/** All sites, those with most devices in alert first. */
export const siteListSchema = z.object({ sites: z.array(siteSchema) })

/**
 * The whole fleet in columns, for the picture of all units: 10,000 devices fit in one small
 * answer. `site` and `model` are indexes into the lists.
 */
export const overviewSchema = z.object({
  as_of: timestamp,
  sites: z.array(siteSchema),
  models: z.array(z.string()),
  health_statuses: z.array(z.enum(healthStatuses)),
  device_id: z.array(z.string()),
  site: z.array(z.number().int()),
  model: z.array(z.number().int()),
  health: z.array(z.number().int()).describe('Index into health_statuses'),
  score: z.array(z.number().nullable()),
  trend: z.array(z.number().int().nullable()).describe('1 increasing, 0 stable, -1 decreasing'),
  open_alert_count: z.array(z.number().int()),
})

/** The fleet in columns as the API sends it. */
export type Overview = z.infer<typeof overviewSchema>
