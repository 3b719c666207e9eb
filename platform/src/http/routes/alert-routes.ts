import { z } from 'zod'
import { type AlertStatus, alertStatuses, severities } from '../../contracts/index.ts'
import type { AlertQuery, AlertRow } from '../../objects/index.ts'
import { alertView, historyEntry } from '../alert-view.ts'
import type { ApiContext } from '../api-context.ts'
import { covers, type Identity } from '../identity.ts'
import { HttpProblem } from '../problem.ts'
import { createEvidenceReader } from '../queries/alert-evidence.ts'
import { defineRoute, type Route } from '../route.ts'
import {
  type AlertView,
  alertDetailSchema,
  alertPageSchema,
  alertQuerySchema,
} from '../schemas/alert-schema.ts'

/** Path parameter of routes about one alert. */
export const alertParams = z.object({ alert_id: z.string().min(1).max(200) })

const openStatuses = ['OPEN', 'ACKNOWLEDGED', 'IN_PROGRESS'] as const

/** Turns rows into what the API sends; reads evidence for the whole page at once. */
export type AlertPresenter = (
  rows: readonly AlertRow[],
  identity: Identity,
) => Promise<readonly AlertView[]>

/** Creates the presenter; it keeps evidence between requests. */
export function createAlertPresenter({ lake, state }: ApiContext): AlertPresenter {
  const readEvidence = createEvidenceReader(lake)
  return async (rows, identity) => {
    const alerts = rows.map((row) => ({
      ...row,
      cohortId: state.registry.device(row.device_id)?.cohort_id ?? null,
    }))
    const evidence = await readEvidence(alerts)
    return rows.map((row) =>
      alertView(row, state.registry.device(row.device_id), evidence.get(row.alert_id), identity),
    )
  }
}

/** An alert of a site the caller covers. @throws HttpProblem 404 */
export async function alertOf(
  context: ApiContext,
  identity: Identity,
  alertId: string,
): Promise<AlertRow> {
  const record = await context.state.alerts.get(alertId)
  if (record !== undefined && covers(identity, record.row.site_id)) return record.row
  throw new HttpProblem(404, `There is no alert ${alertId}.`, {
    where: 'path.alert_id',
    expected: 'the id of an alert of your sites',
    found: alertId,
    what_to_do: 'look it up with GET /api/v1/alerts',
  })
}

function oneOf<T extends string>(
  text: string | undefined,
  allowed: readonly T[],
  name: string,
): readonly T[] | undefined {
  if (text === undefined || text === '') return undefined
  const items = text.split(',')
  const wrong = items.find((item) => !allowed.some((value) => value === item))
  if (wrong !== undefined) {
    throw new HttpProblem(400, `${name}: ${wrong} is unknown.`, {
      where: `query.${name}`,
      expected: `comma separated, of ${allowed.join(', ')}`,
      found: wrong,
      what_to_do: 'correct the filter',
    })
  }
  return allowed.filter((value) => items.includes(value))
}

function statusesOf(text: string | undefined): readonly AlertStatus[] | undefined {
  if (text === undefined || text === 'active') return openStatuses
  if (text === 'all') return undefined
  if (text === 'closed') return ['RESOLVED', 'FALSE_POSITIVE']
  return oneOf(text, alertStatuses, 'status')
}

function siteFilter(identity: Identity, site: string | undefined): Partial<AlertQuery> {
  if (site === undefined) {
    return identity.siteIds === undefined ? {} : { siteIds: identity.siteIds }
  }
  return { siteIds: covers(identity, site) ? [site] : [] }
}

function alertQuery(query: z.output<typeof alertQuerySchema>, identity: Identity): AlertQuery {
  const statuses = statusesOf(query.status)
  const wanted = oneOf(query.severity, severities, 'severity')
  const isHistory = query.status === 'all' || query.status === 'closed'
  return {
    order: isHistory ? 'newest' : 'triage',
    limit: query.limit,
    includeSuppressed: query.suppressed === 'true',
    ...(statuses === undefined ? {} : { statuses }),
    ...(wanted === undefined ? {} : { severities: wanted }),
    ...(query.device === undefined ? {} : { deviceId: query.device }),
    ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
    ...siteFilter(identity, query.site),
  }
}

/** The work list and single alerts with their history. */
export function alertRoutes(context: ApiContext, present: AlertPresenter): readonly Route[] {
  const { state, clock } = context
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/alerts',
      summary: 'Alerts in the order to act: severity, then deadline; each with its reasons',
      query: alertQuerySchema,
      reply: alertPageSchema,
      handle: async ({ query, identity }) => {
        const page = await state.alerts.query(alertQuery(query, identity))
        return {
          alerts: [...(await present(page.alerts, identity))],
          next_cursor: page.nextCursor ?? null,
          as_of: new Date(clock()).toISOString(),
        }
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/alerts/{alert_id}',
      summary: 'One alert with its reasons and its whole history',
      params: alertParams,
      reply: alertDetailSchema,
      handle: async ({ params, identity }) => {
        const row = await alertOf(context, identity, params.alert_id)
        const [alerts, history] = await Promise.all([
          present([row], identity),
          state.alerts.history(row.alert_id),
        ])
        const [alert] = alerts
        if (alert === undefined) throw new HttpProblem(404, `There is no alert ${row.alert_id}.`)
        return { ...alert, history: history.map(historyEntry), warnings: [] }
      },
    }),
  ]
}
