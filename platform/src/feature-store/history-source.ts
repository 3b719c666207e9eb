import type { Snapshot } from '@isotherm/delta'
import { sqlText } from '../clean/index.ts'
import { IsothermError } from '../contracts/index.ts'
import { featureVersion } from '../features/index.ts'
import type { Lake, LakeTable } from '../lake/index.ts'
import { dayPosition } from './backfill.ts'
import type { WindowSpan } from './known-windows.ts'
import { dayMs, utcDate } from './retention.ts'

/** A pinned version of the history, for one duration and one version of the definitions. */
export type HistorySource = {
  readonly table: LakeTable
  readonly snapshot: Snapshot
  readonly featureVersion: string
  readonly durationMinutes: number
}

/** Opens the history, newest or pinned; the definitions are those of the fleet. */
export async function historySource(
  lake: Lake,
  options: { readonly durationMinutes: number; readonly tableVersion?: number },
): Promise<HistorySource> {
  const { durationMinutes, tableVersion } = options
  if (!lake.fleet.windowMinutes.includes(durationMinutes)) {
    throw new IsothermError(
      'INPUT_INVALID',
      `fleet ${lake.fleet.name} has no windows of ${durationMinutes} min; it has ` +
        lake.fleet.windowMinutes.join(', '),
    )
  }
  const table = lake.table('feature_history')
  const snapshot = await table.snapshot(tableVersion === undefined ? {} : { version: tableVersion })
  return { table, snapshot, featureVersion: featureVersion(lake.fleet), durationMinutes }
}

/**
 * Refuses a span of which a day was never filled: a gap is no data, never "normal" (FEA-13).
 * @throws IsothermError INPUT_INVALID with the days and the command that fills them
 */
export function requireFilled(source: HistorySource, { startMs, endMs }: WindowSpan): void {
  const missing: string[] = []
  for (let ms = Math.floor(startMs / dayMs) * dayMs; ms < endMs; ms += dayMs) {
    const date = utcDate(ms)
    if (!source.snapshot.transactions.has(dayPosition(source.featureVersion, date))) {
      missing.push(date)
    }
  }
  const [first] = missing
  const last = missing.at(-1)
  if (first === undefined || last === undefined) return
  throw new IsothermError(
    'INPUT_INVALID',
    `feature_history version ${source.snapshot.version} lacks ${missing.length} days of feature ` +
      `version ${source.featureVersion}, ${first} to ${last}; run isotherm features backfill ` +
      `--from ${first} --to ${utcDate(Date.parse(last) + dayMs)}`,
  )
}

/** Start of the first day that was filled, epoch ms; undefined before the first backfill. */
export function firstFilledDay({ snapshot, featureVersion: version }: HistorySource) {
  const prefix = dayPosition(version, '')
  const dates = [...snapshot.transactions.keys()]
    .filter((appId) => appId.startsWith(prefix))
    .map((appId) => Date.parse(appId.slice(prefix.length)))
  return dates.length === 0 ? undefined : dates.reduce((a, b) => Math.min(a, b))
}

/** FROM clause over all states of the windows that start in a span. */
export function statesIn(source: HistorySource, { startMs, endMs }: WindowSpan): string {
  const { table, snapshot, durationMinutes } = source
  const [first, last] = [utcDate(startMs), utcDate(Math.max(startMs, endMs - 1))]
  const files = snapshot.files.filter(({ partitionValues }) => {
    const date = partitionValues.window_date ?? ''
    return (
      partitionValues.feature_version === source.featureVersion &&
      partitionValues.window_duration_minutes === String(durationMinutes) &&
      date >= first &&
      date <= last
    )
  })
  return `(SELECT * FROM ${table.relation(snapshot, files)}
    WHERE feature_version = ${sqlText(source.featureVersion)}
      AND window_duration_minutes = ${durationMinutes}
      AND window_start >= make_timestamptz(${startMs * 1000})
      AND window_start < make_timestamptz(${endMs * 1000}))`
}

/** FROM clause over the windows of a span as they were known at one instant. */
export function statesKnownAt(source: HistorySource, span: WindowSpan, atMs: number): string {
  return `(SELECT * FROM ${statesIn(source, span)}
    WHERE known_from <= make_timestamptz(${atMs * 1000})
    QUALIFY row_number() OVER (PARTITION BY device_id, window_start ORDER BY known_from DESC) = 1)`
}
