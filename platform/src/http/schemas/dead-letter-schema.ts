import { z } from 'zod'
import { reasonCodes } from '../../contracts/index.ts'

/** Letters one request may name. */
export const maxLetters = 500

export const letterFilterSchema = z.object({
  reason: z.enum(reasonCodes).optional(),
  device_id: z.string().max(128).optional(),
  status: z.enum(['new', 'replayed', 'discarded']).optional(),
})

export const letterSchema = z.object({
  id: z.string(),
  stage: z.string(),
  reason: z.string(),
  detail: z.string().nullable(),
  device_id: z.string().nullable(),
  event_id: z.string().nullable(),
  ingested_at: z.iso.datetime(),
  status: z.string(),
  replay_count: z.number().int(),
})

export const letterCountsSchema = z.object({
  counts: z.array(
    z.object({
      stage: z.string(),
      reason: z.string(),
      status: z.string(),
      count: z.number().int(),
      newest_at: z.iso.datetime(),
      sample_id: z.string(),
    }),
  ),
})

export const letterListSchema = z.object({ dead_letters: z.array(letterSchema) })

export const letterIdsSchema = z.object({ ids: z.array(z.string()) })

export const letterDetailSchema = letterSchema.extend({ payload_base64: z.string() })

export const replayRequestSchema = z.object({
  letters: z
    .array(z.object({ id: z.string().max(64), payload_base64: z.base64().optional() }))
    .max(maxLetters),
})

export const replayReplySchema = z.object({
  results: z.array(
    z.object({
      id: z.string(),
      result: z.enum(['replayed', 'refused']),
      reason: z.string().optional(),
      detail: z.string().optional(),
    }),
  ),
})

export const discardRequestSchema = z.object({ ids: z.array(z.string().max(64)).max(maxLetters) })

/** Messages that could not be read, by reason. */
export type LetterCounts = z.output<typeof letterCountsSchema>

/** Messages that could not be read, one by one. */
export type LetterList = z.output<typeof letterListSchema>

/** One of them with its payload. */
export type LetterDetail = z.output<typeof letterDetailSchema>

/** What became of letters that were tried again. */
export type ReplayReply = z.output<typeof replayReplySchema>
