import type { AddFile } from '@isotherm/delta'
import { duckdbDialect } from './algebra/dialect.ts'
import { isFinalSql } from './algebra/feature-query.ts'
import { checkPending, pendingRows } from './emission.ts'
import { advancing } from './positions.ts'
import { type Progress, provenanceOf, type Run } from './progress.ts'

/** Feature files of one duration that a commit replaces. */
export type Replacement = {
  readonly progress: Progress
  readonly files: readonly AddFile[]
  /** Table of the windows whose rows come from the pending ones; the other rows are kept. */
  readonly keys?: string
}

function keptRows(run: Run, relation: string, { progress, keys }: Replacement): string {
  const rest =
    keys === undefined
      ? ''
      : `ANTI JOIN ${keys} AS renewed ON renewed.device_id = kept.device_id
         AND renewed.start_ms = epoch_ms(kept.window_start)`
  const isFinal = `coalesce(is_final, false) OR (${isFinalSql(duckdbDialect, provenanceOf(run, progress))})`
  return `UNION ALL BY NAME SELECT * REPLACE (${isFinal} AS is_final)
    FROM ${relation} AS kept ${rest}`
}

/**
 * Commits the pending rows together with the kept rows of the files they replace.
 * @returns the number of pending rows
 * @throws IsothermError GATE_FAILED, with nothing committed
 */
export async function commitPending(
  run: Run,
  positions: readonly { readonly appId: string; readonly version: number }[],
  replacements: readonly Replacement[] = [],
): Promise<number> {
  const { context, features } = run
  const { connection, fleet } = run.source
  const snapshot = await features.snapshot()
  await checkPending(connection, fleet)
  const reader = await connection.runAndReadAll(`SELECT count(*) FROM ${pendingRows}`)
  const kept = replacements
    .filter(({ files }) => files.length > 0)
    .map((replacement) =>
      keptRows(run, features.relation(snapshot, replacement.files), replacement),
    )
  await features.write({
    connection,
    query: `SELECT * FROM ${pendingRows} ${kept.join(' ')}`,
    replaces: replacements.flatMap(({ files }) => files),
    readVersion: snapshot.version,
    positions: advancing(snapshot, positions),
    operation: 'FEATURES',
    nowMs: context.nowMs,
  })
  return Number(reader.getRows()[0]?.[0])
}
