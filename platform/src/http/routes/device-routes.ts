import { z } from 'zod'
import type { ApiContext } from '../api-context.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import {
  deviceView,
  type KnownDevice,
  selectDevices,
  siteViews,
  visibleDevices,
} from '../device-list.ts'
import { covers, type Identity } from '../identity.ts'
import { HttpProblem } from '../problem.ts'
import { downsampledReadings } from '../queries/downsampled-readings.ts'
import { latestFeatures } from '../queries/latest-features.ts'
import { scoreHistory } from '../queries/score-history.ts'
import { defineRoute, type Route } from '../route.ts'
import {
  devicePageSchema,
  deviceQuerySchema,
  deviceSchema,
  healthStatuses,
  type Overview,
  overviewSchema,
  siteListSchema,
} from '../schemas/device-schema.ts'
import {
  featuresSchema,
  rangeQuerySchema,
  readingsSchema,
  scoresSchema,
} from '../schemas/series-schema.ts'

const deviceParams = z.object({ device_id: z.string().min(1).max(128) })

/** Longest range of a series: older history is read from the tables. */
const longestRangeMs = 400 * 86_400_000

function deviceOf(context: ApiContext, identity: Identity, deviceId: string): KnownDevice {
  const row = context.state.registry.device(deviceId)
  const live = context.state.live.device(deviceId)
  if (row !== undefined && live !== undefined && covers(identity, row.site_id)) return { row, live }
  throw new HttpProblem(404, `There is no device ${deviceId}.`, {
    where: 'path.device_id',
    expected: 'the id of a registered device of your sites',
    found: deviceId,
    what_to_do: 'look it up with GET /api/v1/devices?search=',
  })
}

function boundsOf(query: { readonly from: string; readonly to: string }) {
  const fromMs = Date.parse(query.from)
  const toMs = Date.parse(query.to)
  if (fromMs < toMs && toMs - fromMs <= longestRangeMs) return { fromMs, toMs }
  throw new HttpProblem(400, 'The time range is empty or longer than 400 days.', {
    where: 'query.from, query.to',
    expected: 'from before to, at most 400 days',
    found: `${query.from} to ${query.to}`,
    what_to_do: 'ask for a shorter range, or query the table',
  })
}

const trendNumber = { increasing: 1, stable: 0, decreasing: -1 } as const

function overviewOf(devices: readonly KnownDevice[], nowMs: number): Overview {
  const sites = siteViews(devices)
  const siteIndex = new Map(sites.map(({ site_id: id }, index) => [id, index]))
  const models = [...new Set(devices.map(({ row }) => row.model))].toSorted()
  const modelIndex = new Map(models.map((model, index) => [model, index]))
  return {
    as_of: new Date(nowMs).toISOString(),
    sites: [...sites],
    models,
    health_statuses: [...healthStatuses],
    device_id: devices.map(({ row }) => row.device_id),
    site: devices.map(({ row }) => siteIndex.get(row.site_id) ?? 0),
    model: devices.map(({ row }) => modelIndex.get(row.model) ?? 0),
    health: devices.map(({ live }) => healthStatuses.indexOf(live.healthStatus)),
    score: devices.map(({ live }) =>
      live.latestScore === undefined ? null : Math.round(live.latestScore * 1e4) / 1e4,
    ),
    trend: devices.map(({ live }) =>
      live.anomalyTrend === undefined ? null : trendNumber[live.anomalyTrend],
    ),
    open_alert_count: devices.map(({ live }) => live.openAlertCount),
  }
}

function listRoutes(context: ApiContext): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/overview',
      summary: 'Health of every device, in columns',
      reply: overviewSchema,
      handle: async ({ identity }) =>
        overviewOf(visibleDevices(context.state, identity), context.clock()),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/sites',
      summary: 'Sites, those with most devices in alert first',
      reply: siteListSchema,
      handle: async ({ identity }) => ({
        sites: [...siteViews(visibleDevices(context.state, identity))],
      }),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/devices',
      summary: 'Devices by health, site, model or search; pages of at most 500',
      query: deviceQuerySchema,
      reply: devicePageSchema,
      handle: async ({ query, identity }) => {
        const { limit, cursor, health, site, model, search, sort } = query
        const list = JSON.stringify(['devices', health, site, model, search, sort])
        const start = decodeCursor(list, cursor)
        const found = selectDevices(visibleDevices(context.state, identity), {
          health: health === undefined ? [] : health.split(','),
          site,
          model,
          search: search ?? '',
          sort,
        })
        const end = start + limit
        return {
          devices: found.slice(start, end).map(deviceView),
          total_count: found.length,
          next_cursor: end < found.length ? encodeCursor(list, end) : null,
        }
      },
    }),
  ]
}

function seriesRoutes(context: ApiContext): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/devices/{device_id}/readings',
      summary: 'Readings in buckets: mean, min, max and count, at most 2,200 points per series',
      params: deviceParams,
      query: rangeQuerySchema,
      reply: readingsSchema,
      handle: async ({ params, query, identity }) => {
        const { row, live } = deviceOf(context, identity, params.device_id)
        const { fromMs, toMs } = boundsOf(query)
        const found = await downsampledReadings(context.lake, {
          deviceId: row.device_id,
          fromMs,
          toMs,
          points: query.points,
        })
        return {
          device_id: row.device_id,
          from: new Date(fromMs).toISOString(),
          to: new Date(toMs).toISOString(),
          ...found,
          newest_reading_at:
            live.lastReadingMs === undefined ? null : new Date(live.lastReadingMs).toISOString(),
        }
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/devices/{device_id}/scores',
      summary: 'Scores over time, one series per model, duration and role',
      params: deviceParams,
      query: rangeQuerySchema.omit({ points: true }),
      reply: scoresSchema,
      handle: async ({ params, query, identity }) => {
        const { row } = deviceOf(context, identity, params.device_id)
        const { fromMs, toMs } = boundsOf(query)
        const found = await scoreHistory(context.lake, { deviceId: row.device_id, fromMs, toMs })
        return {
          device_id: row.device_id,
          from: new Date(fromMs).toISOString(),
          to: new Date(toMs).toISOString(),
          ...found,
        }
      },
    }),
  ]
}

/** Devices and sites, answered from stored properties, and their series from the tables. */
export function deviceRoutes(context: ApiContext): readonly Route[] {
  return [
    ...listRoutes(context),
    defineRoute({
      method: 'GET',
      path: '/api/v1/devices/{device_id}',
      summary: 'One device',
      params: deviceParams,
      reply: deviceSchema,
      handle: async ({ params, identity }) =>
        deviceView(deviceOf(context, identity, params.device_id)),
    }),
    ...seriesRoutes(context),
    defineRoute({
      method: 'GET',
      path: '/api/v1/devices/{device_id}/features',
      summary: 'Newest features per window length, each beside what is normal',
      params: deviceParams,
      reply: featuresSchema,
      handle: async ({ params, identity }) => {
        const { row } = deviceOf(context, identity, params.device_id)
        const scope = { deviceId: row.device_id, cohortId: row.cohort_id }
        return { device_id: row.device_id, windows: await latestFeatures(context.lake, scope) }
      },
    }),
  ]
}
