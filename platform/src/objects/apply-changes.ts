import { type AlertChange, applyChange, closeBySystem, inheritWorkflow } from './alert-change.ts'
import { type AlertRecord, isActive, isClosed } from './alert-record.ts'
import { readRecords, readSuppressedOf, writeRecords } from './alert-table.ts'
import { type AuditEntry, appendAudit, changedProperties } from './audit-log.ts'
import type { StateDatabase } from './state-database.ts'

/** What a batch of changes did. */
export type AppliedChanges = {
  readonly created: readonly AlertRecord[]
  /** Every record written, created ones included, as it now is. */
  readonly written: readonly AlertRecord[]
}

type SystemEntry = Omit<AuditEntry, 'auditId'>

/** Audit entry of the platform's own action on an alert, OBJ-2. */
function systemEntry(
  action: string,
  before: AlertRecord,
  after: AlertRecord,
  nowMs: number,
): SystemEntry {
  return {
    atMs: nowMs,
    performedAtMs: nowMs,
    actorId: 'service',
    actorRole: 'service',
    source: 'system',
    action,
    objectType: 'alert',
    objectId: after.row.alert_id,
    parameters: {},
    ...changedProperties(before.row, after.row),
    result: 'ok',
  }
}

/** The alerts touched by one batch, as they become change by change. */
type Draft = {
  readonly records: Map<string, AlertRecord>
  readonly created: Set<string>
  readonly changed: Set<string>
  readonly entries: SystemEntry[]
}

function update(draft: Draft, next: AlertRecord, nowMs: number, audit?: string): void {
  const before = draft.records.get(next.row.alert_id)
  if (before !== undefined && audit !== undefined) {
    draft.entries.push(systemEntry(audit, before, next, nowMs))
  }
  draft.records.set(next.row.alert_id, next)
  draft.changed.add(next.row.alert_id)
}

function create(draft: Draft, record: AlertRecord, nowMs: number): void {
  if (draft.records.has(record.row.alert_id)) return
  draft.created.add(record.row.alert_id)
  update(draft, record, nowMs)
}

function succeed(
  draft: Draft,
  change: Extract<AlertChange, { kind: 'succeed' }>,
  nowMs: number,
): void {
  const { record, predecessorId, keepStatus } = change
  if (draft.records.has(record.row.alert_id)) return
  const predecessor = draft.records.get(predecessorId)
  // A person closed it since the decision: the evidence starts an alert of its own.
  if (predecessor === undefined || isClosed(predecessor.row.status)) {
    create(draft, record, nowMs)
    return
  }
  const row = inheritWorkflow(record.row, predecessor.row, keepStatus)
  create(draft, { ...record, row }, nowMs)
  const notes = `superseded by ${row.alert_id}`
  const closed = closeBySystem(predecessor.row, 'SUPERSEDED', nowMs, notes)
  update(draft, { ...predecessor, row: closed }, nowMs, 'SupersedeAlert')
}

function touchedIds(change: AlertChange): readonly string[] {
  if (change.kind === 'create') return [change.record.row.alert_id]
  if (change.kind === 'succeed') return [change.record.row.alert_id, change.predecessorId]
  return [change.alertId]
}

/** Closes a suppressed row together with the alert whose episode it belongs to, SRV-40. */
export function closeWithAnchor(record: AlertRecord, anchor: AlertRecord): AlertRecord {
  const { status, resolved_at, resolved_by, resolution_code } = anchor.row
  return {
    ...record,
    row: {
      ...record.row,
      status,
      resolved_at,
      resolved_by,
      resolution_code,
      resolution_notes: `closed with ${anchor.row.alert_id}`,
      version: record.row.version + 1,
    },
  }
}

async function closeSuppressed(
  database: StateDatabase,
  draft: Draft,
  nowMs: number,
): Promise<void> {
  const closed = [...draft.changed]
    .map((alertId) => draft.records.get(alertId)!)
    .filter(({ row }) => isClosed(row.status) && !row.suppressed)
  const rows = await readSuppressedOf(
    database,
    closed.map(({ row }) => ({ deviceId: row.device_id, alertId: row.alert_id })),
  )
  const anchors = new Map(closed.map((record) => [record.row.alert_id, record]))
  for (const stored of rows) {
    const record = draft.records.get(stored.row.alert_id) ?? stored
    const anchor = anchors.get(record.tracking.anchorAlertId ?? '')
    if (anchor !== undefined) update(draft, closeWithAnchor(record, anchor), nowMs)
  }
}

/** Applies the platform's own changes in the caller's transaction, in order. */
export async function applyChanges(
  database: StateDatabase,
  changes: readonly AlertChange[],
  nowMs: number,
): Promise<AppliedChanges> {
  const ids = [...new Set(changes.flatMap(touchedIds))]
  const draft: Draft = {
    records: await readRecords(database, ids),
    created: new Set(),
    changed: new Set(),
    entries: [],
  }
  for (const change of changes) {
    if (change.kind === 'create') create(draft, change.record, nowMs)
    else if (change.kind === 'succeed') succeed(draft, change, nowMs)
    else {
      const record = draft.records.get(change.alertId)
      const applied = record && applyChange(record, change, nowMs)
      if (applied !== undefined) update(draft, applied.record, nowMs, applied.audit)
    }
  }
  await closeSuppressed(database, draft, nowMs)
  const written = [...draft.changed].map((alertId) => draft.records.get(alertId)!)
  if (written.length > 0) await writeRecords(database, written)
  await appendAudit(database, draft.entries)
  return { created: written.filter(({ row }) => draft.created.has(row.alert_id)), written }
}

/** Alerts an incoming decision may depend on: the newest active one of the same episode. */
export function isSameEpisode(left: AlertRecord, right: AlertRecord): boolean {
  return (
    left.row.device_id === right.row.device_id &&
    (left.row.top_contributors?.[0] ?? null) === (right.row.top_contributors?.[0] ?? null) &&
    isActive(right.row)
  )
}
