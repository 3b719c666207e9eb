import { z } from 'zod'
import type { FeatureCare } from '../../runtime/index.ts'
import type { ApiContext } from '../api-context.ts'
import { covers } from '../identity.ts'
import { HttpProblem } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'

const instant = z.iso.datetime()
const severity = z.enum(['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'])

const onlineSchema = z.object({
  device_id: z.string(),
  windows: z.array(
    z.object({
      window_duration_minutes: z.number().int(),
      window_start: instant,
      window_end: instant,
      operating_mode: z.string().nullable(),
      is_final: z.boolean(),
      feature_version: z.string(),
      features: z.record(z.string(), z.number().nullable()),
    }),
  ),
  last_24h: z
    .object({
      reading_count: z.number(),
      means: z.record(z.string(), z.number().nullable()),
    })
    .nullable()
    .describe('Over the trailing 24 complete hours, weighted by readings'),
  served_version: z.number().int().describe('Version of device_features'),
})

const findingSchema = z.object({
  metric: z.string(),
  subject: z.string(),
  severity: severity.nullable().describe('null: as it should be'),
  owner: z.string(),
  value: z.number(),
  threshold: z.number(),
  detail: z.string(),
})

const healthSchema = z.object({
  findings: z.array(findingSchema),
  alarms: z.array(
    z.object({
      metric: z.string(),
      subject: z.string(),
      severity,
      owner: z.string(),
      opened_at: instant,
      detail: z.string(),
    }),
  ),
  skew: z
    .object({
      checked_at: instant,
      checked_count: z.number().int(),
      differing_count: z.number().int(),
    })
    .nullable()
    .describe('Newest proof of this process; all are in feature_skew_verdicts'),
})

const iso = (ms: number) => new Date(ms).toISOString()

const named = (names: readonly string[], values: readonly (number | null)[]) =>
  Object.fromEntries(names.map((name, index) => [name, values[index] ?? null]))

/** The online features of a device, and how the features are. */
export function featureStoreRoutes({ state }: ApiContext, care: FeatureCare): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/feature-store/online/{device_id}',
      summary: 'Newest features of a device per window length',
      params: z.object({ device_id: z.string().min(1).max(128) }),
      reply: onlineSchema,
      handle: async ({ params, identity }) => {
        const { online } = care
        const row = state.registry.device(params.device_id)
        const isVisible = row !== undefined && covers(identity, row.site_id)
        const record = isVisible ? online.lookup(params.device_id) : undefined
        if (record === undefined) {
          throw new HttpProblem(404, `There are no features of ${params.device_id}.`, {
            where: 'path.device_id',
            expected: 'a device of your sites with a window in the last days',
            found: params.device_id,
            what_to_do: 'look at its readings; without readings there is no window',
          })
        }
        return {
          device_id: record.deviceId,
          windows: record.rows.map((window) => ({
            window_duration_minutes: window.durationMinutes,
            window_start: iso(window.windowStartMs),
            window_end: iso(window.windowEndMs),
            operating_mode: window.operatingMode,
            is_final: window.isFinal,
            feature_version: window.featureVersion,
            features: named(online.columns, window.values),
          })),
          last_24h:
            record.day === null
              ? null
              : {
                  reading_count: record.day.readingCount,
                  means: named(online.dayColumns, record.day.means),
                },
          served_version: online.served()?.version ?? -1,
        }
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/feature-store/health',
      summary: 'Freshness, coverage and nulls of the features, open alarms, newest skew proof',
      reply: healthSchema,
      handle: async () => {
        const { findings, alarms, verdict } = care.health()
        return {
          findings: findings.map((finding) => ({ ...finding })),
          alarms: alarms.map(({ finding, severity: level, openedMs }) => ({
            metric: finding.metric,
            subject: finding.subject,
            severity: level,
            owner: finding.owner,
            opened_at: iso(openedMs),
            detail: finding.detail,
          })),
          skew:
            verdict === undefined
              ? null
              : {
                  checked_at: iso(verdict.checkedAtMs),
                  checked_count: verdict.checkedCount,
                  differing_count: verdict.differingCount,
                },
        }
      },
    }),
  ]
}
