import { z } from 'zod'

const count = z.number().int()

export const ledgerLineSchema = z.object({
  received: count.describe('messages dealt with at the door'),
  recovered: count.describe('part of received: read from the log, a crash took the count'),
  stored: count.describe('readable records in the log, counted there'),
  duplicate: count.describe('repeats of what was stored, acknowledged'),
  rejected: count.describe('dead letters in the log, and messages turned away'),
  reasons: z.record(z.string(), count).describe('parts of rejected'),
  difference: count.describe('received - stored - duplicate - rejected; 0 when it balances'),
})

export const ledgerSchema = z.object({
  as_of: z.iso.datetime().nullable().describe('when the log was last counted'),
  total: ledgerLineSchema,
  hours: z.array(ledgerLineSchema.extend({ start: z.iso.datetime() })),
  devices: z
    .array(ledgerLineSchema.extend({ device_id: z.string() }))
    .describe('what does not balance first, then most repeats and rejections'),
  unbalanced_count: count.describe('device hours that do not balance'),
})

export const ledgerQuerySchema = z.object({
  device: z.string().min(1).max(128).optional(),
  hours: z.coerce.number().int().min(1).max(2160).default(24),
  limit: z.coerce.number().int().min(0).max(500).default(50),
})

/** The loss ledger: received = stored + duplicate + rejected, as of its last audit. */
export type LedgerView = z.output<typeof ledgerSchema>
