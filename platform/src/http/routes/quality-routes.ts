import { z } from 'zod'
import type { Role } from '../../objects/index.ts'
import { type GateScope, gateDecisions, reportHtml } from '../../quality/index.ts'
import type { Quality } from '../../runtime/index.ts'
import { covers, type Identity } from '../identity.ts'
import { HttpProblem } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'
import {
  gateEntrySchema,
  gateEntryView,
  qualitySchema,
  qualityView,
  sensorListSchema,
  sensorListView,
} from '../schemas/quality-schema.ts'

/** Who may let rows through a gate or move its limits. */
const deciders: readonly Role[] = ['admin', 'operator_lead', 'data_engineer']

/** Figures over all sites are for those who see all sites, OBJ-32. */
function requireAllSites({ siteIds }: Identity): void {
  if (siteIds === undefined) return
  throw new HttpProblem(403, 'The quality of the fleet is for those who see all sites.', {
    where: 'your role',
    expected: 'no restriction to sites',
    what_to_do: 'ask for /api/v1/quality/gates, which shows your sites',
  })
}

/** The fleet as a whole belongs to nobody with only some sites. */
function sees(identity: Identity, { siteId }: GateScope): boolean {
  return siteId === undefined ? identity.siteIds === undefined : covers(identity, siteId)
}

const daysQuery = z.object({ days: z.coerce.number().int().min(1).max(90).default(7) })

/** Quality of the data: gates, what waits behind them, reports per site and firmware. */
export function qualityRoutes(quality: Quality): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/quality/report',
      summary: 'Quality of the data per site, firmware and sensor, with gates and expectations',
      query: daysQuery,
      reply: qualitySchema,
      handle: async ({ query, identity }) => {
        requireAllSites(identity)
        return qualityView(await quality.report(query))
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/quality/report-file',
      summary: 'The report as one HTML file that needs nothing else',
      query: daysQuery,
      reply: z.object({ html: z.string() }),
      handle: async ({ query, identity }) => {
        requireAllSites(identity)
        return { html: reportHtml(await quality.report(query)) }
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/quality/sensors',
      summary: 'Sensors found weak or dead when they were last graded, with the reason',
      query: z.object({ limit: z.coerce.number().int().min(1).max(5_000).default(500) }),
      reply: sensorListSchema,
      handle: async ({ query, identity }) => {
        requireAllSites(identity)
        return sensorListView(await quality.sensors(query.limit))
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/quality/gates',
      summary: 'Entries of quality gates, newest first',
      query: z.object({ status: z.enum(['open', 'cleared']).optional() }),
      reply: z.object({ gates: z.array(gateEntrySchema) }),
      handle: async ({ query: { status }, identity }) => ({
        gates: (await quality.entries(status === undefined ? {} : { status }))
          .filter(({ scope }) => sees(identity, scope))
          .map(gateEntryView),
      }),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/quality/gates/{entry_id}/decision',
      summary: 'Judge the rows that wait again, take them as they are, or leave them out',
      params: z.object({ entry_id: z.string().max(64) }),
      body: z.object({ decision: z.enum(gateDecisions), note: z.string().max(500).default('') }),
      reply: gateEntrySchema,
      allowed: deciders,
      handle: async ({ params, body, identity }) => {
        const by = { id: identity.id, role: identity.role }
        const { scope } = await quality.entry(params.entry_id)
        if (!sees(identity, scope)) {
          throw new HttpProblem(404, `There is no gate entry ${params.entry_id}.`, {
            where: 'entry_id',
            expected: 'an entry of your sites',
            what_to_do: 'see /api/v1/quality/gates',
          })
        }
        return gateEntryView(await quality.decide(params.entry_id, body.decision, by, body.note))
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/v1/quality/expectations/{id}',
      summary: 'Change severity or limits of an expectation; an empty body puts it back',
      params: z.object({ id: z.string().max(16) }),
      body: z.object({
        severity: z.enum(['FAIL', 'ROW', 'WARN']).optional(),
        limit: z.number().min(0).max(1).optional(),
        hold_limit: z.number().min(0).max(1).nullable().optional(),
      }),
      reply: z.object({ id: z.string() }),
      allowed: deciders,
      handle: async ({ params, body, identity }) => {
        requireAllSites(identity)
        const { severity, limit, hold_limit: holdLimit } = body
        const change = {
          ...(severity !== undefined && { severity }),
          ...(limit !== undefined && { limit }),
          ...(holdLimit !== undefined && { holdLimit }),
        }
        await quality.change(params.id, change, { id: identity.id, role: identity.role })
        return { id: params.id }
      },
    }),
  ]
}
