import { z } from 'zod'
import type { Role } from '../../objects/index.ts'
import type { DeadLetters } from '../../runtime/index.ts'
import { defineRoute, type Route } from '../route.ts'
import {
  discardRequestSchema,
  letterCountsSchema,
  letterDetailSchema,
  letterFilterSchema,
  letterIdsSchema,
  letterListSchema,
  type letterSchema,
  replayReplySchema,
  replayRequestSchema,
} from '../schemas/dead-letter-schema.ts'

/** Who may see payloads and try them again. */
const readers: readonly Role[] = ['admin', 'operator_lead', 'data_engineer']

/**
 * Body of a replay: a payload of 256 KiB is 350 KB in base64, and a batch of repaired ones should
 * not need a request each. The process holds at most a few of these at a time.
 */
const replayBodyBytes = 2 << 20

type Letter = Awaited<ReturnType<DeadLetters['list']>>[number]

function viewOf(letter: Letter): z.input<typeof letterSchema> {
  const { id, stage, reason, detail, status } = letter
  return {
    id,
    stage,
    reason,
    detail,
    status,
    device_id: letter.deviceId,
    event_id: letter.eventId,
    ingested_at: new Date(letter.ingestedAtMs).toISOString(),
    replay_count: letter.replayCount,
  }
}

function filterOf({ reason, device_id: deviceId, status }: z.output<typeof letterFilterSchema>) {
  return {
    ...(reason !== undefined && { reason }),
    ...(deviceId !== undefined && { deviceId }),
    ...(status !== undefined && { status }),
  }
}

function readRoutes(letters: DeadLetters): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/dead-letters/counts',
      summary: 'Messages that could not be read, by reason, each with one to look at',
      reply: letterCountsSchema,
      handle: async () => ({
        counts: (await letters.counts()).map(({ newestMs, sampleId, ...count }) => ({
          ...count,
          newest_at: new Date(newestMs).toISOString(),
          sample_id: sampleId,
        })),
      }),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/dead-letters',
      summary: 'Messages that could not be read, newest first',
      query: letterFilterSchema.extend({
        limit: z.coerce.number().int().min(1).max(1_000).default(100),
      }),
      reply: letterListSchema,
      handle: async ({ query }) => ({
        dead_letters: (await letters.list(filterOf(query), query.limit)).map(viewOf),
      }),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/dead-letters/ids',
      summary: 'Ids of letters that may be tried again, oldest first',
      query: letterFilterSchema.extend({ limit: z.coerce.number().int().min(1).max(100_000) }),
      reply: letterIdsSchema,
      handle: async ({ query }) => ({
        ids: [...(await letters.ids(filterOf(query), query.limit))],
      }),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/dead-letters/{id}',
      summary: 'One of them with its payload',
      params: z.object({ id: z.string().max(64) }),
      reply: letterDetailSchema,
      allowed: readers,
      handle: async ({ params }) => {
        const { payload, ...letter } = await letters.show(params.id)
        return { ...viewOf(letter), payload_base64: Buffer.from(payload).toString('base64') }
      },
    }),
  ]
}

/** Dead letters: counted, looked at, tried again, given up, ING-23. */
export function deadLetterRoutes(letters: DeadLetters): readonly Route[] {
  return [
    ...readRoutes(letters),
    defineRoute({
      method: 'POST',
      path: '/api/v1/dead-letters/replay',
      summary: 'Tries letters again, as they were or with payloads that were put right',
      body: replayRequestSchema,
      reply: replayReplySchema,
      allowed: readers,
      bodyLimitBytes: replayBodyBytes,
      handle: async ({ body }) => {
        const items = body.letters.map(({ id, payload_base64: text }) =>
          text === undefined ? { id } : { id, payload: Buffer.from(text, 'base64') },
        )
        return { results: [...(await letters.replay(items))] }
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/dead-letters/discard',
      summary: 'Gives letters up; they stay in the table',
      body: discardRequestSchema,
      reply: z.object({ discarded: z.number().int() }),
      allowed: readers,
      handle: async ({ body }) => ({ discarded: await letters.discard(body.ids) }),
    }),
  ]
}
