import { labelOfAction } from './action-label.ts'
import type { ActionRequest, ActionResult } from './alert-actions.ts'
import { readRecent } from './alert-query.ts'
import { type AlertRecord, isClosed } from './alert-record.ts'
import {
  readLabels,
  readRecords,
  readSuppressedOf,
  writeLabel,
  writeRecords,
} from './alert-table.ts'
import { closeWithAnchor, isSameEpisode } from './apply-changes.ts'
import { type AuditEntry, appendAudit, changedProperties } from './audit-log.ts'
import { decideAction } from './decide-action.ts'
import type { StateDatabase } from './state-database.ts'
import { uuidV5 } from './uuid-v5.ts'

/** Results of actions are kept this long for repeats; offline queues hold at most 72 h, OBJ-31. */
const keepResultsMs = 7 * 24 * 3_600_000

/** What an action did: its result and the records it wrote. */
export type PerformedAction = {
  readonly result: ActionResult
  readonly written: readonly AlertRecord[]
}

async function earlierResult(
  database: StateDatabase,
  key: string,
  request: string,
): Promise<ActionResult | undefined> {
  const row = await database
    .selectFrom('action_results')
    .select(['request', 'result'])
    .where('idempotency_key', '=', key)
    .executeTakeFirst()
  if (row === undefined) return undefined
  if (row.request === request) return JSON.parse(row.result)
  return {
    kind: 'invalid',
    reason: 'the idempotency key was used for another action; make a new one',
  }
}

function auditEntry(
  request: ActionRequest,
  result: ActionResult,
  before: AlertRecord | undefined,
  nowMs: number,
): Omit<AuditEntry, 'auditId'> {
  const { kind: action, ...parameters } = request.action
  const changes =
    result.kind === 'ok' && before !== undefined
      ? changedProperties(before.row, result.alert)
      : { before: {}, after: {} }
  return {
    atMs: nowMs,
    performedAtMs: request.performedAtMs ?? nowMs,
    actorId: request.actor.id,
    actorRole: request.actor.role,
    source: request.source,
    action,
    objectType: 'alert',
    objectId: request.alertId,
    parameters,
    ...changes,
    result: result.kind === 'not_found' ? 'invalid' : result.kind,
    ...(result.kind === 'ok' ? {} : { reason: result.reason }),
    ...(request.requestId === undefined ? {} : { requestId: request.requestId }),
  }
}

async function write(
  database: StateDatabase,
  request: ActionRequest,
  before: AlertRecord,
  next: AlertRecord,
  warnings: readonly string[],
  nowMs: number,
): Promise<PerformedAction> {
  const closes = isClosed(next.row.status) && !isClosed(before.row.status)
  const suppressed = closes
    ? await readSuppressedOf(database, [
        { deviceId: next.row.device_id, alertId: next.row.alert_id },
      ])
    : []
  const written = [next, ...suppressed.map((record) => closeWithAnchor(record, next))]
  await writeRecords(database, written)
  const [newest] = await readLabels(database, request.alertId)
  const label = labelOfAction({
    action: request.action,
    alert: next.row,
    newest,
    labelId: uuidV5('label', request.alertId, String(next.row.version)),
    labeledAtMs: nowMs,
  })
  if (label !== undefined) await writeLabel(database, label)
  const result: ActionResult = {
    kind: 'ok',
    alert: next.row,
    ...(label === undefined ? {} : { label }),
    warnings,
  }
  return { result, written }
}

async function decideAndWrite(
  database: StateDatabase,
  request: ActionRequest,
  before: AlertRecord | undefined,
  latestScore: number | undefined,
  nowMs: number,
): Promise<PerformedAction> {
  if (before === undefined) {
    const reason = `there is no alert ${request.alertId}`
    return { result: { kind: 'not_found', reason }, written: [] }
  }
  const { device_id: deviceId, alert_created_at: createdAt } = before.row
  const recent =
    request.action.kind === 'ReopenAlert' ? await readRecent(database, [deviceId], createdAt) : []
  const decision = decideAction(before.row, request, {
    nowMs,
    newerActiveExists: recent.some(
      (other) => other.row.alert_id !== request.alertId && isSameEpisode(before, other),
    ),
    latestScore,
  })
  if (decision.kind !== 'ok') return { result: decision, written: [] }
  const next = { ...before, row: decision.next }
  return write(database, request, before, next, decision.warnings, nowMs)
}

/** Performs one action in the caller's transaction: effect, label, audit record, stored result. */
export async function performAction(
  database: StateDatabase,
  request: ActionRequest,
  latestScore: (deviceId: string) => number | undefined,
  nowMs: number,
): Promise<PerformedAction> {
  const key = `${request.actor.id}:${request.idempotencyKey}`
  const { alertId, action, expectedVersion } = request
  const fingerprint = JSON.stringify({ alertId, action, expectedVersion })
  const earlier = await earlierResult(database, key, fingerprint)
  if (earlier !== undefined) return { result: earlier, written: [] }
  const before = (await readRecords(database, [alertId])).get(alertId)
  const score = before && latestScore(before.row.device_id)
  const performed = await decideAndWrite(database, request, before, score, nowMs)
  await appendAudit(database, [auditEntry(request, performed.result, before, nowMs)])
  await database
    .insertInto('action_results')
    .values({
      idempotency_key: key,
      at: nowMs,
      request: fingerprint,
      result: JSON.stringify(performed.result),
    })
    .execute()
  await database
    .deleteFrom('action_results')
    .where('at', '<', nowMs - keepResultsMs)
    .execute()
  return performed
}
