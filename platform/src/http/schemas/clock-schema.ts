import { z } from 'zod'

export const deviceClockSchema = z.object({
  device_id: z.string(),
  offset_seconds: z.number().nullable().describe('device minus server; null: nothing heard yet'),
  drift_ppm: z.number().nullable().describe('null before an hour has passed'),
  suspect_zone_minutes: z
    .number()
    .nullable()
    .describe('TIMEZONE_SUSPECT, ING-45: minutes ahead of the right zone'),
  sample_count: z.number().int(),
  heard_at: z.iso.datetime().nullable(),
})

export const clockListSchema = z.object({
  suspect_count: z.number().int(),
  clocks: z.array(deviceClockSchema).describe('the worst first'),
})

export const clockQuerySchema = z.object({
  over_seconds: z.coerce.number().min(0).default(5),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})

/** What is known of a device's clock since the server started. */
export type DeviceClockView = z.output<typeof deviceClockSchema>

/** Clocks that are off, the worst first. */
export type ClockListView = z.output<typeof clockListSchema>
