import type { ApiContext } from '../api-context.ts'
import { type TableFreshness, tableFreshness } from '../queries/table-freshness.ts'
import { defineRoute, type Route } from '../route.ts'
import { type HealthView, healthSchema } from '../schemas/health-schema.ts'

/** Health looks at all tables and devices; this long one look serves everybody. */
const keptMs = 2000

const instant = (timeMs: number | null) =>
  timeMs === null || !Number.isFinite(timeMs) ? null : new Date(timeMs).toISOString()

/** SRV-35, from worst to best: the fleet is as fresh as its freshest scores. */
const stateOrder = ['fresh', 'stale', 'very_stale', 'expired', 'none'] as const

function liveSummary({ state }: ApiContext) {
  let readingMs = Number.NEGATIVE_INFINITY
  let scoredMs = Number.NEGATIVE_INFINITY
  let best: number = stateOrder.length - 1
  for (const device of state.live.devices()) {
    readingMs = Math.max(readingMs, device.lastReadingMs ?? Number.NEGATIVE_INFINITY)
    scoredMs = Math.max(scoredMs, device.latestScoredAtMs ?? Number.NEGATIVE_INFINITY)
    best = Math.min(best, stateOrder.indexOf(device.scoreState))
  }
  return { readingMs, scoredMs, scoreState: stateOrder[best] ?? 'none' }
}

function healthView(context: ApiContext, tables: readonly TableFreshness[]): HealthView {
  const nowMs = context.clock()
  const components = [...context.components()]
  const { readingMs, scoredMs, scoreState } = liveSummary(context)
  const isFailed = components.some(({ state }) => state === 'failed')
  const isLate = components.some(({ state }) => state === 'late') || scoreState.endsWith('stale')
  return {
    status: isFailed ? 'failed' : isLate || scoreState === 'expired' ? 'late' : 'ok',
    at: new Date(nowMs).toISOString(),
    score_state: scoreState,
    newest_scored_at: instant(scoredMs),
    newest_reading_at: instant(readingMs),
    tables: tables.map(({ table, version, newestDataMs, rowCount }) => ({
      table,
      version,
      newest_data_at: instant(newestDataMs),
      age_seconds: newestDataMs === null ? null : Math.round((nowMs - newestDataMs) / 1000),
      row_count: rowCount,
    })),
    components,
    event_clients: context.eventClientCount(),
  }
}

/** How fresh everything is and which part has failed. */
export function healthRoutes(context: ApiContext): readonly Route[] {
  let kept: { readonly atMs: number; readonly view: HealthView } | undefined
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/health',
      summary: 'Freshness per table and state per component',
      reply: healthSchema,
      handle: async () => {
        const nowMs = context.clock()
        if (kept === undefined || Math.abs(nowMs - kept.atMs) > keptMs) {
          kept = { atMs: nowMs, view: healthView(context, await tableFreshness(context.lake)) }
        }
        return kept.view
      },
    }),
  ]
}
