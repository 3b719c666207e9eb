import { z } from 'zod'
import { contributorSchema } from './alert-schema.ts'

const timestamp = z.iso.datetime()

/** Most points a series may have, OBJ-39. */
const maxPointCount = 2200

/** Time range and resolution of a series. */
export const rangeQuerySchema = z.strictObject({
  from: z.iso.datetime({ offset: true }).describe('Inclusive'),
  to: z.iso.datetime({ offset: true }).describe('Exclusive'),
  points: z.coerce.number().int().min(10).max(maxPointCount).default(600),
})

const numbers = z.array(z.number().nullable())

const gaugeSeries = z.object({
  kind: z.literal('gauge'),
  mean: numbers,
  min: numbers,
  max: numbers,
  count: z.array(z.number().int()),
})

const booleanSeries = z.object({
  kind: z.literal('boolean'),
  fraction: numbers.describe('Share of non-null readings that are true'),
  count: z.array(z.number().int()),
})

/** Readings of one device in buckets of equal width, OBJ-39. */
export const readingsSchema = z.object({
  device_id: z.string(),
  from: timestamp,
  to: timestamp,
  bucket_seconds: z.number().int(),
  times: z.array(z.number().int()).describe('Start of each bucket with readings, epoch ms'),
  series: z.record(z.string(), z.discriminatedUnion('kind', [gaugeSeries, booleanSeries])),
  newest_reading_at: timestamp.nullable().describe('Newest clean reading of the device, any range'),
})

/** Readings in buckets as the API sends them. */
export type ReadingsView = z.infer<typeof readingsSchema>

const scoreSeries = z.object({
  model_id: z.string(),
  window_duration_minutes: z.number().int(),
  deployment_role: z.string(),
  threshold: z.number(),
  window_end: z.array(z.number().int()).describe('Epoch ms'),
  score: z.array(z.number()),
  flagged: z.array(z.boolean()),
  model_version: z.string().describe('Version of the newest point'),
  contributors: z.array(z.string()).describe('Of the newest point, strongest first'),
})

/** Scores of one device over time, one series per model, duration and role. */
export const scoresSchema = z.object({
  device_id: z.string(),
  from: timestamp,
  to: timestamp,
  series: z.array(scoreSeries),
  newest_scored_at: timestamp.nullable(),
})

/** Scores over time as the API sends them. */
export type ScoresView = z.infer<typeof scoresSchema>

const featureValue = contributorSchema.omit({ weight: true, direction: true })

const featureWindow = z.object({
  window_start: timestamp,
  window_end: timestamp,
  window_duration_minutes: z.number().int(),
  reading_count: z.number().int(),
  sensor_completeness: z.number(),
  operating_mode: z.string().nullable(),
  is_final: z.boolean().nullable(),
  features: z.array(featureValue),
})

/** Newest feature row of a device per duration, each value against what is normal. */
export const featuresSchema = z.object({ device_id: z.string(), windows: z.array(featureWindow) })

/** Features against normal as the API sends them. */
export type FeaturesView = z.infer<typeof featuresSchema>
