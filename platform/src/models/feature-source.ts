import type { AddFile, Snapshot } from '@isotherm/delta'
import { quoteName } from '../contracts/index.ts'
import type { Lake, LakeTable } from '../lake/index.ts'
import { carryLimitMs } from './imputation.ts'

/** A version of `device_features`, to be read for one duration. */
export type FeatureSource = {
  readonly table: LakeTable
  readonly snapshot: Snapshot
  readonly durationMinutes: number
}

/** Opens the newest version of the features, or a pinned one. */
export async function featureSource(
  lake: Lake,
  durationMinutes: number,
  version?: number,
): Promise<FeatureSource> {
  const table = lake.table('device_features')
  const snapshot = await table.snapshot(version === undefined ? {} : { version })
  return { table, snapshot, durationMinutes }
}

/** A half-open range of window starts, epoch ms. */
export type WindowRange = { readonly startMs: number; readonly endMs: number }

/** SQL literal of an instant. */
export function sqlInstant(epochMs: number): string {
  return `make_timestamptz(${Math.round(epochMs * 1000)})`
}

/** SQL literal of a text. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

function utcDate(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10)
}

function inRange(file: AddFile, source: FeatureSource, range: WindowRange): boolean {
  const { window_date: date, window_duration_minutes: minutes } = file.partitionValues
  if (minutes !== undefined && minutes !== String(source.durationMinutes)) return false
  if (date === undefined || date === null || range.endMs <= range.startMs) return true
  return date >= utcDate(range.startMs) && date <= utcDate(range.endMs - 1)
}

/** FROM clause over the files that can hold windows starting in the range, with the row filter. */
export function windowsIn(source: FeatureSource, range: WindowRange): string {
  const files = source.snapshot.files.filter((file) => inRange(file, source, range))
  return `(SELECT * FROM ${source.table.relation(source.snapshot, files)}
    WHERE window_duration_minutes = ${source.durationMinutes}
      AND window_start >= ${sqlInstant(range.startMs)}
      AND window_start < ${sqlInstant(range.endMs)})`
}

/**
 * For each row of `rows` (with `row_index`, `device_id`, `window_start`): the newest non-null value
 * of each column in earlier windows of the same device and duration, no older than FEA-43 allows.
 * The candidates are matched by device and day before the exact bound, so that the join grows with
 * the days carried over and not with the history.
 */
export function carriedQuery(
  source: FeatureSource,
  range: WindowRange,
  rows: string,
  columns: readonly string[],
): string {
  const limitMs = carryLimitMs(source.durationMinutes)
  const lookback = { startMs: range.startMs - limitMs, endMs: range.endMs }
  const days = Math.ceil(limitMs / 86_400_000)
  const newest = columns.map(
    (name) =>
      `coalesce(arg_max(donor.${quoteName(name)}, donor.window_start), 'nan'::DOUBLE)::DOUBLE AS ${quoteName(name)}`,
  )
  return `SELECT wanted.row_index, ${newest.join(', ')}
    FROM (
      SELECT row_index, device_id, window_start,
        unnest(range(0, ${days + 1})) AS days_back FROM ${rows}
    ) AS wanted
    JOIN ${windowsIn(source, lookback)} AS donor
      ON donor.device_id = wanted.device_id
      AND donor.window_start::DATE = wanted.window_start::DATE - wanted.days_back::INTEGER
    WHERE donor.window_start < wanted.window_start
      AND donor.window_start >= wanted.window_start - INTERVAL ${limitMs / 3_600_000} HOUR
    GROUP BY wanted.row_index`
}
