import { sql } from 'kysely'
import type { AlertStatus, LabelEventRow, Severity } from '../contracts/index.ts'
import type { AlertRecord, AlertRow } from './alert-record.ts'
import { parseRecord } from './alert-table.ts'
import type { StateDatabase } from './state-database.ts'

/** Which alerts, in which order. Absent filters match everything. */
export type AlertQuery = {
  /** Unsuppressed and not closed. */
  readonly active?: boolean
  readonly deviceId?: string
  readonly siteIds?: readonly string[]
  readonly statuses?: readonly AlertStatus[]
  readonly severities?: readonly Severity[]
  readonly modelId?: string
  /** Suppressed rows too; default false. */
  readonly includeSuppressed?: boolean
  /** Created at or after, epoch ms. */
  readonly createdFromMs?: number
  /** `triage`: most severe first, then earliest deadline. `newest`: latest creation first. */
  readonly order?: 'triage' | 'newest'
  /** At most 500, default 100, OBJ-1. */
  readonly limit?: number
  /** `nextCursor` of the page before. */
  readonly cursor?: string
}

/** One page of alerts. */
export type AlertPage = {
  readonly alerts: readonly AlertRow[]
  /** Absent on the last page. */
  readonly nextCursor?: string
}

/** Alerts and labels that changed after a sequence, each as it is now. */
export type AlertChanges = {
  readonly alerts: readonly AlertRow[]
  readonly labels: readonly LabelEventRow[]
  /** Give it back to get what changed afterwards. */
  readonly sequence: number
  /** More is waiting than the limit let through. */
  readonly more: boolean
}

const maxPageSize = 500
const defaultPageSize = 100

/** Sort key of the triage order as one number column: severity, highest first. */
const rank = sql<number>`CASE severity WHEN 'CRITICAL' THEN 0 WHEN 'HIGH' THEN 1
  WHEN 'MEDIUM' THEN 2 ELSE 3 END`

type Position = readonly [number, number, string]

function parseCursor(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined
  const [first, second, alertId] = Buffer.from(cursor, 'base64url').toString().split('|')
  if (alertId === undefined) return undefined
  return [Number(first), Number(second), alertId]
}

/** Reads one page; a cursor that is not ours starts at the beginning. */
export async function queryAlerts(database: StateDatabase, query: AlertQuery): Promise<AlertPage> {
  const limit = Math.min(Math.max(1, query.limit ?? defaultPageSize), maxPageSize)
  const triage = query.order === 'triage'
  const major = triage ? rank : sql<number>`-alert_created_at`
  const minor = triage ? sql<number>`sla_deadline` : sql<number>`0`
  const after = parseCursor(query.cursor)
  let select = database
    .selectFrom('device_alerts')
    .select(['body', 'tracking', major.as('major'), minor.as('minor')])
  if (query.active === true) select = select.where('active', '=', 1)
  if (query.active === false) select = select.where('active', '=', 0)
  if (query.includeSuppressed !== true) select = select.where('suppressed', '=', 0)
  if (query.deviceId !== undefined) select = select.where('device_id', '=', query.deviceId)
  if (query.siteIds !== undefined) select = select.where('site_id', 'in', query.siteIds)
  if (query.statuses !== undefined) select = select.where('status', 'in', query.statuses)
  if (query.severities !== undefined) select = select.where('severity', 'in', query.severities)
  if (query.modelId !== undefined) select = select.where('model_id', '=', query.modelId)
  if (query.createdFromMs !== undefined) {
    select = select.where('alert_created_at', '>=', query.createdFromMs)
  }
  if (after !== undefined) {
    select = select.where(
      sql<boolean>`(${major}, ${minor}, alert_id) > (${after[0]}, ${after[1]}, ${after[2]})`,
    )
  }
  const rows = await select
    .orderBy('major')
    .orderBy('minor')
    .orderBy('alert_id')
    .limit(limit + 1)
    .execute()
  const page = rows.slice(0, limit).map((row) => ({ ...row, row: parseRecord(row).row }))
  const last = page.at(-1)
  const alerts = page.map(({ row }) => row)
  if (rows.length <= limit || last === undefined) return { alerts }
  const cursor = `${last.major}|${last.minor}|${last.row.alert_id}`
  return { alerts, nextCursor: Buffer.from(cursor).toString('base64url') }
}

/** What changed after a sequence, in order, at most `limit` alerts and labels each. */
export async function readChanges(
  database: StateDatabase,
  afterSequence: number,
  limit: number,
): Promise<AlertChanges> {
  const read = (from: StateDatabase, table: 'device_alerts' | 'label_events') =>
    from
      .selectFrom(table)
      .select(['sequence', 'body'])
      .where('sequence', '>', afterSequence)
      .orderBy('sequence')
      .limit(limit + 1)
      .execute()
  // One transaction: a change between the two reads would be skipped for good.
  const [alerts, labels] = await database
    .transaction()
    .execute(
      async (transaction) =>
        [
          await read(transaction, 'device_alerts'),
          await read(transaction, 'label_events'),
        ] as const,
    )
  // A full page of one kind ends the range for both, so that nothing in between is skipped.
  const ends = [alerts, labels]
    .filter((rows) => rows.length > limit)
    .map((rows) => rows[limit - 1]!.sequence)
  const newest = Math.max(afterSequence, ...[alerts, labels].flat().map(({ sequence }) => sequence))
  const sequence = ends.length > 0 ? Math.min(...ends) : newest
  const within = (rows: typeof alerts) => rows.filter((row) => row.sequence <= sequence)
  return {
    alerts: within(alerts).map(({ body }) => JSON.parse(body) as AlertRow),
    labels: within(labels).map(({ body }) => JSON.parse(body) as LabelEventRow),
    sequence,
    more: ends.length > 0,
  }
}

/** Records of active alerts, oldest first. */
export async function readActive(database: StateDatabase): Promise<readonly AlertRecord[]> {
  const rows = await database
    .selectFrom('device_alerts')
    .select(['body', 'tracking'])
    .where('active', '=', 1)
    .orderBy('alert_created_at')
    .orderBy('alert_id')
    .execute()
  return rows.map(parseRecord)
}

/** Records of some devices created or closed since an instant, and their active ones. */
export async function readRecent(
  database: StateDatabase,
  deviceIds: readonly string[],
  sinceMs: number,
): Promise<readonly AlertRecord[]> {
  const { rows } = await sql<{ body: string; tracking: string }>`
    SELECT body, tracking FROM device_alerts
    WHERE device_id IN (SELECT value FROM json_each(${JSON.stringify(deviceIds)}))
      AND (active = 1 OR alert_created_at >= ${sinceMs} OR resolved_at >= ${sinceMs})
    ORDER BY alert_created_at, alert_id`.execute(database)
  return rows.map(parseRecord)
}
