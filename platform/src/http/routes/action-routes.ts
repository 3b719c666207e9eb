import { z } from 'zod'
import { unreachable } from '../../contracts/index.ts'
import {
  type ActionResult,
  type AlertAction,
  falsePositiveReasons,
  personResolutionCodes,
} from '../../objects/index.ts'
import { historyEntry } from '../alert-view.ts'
import type { ApiContext } from '../api-context.ts'
import type { Identity } from '../identity.ts'
import { HttpProblem } from '../problem.ts'
import { defineRoute, type Route, type RouteRequest } from '../route.ts'
import { type AlertActionPath, alertDetailSchema } from '../schemas/alert-schema.ts'
import { type AlertPresenter, alertOf, alertParams } from './alert-routes.ts'

const text = z.string().trim().max(2000)
const inspected = z.boolean().optional().describe('The person looked at the unit on site')
const failureMode = text.min(1).optional().describe('For example refrigerant_leak')

const common = {
  expected_version: z.number().int().min(0).describe('Version of the alert as you saw it, OBJ-3'),
  performed_at: z.iso.datetime({ offset: true }).optional().describe('For queued actions, OBJ-31'),
}

type CommonBody = { readonly expected_version: number; readonly performed_at?: string | undefined }

/** `{ key: value }` if there is a value, else nothing: absent and undefined are not the same. */
function given<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  const found: { [P in K]?: V } = {}
  if (value !== undefined) found[key] = value
  return found
}

function refused(result: Exclude<ActionResult, { kind: 'ok' }>): HttpProblem {
  switch (result.kind) {
    case 'denied':
      return new HttpProblem(403, `Not allowed: ${result.reason}.`, {
        what_to_do: 'ask somebody whose role may do this',
      })
    case 'invalid':
      return new HttpProblem(400, `Not possible: ${result.reason}.`, {
        what_to_do: 'correct what was sent and do it again',
      })
    case 'conflict':
      return new HttpProblem(409, `Somebody was faster: ${result.reason}.`, {
        where: 'body.expected_version',
        expected: `version ${result.alert.version}, status ${result.alert.status}`,
        what_to_do: 'look at the alert again and decide anew; nothing was written',
      })
    case 'not_found':
      return new HttpProblem(404, `${result.reason}.`)
    default:
      return unreachable(result)
  }
}

async function perform(
  context: ApiContext,
  present: AlertPresenter,
  request: RouteRequest<{ readonly alert_id: string }, unknown, CommonBody>,
  action: AlertAction,
): Promise<z.input<typeof alertDetailSchema>> {
  const { identity, idempotencyKey, params, body } = request
  if (idempotencyKey === undefined || idempotencyKey.length < 8 || idempotencyKey.length > 200) {
    throw new HttpProblem(400, 'An action needs a key, so that a repeat does nothing twice.', {
      where: 'header Idempotency-Key',
      expected: '8 to 200 characters that are new for each action',
      what_to_do: 'send a UUID',
    })
  }
  const row = await alertOf(context, identity, params.alert_id)
  const result = await context.state.alerts.act({
    alertId: row.alert_id,
    action,
    expectedVersion: body.expected_version,
    idempotencyKey,
    actor: actorOf(identity),
    source: 'api',
    requestId: request.requestId,
    ...(body.performed_at === undefined ? {} : { performedAtMs: Date.parse(body.performed_at) }),
  })
  if (result.kind !== 'ok') throw refused(result)
  const [alerts, history] = await Promise.all([
    present([result.alert], identity),
    context.state.alerts.history(row.alert_id),
  ])
  const [alert] = alerts
  if (alert === undefined) throw new HttpProblem(404, `There is no alert ${row.alert_id}.`)
  return { ...alert, history: history.map(historyEntry), warnings: [...result.warnings] }
}

function actorOf({ id, role, siteIds }: Identity) {
  return siteIds === undefined ? { id, role } : { id, role, siteIds }
}

/** The actions on alerts of objects.md section 4; each is one atomic effect and one audit entry. */
export function actionRoutes(context: ApiContext, present: AlertPresenter): readonly Route[] {
  const action = <Shape extends z.ZodRawShape>(
    path: AlertActionPath,
    summary: string,
    shape: Shape,
    toAction: (body: z.output<z.ZodObject<Shape>>) => AlertAction,
  ) => {
    const specific = z.object(shape)
    const body = z.object(common).and(specific)
    return defineRoute({
      method: 'POST',
      path: `/api/v1/alerts/{alert_id}/actions/${path}`,
      summary,
      params: alertParams,
      body,
      reply: alertDetailSchema,
      isAction: true,
      handle: (request) =>
        perform(context, present, request, toAction(specific.parse(request.body))),
    })
  }
  return [
    action(
      'acknowledge',
      'OBJ-16: somebody has seen it',
      { operator_notes: text.optional() },
      (b) => ({
        kind: 'AcknowledgeAlert',
        ...given('notes', b.operator_notes),
      }),
    ),
    action(
      'assign',
      'OBJ-17: who works on it',
      { assignee: text.min(1), note: text.optional() },
      (b) => ({ kind: 'AssignAlert', assignee: b.assignee, ...given('note', b.note) }),
    ),
    action('start', 'OBJ-19: work begins', {}, () => ({ kind: 'StartWork' })),
    action(
      'resolve',
      'OBJ-24: it is over, and what it was',
      {
        resolution_code: z.enum(personResolutionCodes),
        resolution_notes: text.min(1),
        failure_mode: failureMode,
        inspected_on_site: inspected,
      },
      (b) => ({
        kind: 'ResolveAlert',
        resolutionCode: b.resolution_code,
        notes: b.resolution_notes,
        ...given('failureMode', b.failure_mode),
        ...given('inspectedOnSite', b.inspected_on_site),
      }),
    ),
    action(
      'false-positive',
      'OBJ-22: there was no fault, and why',
      { reason_code: z.enum(falsePositiveReasons), reason: text, inspected_on_site: inspected },
      (b) => ({
        kind: 'MarkFalsePositive',
        reasonCode: b.reason_code,
        reason: b.reason,
        ...given('inspectedOnSite', b.inspected_on_site),
      }),
    ),
    action(
      'confirm',
      'OBJ-23: it is unusual indeed',
      { failure_mode: failureMode, inspected_on_site: inspected },
      (b) => ({
        kind: 'ConfirmAnomaly',
        ...given('failureMode', b.failure_mode),
        ...given('inspectedOnSite', b.inspected_on_site),
      }),
    ),
    action('reopen', 'OBJ-25: it is not over', { reason: text.min(1) }, (b) => ({
      kind: 'ReopenAlert',
      reason: b.reason,
    })),
    action(
      'escalate',
      'OBJ-26: to the next level',
      { target_level: z.enum(['L2', 'L3']), escalated_to: text.min(1), reason: text.min(1) },
      (b) => ({
        kind: 'EscalateAlert',
        targetLevel: b.target_level,
        escalatedTo: b.escalated_to,
        reason: b.reason,
      }),
    ),
  ]
}
