import type { LabelEventRow, Severity } from '../contracts/index.ts'
import type { ActionRequest, ActionResult } from './alert-actions.ts'
import type { AlertChange } from './alert-change.ts'
import {
  type AlertChanges,
  type AlertPage,
  type AlertQuery,
  queryAlerts,
  readActive,
  readChanges,
  readRecent,
} from './alert-query.ts'
import { type AlertRecord, isActive, severityRank } from './alert-record.ts'
import { readLabels, readRecords, sequenceName } from './alert-table.ts'
import { type AppliedChanges, applyChanges } from './apply-changes.ts'
import { type AuditCheck, type AuditEntry, auditOf, checkAudit } from './audit-log.ts'
import { createListeners } from './listeners.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { performAction } from './perform-action.ts'
import { currentCount, type StateDatabase } from './state-database.ts'

/** What the active alerts of one device amount to. */
export type ActiveSummary = { readonly count: number; readonly highest: Severity | undefined }

/** Alerts, their labels and their history, contract C6 and C7. */
export type AlertStore = {
  readonly get: (alertId: string) => Promise<AlertRecord | undefined>
  readonly query: (query: AlertQuery) => Promise<AlertPage>
  /** All active records: what monitors and batch runs go through. */
  readonly active: () => Promise<readonly AlertRecord[]>
  /** Active records of some devices, and those created or closed since an instant. */
  readonly recent: (
    deviceIds: readonly string[],
    sinceMs: number,
  ) => Promise<readonly AlertRecord[]>
  /** Labels of an alert, newest first. */
  readonly labels: (alertId: string) => Promise<readonly LabelEventRow[]>
  /** Audit entries of an alert, oldest first. */
  readonly history: (alertId: string) => Promise<readonly AuditEntry[]>
  readonly checkAudit: () => Promise<AuditCheck>
  /** A person's action. Expected outcomes are values; only a broken store throws. */
  readonly act: (request: ActionRequest) => Promise<ActionResult>
  /** The platform's own changes, in one transaction; applying them twice changes nothing. */
  readonly apply: (changes: readonly AlertChange[]) => Promise<AppliedChanges>
  /** Alerts and labels changed after a sequence: for feeds and for copies in the lake. */
  readonly changesSince: (afterSequence: number, limit?: number) => Promise<AlertChanges>
  /** Sequence of the newest change. */
  readonly sequence: () => Promise<number>
  /** Calls back after each committed write with the alerts it wrote. */
  readonly onChange: (listener: (records: readonly AlertRecord[]) => void) => () => void
  /** Active alerts of a device, from memory. */
  readonly summary: (deviceId: string) => ActiveSummary
}

/** Alert store plus the way other parts join its transaction. */
export type AlertStoreInside = AlertStore & {
  /** Applies changes and writes more in the same transaction. */
  readonly applyWith: (
    changes: readonly AlertChange[],
    more: (transaction: StateDatabase) => Promise<void>,
  ) => Promise<AppliedChanges>
}

const changesPerRead = 1_000

/** Active alerts per device, kept in memory from the records written. */
function createActiveIndex() {
  const devices = new Map<string, Map<string, Severity>>()
  return {
    note: ({ row }: AlertRecord) => {
      const alerts = devices.get(row.device_id) ?? new Map<string, Severity>()
      if (isActive(row)) devices.set(row.device_id, alerts.set(row.alert_id, row.severity))
      else if (alerts.delete(row.alert_id) && alerts.size === 0) devices.delete(row.device_id)
    },
    summary: (deviceId: string): ActiveSummary => {
      let highest: Severity | undefined
      const alerts = devices.get(deviceId)
      for (const severity of alerts?.values() ?? []) {
        if (highest === undefined || severityRank(severity) > severityRank(highest)) {
          highest = severity
        }
      }
      return { count: alerts?.size ?? 0, highest }
    },
  }
}

/** The alert store over its tables. */
export async function openAlertStore(
  database: StateDatabase,
  clock: () => number,
  latestScore: (deviceId: string) => number | undefined,
): Promise<AlertStoreInside> {
  const inTurn = oneAtATime()
  const listeners = createListeners<readonly AlertRecord[]>()
  const index = createActiveIndex()
  for (const record of await readActive(database)) index.note(record)

  const tell = (written: readonly AlertRecord[]) => {
    if (written.length === 0) return
    for (const record of written) index.note(record)
    listeners.tell(written)
  }
  const applyWith: AlertStoreInside['applyWith'] = (changes, more) =>
    inTurn(async () => {
      const applied = await database.transaction().execute(async (transaction) => {
        const done = await applyChanges(transaction, changes, clock())
        await more(transaction)
        return done
      })
      tell(applied.written)
      return applied
    })
  const act = (request: ActionRequest) =>
    inTurn(async () => {
      const { result, written } = await database
        .transaction()
        .execute((transaction) => performAction(transaction, request, latestScore, clock()))
      tell(written)
      return result
    })
  return {
    get: async (alertId) => (await readRecords(database, [alertId])).get(alertId),
    query: (query) => queryAlerts(database, query),
    active: () => readActive(database),
    recent: (deviceIds, sinceMs) => readRecent(database, deviceIds, sinceMs),
    labels: (alertId) => readLabels(database, alertId),
    history: (alertId) => auditOf(database, alertId),
    checkAudit: () => checkAudit(database),
    act,
    apply: (changes) => applyWith(changes, () => Promise.resolve()),
    applyWith,
    changesSince: (afterSequence, limit = changesPerRead) =>
      readChanges(database, afterSequence, limit),
    sequence: () => currentCount(database, sequenceName),
    onChange: listeners.add,
    summary: index.summary,
  }
}
