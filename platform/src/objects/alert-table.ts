import { sql } from 'kysely'
import type { LabelEventRow } from '../contracts/index.ts'
import { type AlertRecord, isActive } from './alert-record.ts'
import { raiseCount, type StateDatabase } from './state-database.ts'

/** Counter that numbers every change of an alert or label, for feeds and copies. */
export const sequenceName = 'alert_sequence'

/** Rows of one statement: bounds the JSON text that SQLite holds at a time. */
const rowsPerStatement = 2_000

type StoredRecord = { readonly body: string; readonly tracking: string }

/** An alert record from its stored columns. */
export function parseRecord({ body, tracking }: StoredRecord): AlertRecord {
  return { row: JSON.parse(body), tracking: JSON.parse(tracking) }
}

function storedColumns({ row, tracking }: AlertRecord, sequence: number) {
  return {
    alert_id: row.alert_id,
    device_id: row.device_id,
    site_id: row.site_id,
    severity: row.severity,
    status: row.status,
    model_id: row.model_id,
    suppressed: row.suppressed ? 1 : 0,
    alert_created_at: row.alert_created_at,
    sla_deadline: row.sla_deadline,
    resolved_at: row.resolved_at,
    active: isActive(row) ? 1 : 0,
    sequence,
    body: JSON.stringify(row),
    tracking: JSON.stringify(tracking),
  }
}

/** Writes records as they now are, each with a sequence of its own; returns the last sequence. */
export async function writeRecords(
  database: StateDatabase,
  records: readonly AlertRecord[],
): Promise<number> {
  const last = await raiseCount(database, sequenceName, records.length)
  const first = last - records.length + 1
  for (let start = 0; start < records.length; start += rowsPerStatement) {
    const rows = records
      .slice(start, start + rowsPerStatement)
      .map((record, index) => storedColumns(record, first + start + index))
    await sql`
      INSERT INTO device_alerts (alert_id, device_id, site_id, severity, status, model_id,
        suppressed, alert_created_at, sla_deadline, resolved_at, active, sequence, body, tracking)
      SELECT value ->> 'alert_id', value ->> 'device_id', value ->> 'site_id',
        value ->> 'severity', value ->> 'status', value ->> 'model_id', value ->> 'suppressed',
        value ->> 'alert_created_at', value ->> 'sla_deadline', value ->> 'resolved_at',
        value ->> 'active', value ->> 'sequence', value ->> 'body', value ->> 'tracking'
      FROM json_each(${JSON.stringify(rows)}) WHERE true
      ON CONFLICT (alert_id) DO UPDATE SET
        severity = excluded.severity, status = excluded.status,
        sla_deadline = excluded.sla_deadline, resolved_at = excluded.resolved_at,
        active = excluded.active, sequence = excluded.sequence,
        body = excluded.body, tracking = excluded.tracking`.execute(database)
  }
  return last
}

/** Records by id; ids that do not exist are left out. */
export async function readRecords(
  database: StateDatabase,
  alertIds: readonly string[],
): Promise<Map<string, AlertRecord>> {
  const { rows } = await sql<StoredRecord>`
    SELECT body, tracking FROM device_alerts
    WHERE alert_id IN (SELECT value FROM json_each(${JSON.stringify(alertIds)}))`.execute(database)
  return new Map(
    rows.map((stored) => {
      const record = parseRecord(stored)
      return [record.row.alert_id, record]
    }),
  )
}

/** Open suppressed records that belong to the episode of an alert, SRV-40. */
export async function readSuppressedOf(
  database: StateDatabase,
  anchors: readonly { readonly deviceId: string; readonly alertId: string }[],
): Promise<readonly AlertRecord[]> {
  if (anchors.length === 0) return []
  const { rows } = await sql<StoredRecord>`
    SELECT body, tracking FROM device_alerts
    WHERE device_id IN (SELECT value FROM json_each(${JSON.stringify(anchors.map(({ deviceId }) => deviceId))}))
      AND suppressed = 1 AND resolved_at IS NULL
      AND tracking ->> 'anchorAlertId' IN
        (SELECT value FROM json_each(${JSON.stringify(anchors.map(({ alertId }) => alertId))}))
    ORDER BY alert_created_at, alert_id`.execute(database)
  return rows.map(parseRecord)
}

/** Appends a label; the same label again changes nothing. */
export async function writeLabel(database: StateDatabase, label: LabelEventRow): Promise<void> {
  const sequence = await raiseCount(database, sequenceName)
  await database
    .insertInto('label_events')
    .values({
      label_id: label.label_id,
      alert_id: label.alert_id,
      sequence,
      body: JSON.stringify(label),
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Labels of an alert, newest first. */
export async function readLabels(
  database: StateDatabase,
  alertId: string,
): Promise<readonly LabelEventRow[]> {
  const rows = await database
    .selectFrom('label_events')
    .select('body')
    .where('alert_id', '=', alertId)
    .orderBy('sequence', 'desc')
    .execute()
  return rows.map(({ body }) => JSON.parse(body) as LabelEventRow)
}
