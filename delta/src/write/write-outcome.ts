import { setTimeout as pause } from 'node:timers/promises'
import { discardFiles } from '../data/write-files.ts'
import { DeltaError } from '../errors.ts'
import type { AddFile } from '../log/actions.ts'
import type { CommitRequest } from '../log/commit-request.ts'
import type { CommitConflict } from '../log/conflict.ts'
import type { Snapshot } from '../log/replay.ts'
import { checkWritable } from '../log/writable.ts'
import type { DeltaTable } from '../table.ts'

/** How a write ended. A conflict is no error: the table is as the winner left it, and ours is gone. */
export type WriteOutcome =
  | {
      readonly kind: 'committed'
      readonly version: number
      readonly timestampMs: number
      /** Counts as in the table's history, for instance `numOutputRows`. */
      readonly metrics: Readonly<Record<string, number>>
    }
  /** Nothing to change: no rows given, or none that the condition meets. */
  | { readonly kind: 'unchanged'; readonly version: number }
  /** The transaction given is in the table already, so its work was done before. */
  | { readonly kind: 'repeated'; readonly version: number }
  | CommitConflict

/** What every write can be told. */
export interface WriteControl {
  /**
   * Makes the write safe to repeat: it is left out if the table has this `appId` at this version or
   * a later one. Versions rise; one writer at a time per `appId`.
   */
  readonly transaction?: { readonly appId: string; readonly version: number }
  /** Times that the write is planned and tried before a conflict is reported. Default 20. */
  readonly maxAttempts?: number
  /** Time of the commit, milliseconds since 1970. Default: the host's clock. */
  readonly timestampMs?: number
}

/** A change planned on a snapshot, its files written; undefined if there is nothing to change. */
export type PlannedChange = Pick<
  CommitRequest,
  | 'adds'
  | 'removes'
  | 'metadata'
  | 'protocol'
  | 'readsFile'
  | 'blindAppend'
  | 'dataChange'
  | 'operation'
  | 'operationParameters'
> & {
  readonly metrics: Readonly<Record<string, number>>
  /** True if the files added were there before: then they outlive a lost attempt. Default false. */
  readonly keepsFiles?: boolean
}

const defaultAttempts = 20

/**
 * Plans a change, commits it, and on a conflict plans anew from a fresh snapshot. Files of a lost
 * attempt are deleted. A crash at any point leaves only files that VACUUM takes.
 */
export async function commitPlanned(
  table: DeltaTable,
  control: WriteControl,
  plan: (snapshot: Snapshot) => Promise<PlannedChange | undefined>,
): Promise<WriteOutcome> {
  const { transaction, maxAttempts = defaultAttempts, timestampMs } = control
  for (let attempt = 1; ; attempt++) {
    const snapshot = await table.snapshot()
    const { version, protocol, metadata, schema } = snapshot
    // Before any file is written; what else the change needs is checked by the commit.
    checkWritable(protocol, metadata, schema, table.store.location, { deletesRows: false })
    if (transaction !== undefined) {
      const done = snapshot.transactions.get(transaction.appId) ?? -1
      if (done >= transaction.version) return { kind: 'repeated', version }
    }
    const planned = (await plan(snapshot)) ?? nothingBut(transaction)
    if (planned === undefined) return { kind: 'unchanged', version }
    const { metrics, keepsFiles = false, ...change } = planned
    const outcome = await committed(table, keepsFiles ? [] : (planned.adds ?? []), {
      ...change,
      readVersion: version,
      operationMetrics: textMetrics(metrics),
      ...(transaction === undefined ? {} : { transactions: [transaction] }),
      ...(timestampMs === undefined ? {} : { timestampMs }),
    })
    if (outcome.kind === 'committed') {
      return {
        kind: 'committed',
        version: outcome.version,
        timestampMs: outcome.timestampMs,
        metrics,
      }
    }
    if (attempt >= maxAttempts) return outcome
    await pause(backoffMs(attempt, table))
  }
}

/** With a transaction, progress is noted even if no row came of it. */
function nothingBut(transaction: WriteControl['transaction']): PlannedChange | undefined {
  return transaction === undefined ? undefined : { operation: 'WRITE', metrics: {} }
}

/** Commits; where nothing came of it, the files that were written for it are deleted. */
async function committed(table: DeltaTable, written: readonly AddFile[], request: CommitRequest) {
  try {
    const outcome = await table.commit(request)
    if (outcome.kind === 'conflict') await discardFiles(table, written)
    return outcome
  } catch (cause) {
    // Errors of this package come before the commit; after any other, the files may be in the table.
    if (cause instanceof DeltaError) await discardFiles(table, written)
    throw cause
  }
}

/** Numbers as the log has them. */
function textMetrics(metrics: Readonly<Record<string, number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metrics).map(([name, count]) => [name, String(count)]))
}

/** Rivals draw apart: up to 5 ms after the first lost race, doubling up to 320 ms. */
function backoffMs(attempt: number, table: DeltaTable): number {
  const draw = Number.parseInt(table.host.uuid().replaceAll('-', '').slice(-4), 16) / 0xffff
  return 5 * 2 ** Math.min(attempt - 1, 6) * draw
}
