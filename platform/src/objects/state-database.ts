import { closeSync, existsSync, mkdirSync, openSync, readSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Generated, Kysely, SqliteDialect } from 'kysely'
import { IsothermError } from '../contracts/index.ts'
import { migrations } from './migrations.ts'
import { openNodeSqlite } from './node-sqlite.ts'

/** Tables of the state store as kysely sees them; `body` columns hold JSON. */
export type StateTables = {
  counters: { name: string; value: number }
  device_registry: {
    device_id: string
    valid_from: number
    valid_to: number | null
    body: string
  }
  credentials: { device_id: string; kind: string; username: string | null; secret: string }
  certificate_authorities: { thumbprint: string; certificate: string }
  revoked_certificates: { certificate: string; reason: string; revoked_at: number }
  hub_devices: { device_id: string; body: string }
  connect_policies: { name: string; secret: string }
  collectors: { collector_id: string; token_hash: string; may_backdate: number }
  device_alerts: {
    alert_id: string
    device_id: string
    site_id: string
    severity: string
    status: string
    model_id: string
    suppressed: number
    alert_created_at: number
    sla_deadline: number
    resolved_at: number | null
    active: number
    sequence: number
    body: string
    tracking: string
  }
  label_events: { label_id: string; alert_id: string | null; sequence: number; body: string }
  audit_log: { audit_id: number; object_id: string; body: string; hash: string }
  action_results: { idempotency_key: string; at: number; request: string; result: string }
  device_live: { part: string; chunk: number; body: string }
  settings: { name: string; value: string }
  rule_positions: { generation: number; partition: number; next_offset: number }
  rule_states: {
    device_id: string
    generation: number
    partition: number
    next_offset: number
    body: string
  }
  cloud_messages: {
    sequence: number
    device_id: string
    expires_at: number
    delivery_count: number
    abandon_count: number
    body: string
    payload: Uint8Array
  }
  message_feedback: { feedback_id: Generated<number>; at: number; body: string }
  device_twins: { device_id: string; body: string }
  mqtt_sessions: { device_id: string; subscriptions: number }
  enrollments: { enrollment_id: string; body: string; secret: string | null }
  registrations: { registration_id: string; body: string }
  gate_entries: {
    entry_id: string
    gate_key: string
    is_open: number
    opened_at: number
    body: string
  }
}

/** The state store as a query builder; also what a transaction hands out. */
export type StateDatabase = Kysely<StateTables>

/** SQLite keeps `user_version` as a big-endian integer at this byte of the file header. */
const userVersionAt = 60
const headerSize = 100

function versionInHeader(path: string): number {
  const file = openSync(path, 'r')
  try {
    const header = Buffer.alloc(headerSize)
    return readSync(file, header, 0, headerSize, 0) < headerSize
      ? 0
      : header.readInt32BE(userVersionAt)
  } finally {
    closeSync(file)
  }
}

function refuseNewer(path: string, found: number): void {
  if (found <= migrations.length) return
  throw new IsothermError(
    'DATA_FOLDER_TOO_NEW',
    `${path} has schema version ${found}, this program knows versions up to ${migrations.length}; ` +
      'start the newer program again or restore a backup made by this one',
  )
}

/**
 * Opens the state store and brings its schema up to date, one transaction per version.
 * @throws IsothermError DATA_FOLDER_TOO_NEW before anything is opened for writing
 */
export function openStateDatabase(path: string): StateDatabase {
  mkdirSync(dirname(path), { recursive: true })
  if (existsSync(path)) refuseNewer(path, versionInHeader(path))
  const sqlite = openNodeSqlite(path)
  try {
    const [row] = sqlite.prepare('PRAGMA user_version').all([]) as { user_version: number }[]
    const found = row?.user_version ?? 0
    refuseNewer(path, found)
    migrations.slice(found).forEach((text, index) => {
      sqlite.exec(`BEGIN; ${text}; PRAGMA user_version = ${found + index + 1}; COMMIT`)
    })
    // The version must stand in the file itself, where an older program looks for it.
    if (found < migrations.length) sqlite.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } catch (cause) {
    sqlite.close()
    throw cause
  }
  return new Kysely<StateTables>({ dialect: new SqliteDialect({ database: sqlite }) })
}

/** Raises a named counter and returns its new value; part of the caller's transaction. */
export async function raiseCount(database: StateDatabase, name: string, by = 1): Promise<number> {
  const row = await database
    .insertInto('counters')
    .values({ name, value: by })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet((builder) => ({ value: builder('counters.value', '+', by) })),
    )
    .returning('value')
    .executeTakeFirstOrThrow()
  return row.value
}

/** Current value of a named counter, 0 before its first use. */
export async function currentCount(database: StateDatabase, name: string): Promise<number> {
  const row = await database
    .selectFrom('counters')
    .select('value')
    .where('name', '=', name)
    .executeTakeFirst()
  return row?.value ?? 0
}
