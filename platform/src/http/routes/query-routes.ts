import { z } from 'zod'
import type { ApiContext } from '../api-context.ts'
import { HttpProblem } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'

/** Most rows an answer carries; more is a matter for the tables themselves. */
const maxRowCount = 10_000
const longestTimeoutMs = 60_000
/** Queries at once: each may use as much memory as the engine allows one. */
const maxConcurrent = 2

const bodySchema = z.object({
  sql: z.string().min(1).max(20_000).describe('One SELECT; tables by name, also AS OF'),
  max_rows: z.number().int().min(1).max(maxRowCount).default(1000),
  timeout_ms: z.number().int().min(100).max(longestTimeoutMs).default(20_000),
})

const replySchema = z.object({
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
  rows: z.array(z.array(z.unknown())),
  is_truncated: z.boolean(),
})

/** People's SQL over the lake: read only, bounded in rows, time and number. */
export function queryRoutes({ lake }: ApiContext): readonly Route[] {
  let running = 0
  return [
    defineRoute({
      method: 'POST',
      path: '/api/v1/query',
      summary: 'One SELECT over the tables',
      body: bodySchema,
      reply: replySchema,
      allowed: ['admin', 'data_engineer', 'ml_engineer'],
      handle: async ({ body }) => {
        if (running >= maxConcurrent) {
          throw new HttpProblem(429, `${maxConcurrent} queries are running already.`, {
            what_to_do: 'try again when one has finished',
          })
        }
        running += 1
        try {
          const result = await lake.query(body.sql, {
            maxRows: body.max_rows,
            timeoutMs: body.timeout_ms,
          })
          return {
            columns: result.columns.map(({ name, type }) => ({ name, type })),
            rows: result.rows.map((row) => [...row]),
            is_truncated: result.isTruncated,
          }
        } finally {
          running -= 1
        }
      },
    }),
  ]
}
