import { z } from 'zod'
import { scoreStates } from './device-schema.ts'

const timestamp = z.iso.datetime()

const component = z.object({
  name: z.string(),
  state: z.enum(['ok', 'late', 'failed', 'starting', 'off']),
  detail: z.string(),
})

/** State of one part of the running process. */
export type ComponentState = Readonly<z.infer<typeof component>>

const freshness = z.object({
  table: z.string(),
  version: z.number().int().nullable(),
  newest_data_at: timestamp.nullable().describe('Newest data time, never commit time, CON-48'),
  age_seconds: z.number().nullable(),
  row_count: z.number().int().nullable(),
})

/** Freshness of every table and state of every component. */
export const healthSchema = z.object({
  status: z.enum(['ok', 'late', 'failed']),
  at: timestamp,
  score_state: z.enum(scoreStates).describe('SRV-35'),
  newest_scored_at: timestamp.nullable(),
  newest_reading_at: timestamp.nullable(),
  tables: z.array(freshness),
  components: z.array(component),
  event_clients: z.number().int(),
})

/** Health as the API sends it. */
export type HealthView = z.infer<typeof healthSchema>

/** Who the caller is. */
export const meSchema = z.object({
  actor_id: z.string(),
  name: z.string(),
  role: z.string(),
  authentication: z.enum(['open', 'tokens']),
})

/** The caller as the API sends it. */
export type MeView = z.infer<typeof meSchema>
