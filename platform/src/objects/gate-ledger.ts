import { isDeepStrictEqual } from 'node:util'
import { IsothermError } from '../contracts/index.ts'
import {
  type GateActor,
  type GateEntry,
  type GateHold,
  type GateLedger,
  type GateResult,
  gateKey,
} from '../quality/index.ts'
import { appendAudit } from './audit-log.ts'
import type { StateDatabase } from './state-database.ts'
import { uuidV5 } from './uuid-v5.ts'

/** Entries a list holds at most. */
const maxListed = 1_000
const holdRank: Readonly<Record<GateHold, number>> = { nothing: 0, scoring: 1, rows: 2 }
const system: GateActor = { id: 'self', role: 'system' }

async function save(database: StateDatabase, key: string, entry: GateEntry): Promise<void> {
  const row = {
    entry_id: entry.entryId,
    gate_key: key,
    is_open: entry.status === 'open' ? 1 : 0,
    opened_at: entry.openedAtMs,
    body: JSON.stringify(entry),
  }
  await database
    .insertInto('gate_entries')
    .values(row)
    .onConflict((conflict) => conflict.column('entry_id').doUpdateSet(row))
    .execute()
}

async function audit(
  database: StateDatabase,
  entry: GateEntry,
  what: { readonly action: string; readonly by: GateActor; readonly note?: string },
  nowMs: number,
): Promise<void> {
  const { gateId, scope, value, limit, rowCount } = entry
  await appendAudit(database, [
    {
      atMs: nowMs,
      performedAtMs: nowMs,
      actorId: what.by.id,
      actorRole: what.by.role,
      source: what.by === system ? 'system' : 'api',
      action: what.action,
      objectType: 'gate',
      objectId: entry.entryId,
      parameters: { gateId, scope, value, limit, rowCount, ...(what.note && { note: what.note }) },
      before: {},
      after: { status: entry.status },
      result: 'ok',
    },
  ])
}

async function openEntries(database: StateDatabase): Promise<ReadonlyMap<string, GateEntry>> {
  const rows = await database
    .selectFrom('gate_entries')
    .select(['gate_key', 'body'])
    .where('is_open', '=', 1)
    .execute()
  return new Map(rows.map(({ gate_key, body }) => [gate_key, JSON.parse(body) as GateEntry]))
}

/** Entries of a gate and slice so far: a second one in the same instant needs another id. */
async function earlierCount(database: StateDatabase, key: string): Promise<number> {
  const { count } = await database
    .selectFrom('gate_entries')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('gate_key', '=', key)
    .executeTakeFirstOrThrow()
  return Number(count)
}

function failed(
  known: GateEntry | undefined,
  newId: string,
  result: GateResult,
  nowMs: number,
): GateEntry {
  const { gateId, table, severity, scope, holds, value, limit, rowCount, detail } = result
  // What waits still waits, whatever a later and milder judgement says.
  const isMilder = known !== undefined && holdRank[known.holds] > holdRank[holds]
  return {
    entryId: known?.entryId ?? newId,
    ...{ gateId, table, scope },
    severity: isMilder ? known.severity : severity,
    holds: isMilder ? known.holds : holds,
    status: 'open',
    openedAtMs: known?.openedAtMs ?? nowMs,
    lastFailedAtMs: nowMs,
    failureCount: (known?.failureCount ?? 0) + 1,
    ...(isMilder
      ? { value: known.value, limit: known.limit, rowCount: known.rowCount }
      : { value, limit, rowCount }),
    ...(detail !== undefined && { detail }),
    ...(known?.decision !== undefined && { decision: known.decision }),
  }
}

async function record(
  database: StateDatabase,
  results: readonly GateResult[],
  nowMs: number,
): Promise<void> {
  const open = new Map(await openEntries(database))
  for (const result of results) {
    const key = gateKey(result.gateId, result.scope)
    const known = open.get(key)
    if (!result.isPassed) {
      const count = known === undefined ? await earlierCount(database, key) : 0
      const newId = uuidV5('gate', key, String(nowMs), String(count))
      const entry = failed(known, newId, result, nowMs)
      await save(database, key, entry)
      open.set(key, entry)
      if (known === undefined)
        await audit(database, entry, { action: 'OpenGate', by: system }, nowMs)
    } else if (known !== undefined && known.holds !== 'rows') {
      await close(database, known, system, 'the gate passed again', nowMs)
      open.delete(key)
    }
  }
}

