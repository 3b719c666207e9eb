import type { AddFile, Snapshot } from '@isotherm/delta'
import { IsothermError, quoteName } from '../contracts/index.ts'
import {
  firstFilledDay,
  historySource,
  requireFilled,
  statesKnownAt,
} from '../feature-store/index.ts'
import type { Lake, LakeTable } from '../lake/index.ts'
import { carryLimitMs } from './imputation.ts'

/** A version of `device_features`, or of its history, to be read for one duration. */
export type FeatureSource = {
  readonly table: LakeTable
  readonly snapshot: Snapshot
  readonly durationMinutes: number
  /** FROM clause of the rows of a range where they do not come from `device_features`. */
  readonly knownRows?: (range: WindowRange) => string
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

/**
 * Opens the history of the features as they were known at an instant: corrections that arrived
 * later are not seen, so training as of the past gives what it would have given then.
 * @throws IsothermError INPUT_INVALID with the backfill that is missing
 */
export async function knownFeatureSource(
  lake: Lake,
  durationMinutes: number,
  asOfMs: number,
): Promise<FeatureSource> {
  const history = await historySource(lake, { durationMinutes })
  const startMs = firstFilledDay(history)
  if (startMs === undefined) {
    throw new IsothermError(
      'INPUT_INVALID',
      'feature_history is empty; fill it with isotherm features backfill --from DAY --to DAY',
    )
  }
  requireFilled(history, { startMs, endMs: asOfMs })
  return {
    table: history.table,
    snapshot: history.snapshot,
    durationMinutes,
    // What only the live table says: rows made late are plain rows here, known from their arrival.
    knownRows: (range) => `(SELECT *, false AS late_created, NULL::BOOLEAN AS post_maintenance
      FROM ${statesKnownAt(history, range, asOfMs)})`,
  }
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
  if (source.knownRows !== undefined) return source.knownRows(range)
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
