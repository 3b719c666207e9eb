import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { hourOf } from './door-count.ts'
import { LedgerStore, noSums, type Sums, wholeFleet } from './ledger-store.ts'

const hourMs = 3_600_000
/** Devices looked at for a list; more are only in the sums. */
const maxScanned = 20_000

/** What to report. */
export type LedgerQuery = {
  /** Hours looked back, with the one under way. */
  readonly hours: number
  /** One device instead of the fleet. */
  readonly deviceId?: string
  /** Devices listed at most; default 50. */
  readonly limit?: number
  readonly nowMs: number
}

/** One side of the books against the other: received = stored + duplicate + rejected. */
export type LedgerLine = Sums & {
  /** By reason; they add up to `rejected`. */
  readonly reasons: Readonly<Record<string, number>>
  /** received - stored - duplicate - rejected; 0 when the line balances. */
  readonly difference: number
}

/** The ledger as of its last audit. */
export type LedgerReport = {
  /** When the log was last counted, epoch ms; undefined before the first time. */
  readonly asOfMs: number | undefined
  readonly total: LedgerLine
  readonly hours: readonly (LedgerLine & { readonly startMs: number })[]
  /** Those that do not balance first, then those with most repeats and rejections. */
  readonly devices: readonly (LedgerLine & { readonly deviceId: string })[]
  /** Device hours that do not balance; fleet sums could hide two that cancel out. */
  readonly unbalancedCount: number
}

type Row = Sums & { readonly hour: number; readonly device_id: string }
type ReasonRow = { readonly hour: number; readonly reason: string; readonly count: number }

function plus(a: Sums, b: Sums): Sums {
  return {
    received: a.received + b.received,
    recovered: a.recovered + b.recovered,
    stored: a.stored + b.stored,
    duplicate: a.duplicate + b.duplicate,
    rejected: a.rejected + b.rejected,
  }
}

function lineOf(sums: Sums, reasons: readonly ReasonRow[]): LedgerLine {
  const { received, recovered, stored, duplicate, rejected } = sums
  const byReason: Record<string, number> = {}
  for (const { reason, count } of reasons) byReason[reason] = (byReason[reason] ?? 0) + count
  const difference = received - stored - duplicate - rejected
  return { received, recovered, stored, duplicate, rejected, reasons: byReason, difference }
}

type Span = { readonly first: number; readonly last: number }

/** Rows of one name by the whole key: a range of hours would read all devices of each. */
function rowsOf(store: LedgerStore, name: string, { first, last }: Span) {
  const rows: Row[] = []
  const reasons: ReasonRow[] = []
  for (let hour = first; hour <= last; hour++) {
    rows.push(
      ...store.all<Row>('SELECT * FROM entries WHERE hour = ? AND device_id = ?', hour, name),
    )
    const found = 'SELECT hour, reason, count FROM rejections WHERE hour = ? AND device_id = ?'
    reasons.push(...store.all<ReasonRow>(found, hour, name))
  }
  return { rows, reasons, total: lineOf(rows.reduce<Sums>(plus, noSums), reasons) }
}

function unbalancedCount(store: LedgerStore, name: string, first: number): number {
  const [found] = store.all<{ n: number }>(
    `SELECT count(*) AS n FROM entries INDEXED BY unbalanced
     WHERE received <> stored + duplicate + rejected AND hour >= ? AND device_id <> ?
       AND (? = ? OR device_id = ?)`,
    ...[first, wholeFleet, name, wholeFleet, name],
  )
  return found?.n ?? 0
}

function devicesOf(store: LedgerStore, span: Span, limit: number): LedgerReport['devices'] {
  const names = store.all<{ device_id: string }>(
    `SELECT device_id FROM (
       SELECT device_id, 0 AS class, 0 AS n FROM entries INDEXED BY unbalanced
         WHERE received <> stored + duplicate + rejected AND hour >= ?
       UNION ALL
       SELECT device_id, 1, n FROM (
         SELECT device_id, duplicate + rejected AS n FROM entries INDEXED BY notable
           WHERE duplicate + rejected > 0 AND hour >= ? LIMIT ${maxScanned}))
     WHERE device_id <> ? GROUP BY device_id ORDER BY min(class), sum(n) DESC, device_id LIMIT ?`,
    ...[span.first, span.first, wholeFleet, limit],
  )
  return names.map(({ device_id: deviceId }) => ({
    deviceId,
    ...rowsOf(store, deviceId, span).total,
  }))
}

function readReport(store: LedgerStore, query: LedgerQuery): LedgerReport {
  const { deviceId, hours, limit = 50, nowMs } = query
  const last = hourOf(nowMs)
  const span = { first: last - hours + 1, last }
  const name = deviceId ?? wholeFleet
  const { rows, reasons, total } = rowsOf(store, name, span)
  return {
    asOfMs: store.meta('as of'),
    total,
    hours: rows.map((row) => ({
      startMs: row.hour * hourMs,
      ...lineOf(
        row,
        reasons.filter(({ hour }) => hour === row.hour),
      ),
    })),
    devices: deviceId === undefined ? devicesOf(store, span, limit) : [],
    unbalancedCount: unbalancedCount(store, name, span.first),
  }
}

/**
 * Reads the ledger in a folder, also beside the process that writes it; all zeros without one.
 * Cost: some milliseconds, whatever the number of devices.
 */
export function readLedger(directory: string, query: LedgerQuery): LedgerReport {
  const path = join(directory, 'ledger.db')
  if (!existsSync(path)) {
    return {
      asOfMs: undefined,
      total: lineOf(noSums, []),
      hours: [],
      devices: [],
      unbalancedCount: 0,
    }
  }
  const store = new LedgerStore(path)
  try {
    return readReport(store, query)
  } finally {
    store.close()
  }
}