async function close(
  database: StateDatabase,
  entry: GateEntry,
  by: GateActor,
  note: string,
  nowMs: number,
): Promise<GateEntry> {
  const { decision: _carriedOut, ...rest } = entry
  const closed: GateEntry = {
    ...rest,
    status: 'cleared',
    clearedAtMs: nowMs,
    clearedBy: by.id,
    note,
  }
  await save(database, gateKey(entry.gateId, entry.scope), closed)
  await audit(database, closed, { action: 'ClearGate', by, note }, nowMs)
  return closed
}

async function find(database: StateDatabase, entryId: string): Promise<GateEntry> {
  const row = await database
    .selectFrom('gate_entries')
    .select('body')
    .where('entry_id', '=', entryId)
    .executeTakeFirst()
  if (row !== undefined) return JSON.parse(row.body) as GateEntry
  throw new IsothermError(
    'NOT_FOUND',
    `there is no gate entry ${entryId}; see isotherm quality gates`,
  )
}

/** Gate entries over their table; every change is a line of the audit log, in one transaction. */
export function openGateLedger(database: StateDatabase, clock: () => number): GateLedger {
  const inTransaction = <T>(work: (transaction: StateDatabase) => Promise<T>): Promise<T> =>
    database.transaction().execute(work)
  return {
    record: async (results) => {
      if (results.length > 0) await inTransaction((it) => record(it, results, clock()))
    },
    list: async ({ status, limit } = {}) => {
      let query = database.selectFrom('gate_entries').select('body')
      if (status !== undefined) query = query.where('is_open', '=', status === 'open' ? 1 : 0)
      query = query.orderBy('opened_at', 'desc').orderBy('entry_id')
      // Open ones are bounded by slices and gates, and none may be overlooked: each holds something.
      const isWhole = status === 'open' && limit === undefined
      if (!isWhole) query = query.limit(Math.min(limit ?? maxListed, maxListed))
      const rows = await query.execute()
      return rows.map(({ body }) => JSON.parse(body) as GateEntry)
    },
    entry: (entryId) => find(database, entryId),
    decide: (entryId, kind, by, note) =>
      inTransaction(async (it) => {
        const entry = await find(it, entryId)
        if (entry.status === 'cleared') {
          throw new IsothermError('CONFLICT', `gate entry ${entryId} is closed already`)
        }
        if (entry.holds !== 'rows') return close(it, entry, by, note, clock())
        const decided: GateEntry = { ...entry, decision: { kind, by: by.id, note } }
        await save(it, gateKey(entry.gateId, entry.scope), decided)
        await audit(it, decided, { action: `Decide:${kind}`, by, note }, clock())
        return decided
      }),
    clear: (entryId, by, note) =>
      inTransaction(async (it) => {
        const entry = await find(it, entryId)
        if (entry.status === 'open') await close(it, entry, by, note, clock())
      }),
    changed: (gateId, before, after, by) =>
      inTransaction(async (it) => {
        const atMs = clock()
        await appendAudit(it, [
          {
            atMs,
            performedAtMs: atMs,
            actorId: by.id,
            actorRole: by.role,
            source: 'api',
            action: 'Change:expectation',
            objectType: 'gate',
            objectId: gateId,
            parameters: {},
            before,
            after,
            result: 'ok',
          },
        ])
      }),
    waits: (entryId, rowCount, tried) =>
      inTransaction(async (it) => {
        const { decision, ...entry } = await find(it, entryId)
        const isNew = decision !== undefined && !isDeepStrictEqual(decision, tried)
        const left: GateEntry = { ...entry, rowCount, ...(isNew && { decision }) }
        await save(it, gateKey(entry.gateId, entry.scope), left)
      }),
  }
}
