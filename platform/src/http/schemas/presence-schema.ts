import { z } from 'zod'

export const devicePresenceSchema = z.object({
  device_id: z.string(),
  connected: z.boolean().nullable().describe('null: not heard of since the server started'),
  reporting: z.boolean().nullable(),
  changed_at: z.iso.datetime().nullable(),
})

export const presenceQuerySchema = z.object({
  kind: z.enum(['online', 'offline', 'stopped reporting', 'reporting again']).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})

export const presenceSchema = z.object({
  connected: z.number().int(),
  silent: z.number().int(),
  events: z.array(z.object({ device_id: z.string(), kind: z.string(), at: z.iso.datetime() })),
})

/** Whether a device is connected and reports. */
export type DevicePresenceView = z.output<typeof devicePresenceSchema>
