import type { DuckDBConnection } from '@duckdb/node-api'
import type { AddFile, Snapshot } from '@isotherm/delta'
import { sqlInstant, timeSpan } from '../clean/index.ts'
import type { LakeTable } from '../lake/index.ts'
import { duckdbDialect } from './algebra/dialect.ts'
import { isFinalSql } from './algebra/feature-query.ts'
import { type FinalBounds, lateCreationMs, type WindowRule } from './window-rules.ts'

/** Windows of one duration that late readings reopen. */
export type LateWindows = {
  /** Temporary table (device_id, start_ms) of the windows to compute again or for the first time. */
  readonly keys: string
  readonly keyCount: number
  /** Span of those windows, epoch ms, half-open. */
  readonly startMs: number
  readonly endMs: number
  /** Readings that came too late to change anything, FEA-11. */
  readonly droppedCount: number
  /** Feature files that hold rows of the keys. */
  readonly files: readonly AddFile[]
}

type Row = readonly unknown[]

async function rowsOf(connection: DuckDBConnection, query: string): Promise<readonly Row[]> {
  return (await connection.runAndReadAll(query)).getRowsJS()
}

/** Feature files of a duration whose windows may start in [startMs, endMs). */
function featureFiles(
  snapshot: Snapshot,
  { minutes }: WindowRule,
  startMs: number,
  endMs: number,
): readonly AddFile[] {
  return snapshot.files.filter((file) => {
    if (file.partitionValues.window_duration_minutes !== String(minutes)) return false
    const { minMs, maxMs } = timeSpan(file, 'window_start')
    return minMs < endMs && maxMs >= startMs
  })
}

/** All rows of some files, each with the index of its file. */
function numbered(table: LakeTable, snapshot: Snapshot, files: readonly AddFile[]): string {
  const selects = files.map(
    (file, index) =>
      `SELECT ${index} AS file_index, device_id, epoch_ms(window_start) AS start_ms, window_end,
        is_final, late_created FROM ${table.relation(snapshot, [file])}`,
  )
  return `(${selects.join(' UNION ALL ')})`
}

/** Newly clean rows that belong to windows already emitted, summed up per device and window. */
async function collectLateReadings(
  connection: DuckDBConnection,
  newRows: string,
  rule: WindowRule,
  completeMs: number,
): Promise<readonly [startMs: number, endMs: number] | undefined> {
  await connection.run(`CREATE OR REPLACE TEMP TABLE late_readings AS
    SELECT device_id, start_ms, count(*) AS late_count,
      bool_or(arrived_ms <= start_ms + ${rule.lengthMs + rule.graceMs}) AS any_on_time,
      bool_or(arrived_ms <= start_ms + ${rule.lengthMs + Math.max(rule.graceMs, lateCreationMs)})
        AS may_create
    FROM (SELECT device_id, epoch_ms(timestamp_ingested) AS arrived_ms,
        epoch_ms(timestamp_utc) // ${rule.lengthMs} * ${rule.lengthMs} AS start_ms
      FROM ${newRows} WHERE timestamp_utc < ${sqlInstant(completeMs)})
    GROUP BY ALL`)
  const [span] = await rowsOf(
    connection,
    'SELECT min(start_ms)::DOUBLE, max(start_ms)::DOUBLE FROM late_readings',
  )
  const [first, last] = span ?? []
  return typeof first === 'number' && typeof last === 'number'
    ? [first, last + rule.lengthMs]
    : undefined
}

/**
 * Finds the windows that newly clean rows reopen (FEA-10, FEA-11). Readings that arrived within the
 * grace belong to the window, even if they are cleansed after it was closed (a slow partition, an
 * import of history in several parts): the row is a function of the readings, not of when jobs ran.
 * Later ones create a missing window, or add to one created so, for a day.
 */
export async function findLateWindows(
  connection: DuckDBConnection,
  features: LakeTable,
  snapshot: Snapshot,
  rule: WindowRule,
  newRows: string,
  completeMs: number,
): Promise<LateWindows | undefined> {
  const span = await collectLateReadings(connection, newRows, rule, completeMs)
  if (span === undefined) return undefined
  const [startMs, endMs] = span
  const candidates = featureFiles(snapshot, rule, startMs, endMs)
  const existing =
    candidates.length === 0
      ? '(SELECT NULL::INTEGER AS file_index, NULL AS device_id, NULL AS start_ms, true AS is_final, false AS late_created WHERE false)'
      : numbered(features, snapshot, candidates)
  const keys = `late_keys_${rule.minutes}`
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${keys} AS
    SELECT device_id, start_ms, file_index, late_count FROM late_readings
    LEFT JOIN ${existing} AS existing USING (device_id, start_ms)
    WHERE any_on_time
      OR (may_create AND (file_index IS NULL OR (late_created AND NOT is_final)))`)
  const [counts] = await rowsOf(
    connection,
    `SELECT (SELECT coalesce(sum(late_count), 0)::DOUBLE FROM late_readings),
      (SELECT coalesce(sum(late_count), 0)::DOUBLE FROM ${keys}),
      (SELECT count(*)::DOUBLE FROM ${keys}),
      (SELECT list(DISTINCT file_index) FROM ${keys} WHERE file_index IS NOT NULL)`,
  )
  const touched = new Set((counts?.[3] ?? []) as readonly number[])
  return {
    keys,
    keyCount: Number(counts?.[2]),
    startMs,
    endMs,
    droppedCount: Number(counts?.[0]) - Number(counts?.[1]),
    files: candidates.filter((_, index) => touched.has(index)),
  }
}

/**
 * Files with rows that became final since the last run. Each window is rewritten once for it: the
 * flag is part of the row that training reads, and a rewrite of one window's file costs about as
 * much as its emission, once per duration.
 */
export async function findFinalized(
  connection: DuckDBConnection,
  features: LakeTable,
  snapshot: Snapshot,
  rule: WindowRule,
  before: FinalBounds,
  now: FinalBounds,
): Promise<readonly AddFile[]> {
  const spans = [
    [before.finalUntilMs, now.finalUntilMs],
    [before.lateFinalUntilMs, now.lateFinalUntilMs],
  ] as const
  const candidates = new Set(
    spans.flatMap(([from, to]) =>
      to > from ? featureFiles(snapshot, rule, from - rule.lengthMs, to) : [],
    ),
  )
  if (candidates.size === 0) return []
  const files = [...candidates]
  const found = await rowsOf(
    connection,
    `SELECT DISTINCT file_index FROM ${numbered(features, snapshot, files)}
      WHERE NOT is_final AND ${isFinalSql(duckdbDialect, now)}`,
  )
  const touched = new Set(found.map(([index]) => index))
  return files.filter((_, index) => touched.has(index))
}
