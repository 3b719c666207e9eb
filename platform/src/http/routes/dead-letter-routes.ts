import { z } from 'zod'
import { reasonCodes } from '../../contracts/index.ts'
import type { Role } from '../../objects/index.ts'
import type { DeadLetters } from '../../runtime/index.ts'
import { defineRoute, type Route } from '../route.ts'

/** Who may see payloads and try them again. */
const readers: readonly Role[] = ['admin', 'operator_lead', 'data_engineer']
const maxIds = 500

const filterSchema = z.object({
  reason: z.enum(reasonCodes).optional(),
  device_id: z.string().max(128).optional(),
  status: z.enum(['new', 'replayed', 'discarded']).optional(),
})

const letterSchema = z.object({
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

const resultSchema = z.object({
  id: z.string(),
  result: z.enum(['replayed', 'refused']),
  reason: z.string().optional(),
  detail: z.string().optional(),
})

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

function filterOf({ reason, device_id: deviceId, status }: z.output<typeof filterSchema>) {
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
      reply: z.object({
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
      }),
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
      query: filterSchema.extend({ limit: z.coerce.number().int().min(1).max(1_000).default(100) }),
      reply: z.object({ dead_letters: z.array(letterSchema) }),
      handle: async ({ query }) => ({
        dead_letters: (await letters.list(filterOf(query), query.limit)).map(viewOf),
      }),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/dead-letters/ids',
      summary: 'Ids of letters that may be tried again, oldest first',
      query: filterSchema.extend({ limit: z.coerce.number().int().min(1).max(100_000) }),
      reply: z.object({ ids: z.array(z.string()) }),
      handle: async ({ query }) => ({
        ids: [...(await letters.ids(filterOf(query), query.limit))],
      }),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/dead-letters/{id}',
      summary: 'One of them with its payload',
      params: z.object({ id: z.string().max(64) }),
      reply: letterSchema.extend({ payload_base64: z.string() }),
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
      body: z.object({
        letters: z
          .array(z.object({ id: z.string().max(64), payload_base64: z.base64().optional() }))
          .max(maxIds),
      }),
      reply: z.object({ results: z.array(resultSchema) }),
      allowed: readers,
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
      body: z.object({ ids: z.array(z.string().max(64)).max(maxIds) }),
      reply: z.object({ discarded: z.number().int() }),
      allowed: readers,
      handle: async ({ body }) => ({ discarded: await letters.discard(body.ids) }),
    }),
  ]
}
