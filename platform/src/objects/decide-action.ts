import { type Severity, unreachable } from '../contracts/index.ts'
import { denialReason, type PermissionDetail } from './action-permissions.ts'
import type { ActionRequest, ActionResult, AlertAction } from './alert-actions.ts'
import { type AlertRow, isClosed } from './alert-record.ts'
import { slaPeriodMs } from './sla.ts'

const hourMs = 3_600_000

/** Actions queued offline are accepted this long, OBJ-31. */
const maxActionAgeMs = 72 * hourMs
/** A closed alert may be reopened this long, SRV-45. */
const reopenWithinMs = 7 * 24 * hourMs
/** Shortest reason for a false positive, in characters, OBJ-22. */
const minReasonLength = 10
/** A score above this when resolving is worth a warning, OBJ-24. */
const stillUnusualScore = 0.7

/** What a decision needs to know beyond the alert. */
export type ActionContext = {
  readonly nowMs: number
  /** Another active alert of the same device and contributor that is newer, OBJ-25. */
  readonly newerActiveExists: boolean
  readonly latestScore: number | undefined
}

/** An action's effect before it is written. */
export type ActionDecision =
  | { readonly kind: 'ok'; readonly next: AlertRow; readonly warnings: readonly string[] }
  | Extract<ActionResult, { kind: 'denied' | 'invalid' | 'conflict' }>

const invalid = (reason: string) => ({ kind: 'invalid', reason }) as const

function detailOf(action: AlertAction): PermissionDetail {
  if (action.kind === 'AssignAlert') return { assignee: action.assignee }
  if (action.kind === 'EscalateAlert') return { targetLevel: action.targetLevel }
  return {}
}

function acknowledge(alert: AlertRow, actorId: string, atMs: number): AlertRow {
  const first = {
    acknowledged_at: alert.acknowledged_at ?? atMs,
    acknowledged_by: alert.acknowledged_by ?? actorId,
  }
  return alert.status === 'OPEN'
    ? { ...alert, ...first, status: 'ACKNOWLEDGED' }
    : { ...alert, ...first }
}

function refusal(
  alert: AlertRow,
  { action, actor, expectedVersion, performedAtMs }: ActionRequest,
  context: ActionContext,
): Exclude<ActionDecision, { kind: 'ok' }> | undefined {
  const denied = denialReason(actor, action.kind, alert, detailOf(action))
  if (denied !== undefined) return { kind: 'denied', reason: denied }
  if (alert.version !== expectedVersion) {
    const reason = `the alert is at version ${alert.version}, expected ${expectedVersion}; look again`
    return { kind: 'conflict', reason, alert }
  }
  if (alert.suppressed) return invalid('the alert is suppressed; act on the active one')
  const ageMs = context.nowMs - (performedAtMs ?? context.nowMs)
  if (ageMs > maxActionAgeMs || ageMs < 0) {
    return invalid('performed_at must lie within the last 72 hours')
  }
  if (action.kind !== 'ReopenAlert' && isClosed(alert.status)) {
    return invalid(`the alert is ${alert.status}; reopen it first`)
  }
  return undefined
}

function reopen(alert: AlertRow, context: ActionContext): ActionDecision {
  if (!isClosed(alert.status)) return invalid(`the alert is ${alert.status}, not closed`)
  if (alert.resolution_code === 'SUPERSEDED') {
    return invalid('a newer alert took its place; act on that one')
  }
  if (context.nowMs - (alert.resolved_at ?? 0) > reopenWithinMs) {
    return invalid('it was closed more than 7 days ago; a new alert will be raised if it persists')
  }
  if (context.newerActiveExists) return invalid('a newer alert of the same episode is active')
  const next: AlertRow = {
    ...alert,
    status: 'OPEN',
    resolved_at: null,
    resolved_by: null,
    resolution_code: null,
    resolution_notes: null,
    sla_deadline: context.nowMs + slaPeriodMs(alert.severity satisfies Severity),
  }
  return { kind: 'ok', next, warnings: [] }
}

