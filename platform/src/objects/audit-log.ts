import { createHash } from 'node:crypto'
import type { StateDatabase } from './state-database.ts'

/** Door through which something was asked. */
export type AuditSource = 'console' | 'mobile' | 'api' | 'system'

/** One line of the audit log, OBJ-34. */
export type AuditEntry = {
  readonly auditId: number
  readonly atMs: number
  readonly performedAtMs: number
  readonly actorId: string
  readonly actorRole: string
  readonly source: AuditSource
  readonly action: string
  readonly objectType: 'alert' | 'gate' | 'device'
  readonly objectId: string
  readonly parameters: Readonly<Record<string, unknown>>
  /** Changed properties only. */
  readonly before: Readonly<Record<string, unknown>>
  readonly after: Readonly<Record<string, unknown>>
  /** `failed`: it was allowed, but the device did not do it. */
  readonly result: 'ok' | 'denied' | 'invalid' | 'conflict' | 'failed'
  readonly reason?: string
  readonly requestId?: string
}

/** What the hash chain says about itself. */
export type AuditCheck =
  | { readonly kind: 'intact'; readonly entryCount: number }
  | { readonly kind: 'broken'; readonly auditId: number }

/** Hash before the first entry. */
const firstHash = '0'.repeat(64)
/** Entries read at a time when checking the chain. */
const pageSize = 5_000

function chained(previousHash: string, body: string): string {
  return createHash('sha256').update(previousHash).update('\n').update(body).digest('hex')
}

/** Properties that differ between two objects, as they were and as they are. */
export function changedProperties(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): Pick<AuditEntry, 'before' | 'after'> {
  const names = Object.keys(after).filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  )
  const pick = (from: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(names.map((name) => [name, from[name]]))
  return { before: pick(before), after: pick(after) }
}

/** Appends entries in the caller's transaction, each chained to the one before. */
export async function appendAudit(
  database: StateDatabase,
  entries: readonly Omit<AuditEntry, 'auditId'>[],
): Promise<readonly number[]> {
  if (entries.length === 0) return []
  const last = await database
    .selectFrom('audit_log')
    .select(['audit_id', 'hash'])
    .orderBy('audit_id', 'desc')
    .limit(1)
    .executeTakeFirst()
  let auditId = last?.audit_id ?? 0
  let hash = last?.hash ?? firstHash
  const ids: number[] = []
  for (const entry of entries) {
    auditId += 1
    const body = JSON.stringify({ auditId, ...entry })
    hash = chained(hash, body)
    await database
      .insertInto('audit_log')
      .values({ audit_id: auditId, object_id: entry.objectId, body, hash })
      .execute()
    ids.push(auditId)
  }
  return ids
}

/** History of one object, oldest first. */
export async function auditOf(
  database: StateDatabase,
  objectId: string,
): Promise<readonly AuditEntry[]> {
  const rows = await database
    .selectFrom('audit_log')
    .select('body')
    .where('object_id', '=', objectId)
    .orderBy('audit_id')
    .execute()
  return rows.map(({ body }) => JSON.parse(body) as AuditEntry)
}

/** Walks the whole chain; an altered, missing or reordered entry breaks it where it stands. */
export async function checkAudit(database: StateDatabase): Promise<AuditCheck> {
  let hash = firstHash
  let count = 0
  for (;;) {
    const rows = await database
      .selectFrom('audit_log')
      .selectAll()
      .where('audit_id', '>', count)
      .orderBy('audit_id')
      .limit(pageSize)
      .execute()
    for (const row of rows) {
      hash = chained(hash, row.body)
      if (row.audit_id !== count + 1 || row.hash !== hash) {
        return { kind: 'broken', auditId: row.audit_id }
      }
      count += 1
    }
    if (rows.length < pageSize) return { kind: 'intact', entryCount: count }
  }
}