function resolve(
  alert: AlertRow,
  action: Extract<AlertAction, { kind: 'ResolveAlert' }>,
  closing: Pick<AlertRow, 'resolved_at' | 'resolved_by'>,
  context: ActionContext,
): ActionDecision {
  if (action.notes.trim() === '') return invalid('resolution_notes must say what was found')
  const warnings =
    (context.latestScore ?? 0) > stillUnusualScore
      ? [`the newest score is still ${context.latestScore?.toFixed(2)}`]
      : []
  const next: AlertRow = {
    ...alert,
    ...closing,
    status: 'RESOLVED',
    resolution_code: action.resolutionCode,
    resolution_notes: action.notes,
  }
  return { kind: 'ok', next, warnings }
}

function effect(alert: AlertRow, request: ActionRequest, context: ActionContext): ActionDecision {
  const { action, actor } = request
  const atMs = request.performedAtMs ?? context.nowMs
  const closing = { resolved_at: atMs, resolved_by: actor.id }
  const ok = (next: AlertRow): ActionDecision => ({ kind: 'ok', next, warnings: [] })
  switch (action.kind) {
    case 'AcknowledgeAlert':
      return alert.status === 'OPEN'
        ? ok(acknowledge(alert, actor.id, atMs))
        : invalid(`the alert is ${alert.status}, not OPEN`)
    case 'AssignAlert': {
      if (action.assignee.trim() === '') return invalid('assignee must name a person')
      const assigned = {
        ...alert,
        assignee_id: action.assignee,
        assignee_team: action.team ?? alert.assignee_team,
      }
      return ok(action.assignee === actor.id ? acknowledge(assigned, actor.id, atMs) : assigned)
    }
    case 'StartWork':
      if (alert.status === 'IN_PROGRESS') return invalid('work has already started')
      if (alert.assignee_id !== null && alert.assignee_id !== actor.id) {
        return invalid(`the alert is assigned to ${alert.assignee_id}; assign it first`)
      }
      return ok({
        ...acknowledge(alert, actor.id, atMs),
        status: 'IN_PROGRESS',
        assignee_id: actor.id,
      })
    case 'ResolveAlert':
      return resolve(alert, action, closing, context)
    case 'MarkFalsePositive':
      if (action.reason.trim().length < minReasonLength) {
        return invalid(`reason must have at least ${minReasonLength} characters`)
      }
      return ok({
        ...alert,
        ...closing,
        status: 'FALSE_POSITIVE',
        resolution_notes: `${action.reasonCode}: ${action.reason}`,
      })
    case 'ConfirmAnomaly':
      return ok(alert)
    case 'ReopenAlert':
      return reopen(alert, context)
    case 'EscalateAlert':
      if (alert.escalation_level >= action.targetLevel) {
        return invalid(`the alert is at ${alert.escalation_level}; escalation goes upward only`)
      }
      return ok({
        ...alert,
        escalation_level: action.targetLevel,
        escalated_at: atMs,
        escalated_to: action.escalatedTo,
      })
    default:
      return unreachable(action)
  }
}

/** Decides an action on an alert: permission first, then version, then its own conditions. */
export function decideAction(
  alert: AlertRow,
  request: ActionRequest,
  context: ActionContext,
): ActionDecision {
  const refused = refusal(alert, request, context)
  if (refused !== undefined) return refused
  const decision = effect(alert, request, context)
  if (decision.kind !== 'ok') return decision
  // The monitor looks once a minute; a deadline missed since then must not go unrecorded (SRV-42).
  const leavesOpen = alert.status === 'OPEN' && decision.next.status !== 'OPEN'
  const late = leavesOpen && (request.performedAtMs ?? context.nowMs) > alert.sla_deadline
  const next = {
    ...decision.next,
    sla_breached: alert.sla_breached || late,
    version: alert.version + 1,
  }
  return { ...decision, next }
}
