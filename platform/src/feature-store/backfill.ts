import type { Snapshot } from '@isotherm/delta'
import { countRows, filesByVersion, timeSpan } from '../clean/index.ts'
import type { DeviceRow } from '../contracts/index.ts'
import { featureVersion, windowRules } from '../features/index.ts'
import type { JobContext, LakeTable } from '../lake/index.ts'
import { computeKnownWindows, pendingHistory } from './known-windows.ts'
import { type DayRange, dayMs, requireFillable, utcDate } from './retention.ts'

/** What to fill. */
export type BackfillOptions = DayRange & {
  /** Registry rows, as the feature job gets them. */
  readonly devices: readonly DeviceRow[]
  /** Days for which this folder keeps clean readings; default 90 (CON-15). */
  readonly retentionDays?: number
}

/** What is about to be done, said before it is. */
export type BackfillPlan = {
  readonly featureVersion: string
  readonly dayCount: number
  /** Days to compute, newest first; the others are done already. */
  readonly dueDays: readonly string[]
  /** Clean rows to read, and feature rows and bytes to expect, about. */
  readonly readingCount: number
  readonly expectedRowCount: number
  readonly expectedBytes: number
}

/** What a backfill did. */
export type BackfillOutcome = {
  readonly featureVersion: string
  readonly cleanVersion: number
  /** Version of `feature_history` that holds it all. */
  readonly historyVersion: number
  readonly filledDays: readonly string[]
  readonly doneDayCount: number
  readonly rowCount: number
  /** Days of the range without any reading: the gap report, FEA-60. */
  readonly emptyDays: readonly string[]
}

/** Clean version from which a day was last filled, by feature version. */
export const dayPosition = (version: string, date: string) => `feature-store/${version}/${date}`

/** Stored bytes per row, FEA-50. */
const bytesPerRow = 400

function daysOf({ fromMs, toMs }: DayRange): readonly number[] {
  const count = Math.round((toMs - fromMs) / dayMs)
  return Array.from({ length: count }, (_, index) => toMs - (index + 1) * dayMs)
}

function touches(snapshotFiles: Snapshot['files'], startMs: number): Snapshot['files'] {
  return snapshotFiles.filter((file) => {
    const { minMs, maxMs } = timeSpan(file, 'timestamp_utc')
    return minMs < startMs + dayMs && maxMs >= startMs
  })
}

/** Days that were never filled, or whose readings grew since. */
async function dueDays(
  clean: LakeTable,
  cleanSnapshot: Snapshot,
  history: Snapshot,
  version: string,
  days: readonly number[],
): Promise<readonly number[]> {
  const filled = days.map((ms) => history.transactions.get(dayPosition(version, utcDate(ms))))
  const known = filled.filter((at) => at !== undefined)
  const oldest = known.length === 0 ? cleanSnapshot.version : Math.min(...known)
  const changes = await filesByVersion(clean, oldest, cleanSnapshot.version)
  return days.filter((ms, index) => {
    const at = filled[index]
    return (
      at === undefined ||
      changes.some((change) => change.version > at && touches(change.files, ms).length > 0)
    )
  })
}

async function prepared(context: JobContext, options: BackfillOptions) {
  const { lake, nowMs } = context
  const clean = lake.table('clean_sensor_readings')
  const history = lake.table('feature_history')
  const cleanSnapshot = await clean.snapshot()
  requireFillable(cleanSnapshot, options, nowMs, options.retentionDays)
  const version = featureVersion(lake.fleet)
  const days = daysOf(options)
  const due = await dueDays(clean, cleanSnapshot, await history.snapshot(), version, days)
  return { clean, history, cleanSnapshot, version, days, due }
}

/** What a backfill would do, from file statistics alone. @throws as `backfillHistory` */
export async function planBackfill(
  context: JobContext,
  options: BackfillOptions,
): Promise<BackfillPlan> {
  const { cleanSnapshot, version, days, due } = await prepared(context, options)
  const readingCount = due.reduce((sum, ms) => {
    const files = touches(cleanSnapshot.files, ms)
    return sum + files.reduce((rows, file) => rows + countRows([file]) * shareOfDay(file, ms), 0)
  }, 0)
  const rules = windowRules(context.lake.fleet)
  const rowsPerReading = rules.reduce((sum, { minutes }) => sum + 1 / minutes, 0)
  const expectedRowCount = Math.round(readingCount * rowsPerReading)
  return {
    featureVersion: version,
    dayCount: days.length,
    dueDays: due.map(utcDate),
    readingCount: Math.round(readingCount),
    expectedRowCount,
    expectedBytes: expectedRowCount * bytesPerRow,
  }
}

function shareOfDay(file: Snapshot['files'][number], startMs: number): number {
  const { minMs, maxMs } = timeSpan(file, 'timestamp_utc')
  const overlapMs = Math.min(maxMs, startMs + dayMs) - Math.max(minMs, startMs)
  return maxMs > minMs ? Math.min(1, Math.max(0, overlapMs / (maxMs - minMs))) : 1
}

/**
 * Fills `feature_history` day by day, newest first, one commit a day. Days already filled from the
 * same readings are left alone: killed at any point, the same call goes on where it stopped, and a
 * second call does nothing. Readers of earlier versions are not disturbed.
 * @throws IsothermError INPUT_INVALID, before anything is done, for a range past retention, not
 *   over, empty, or before the first reading
 */
export async function backfillHistory(
  context: JobContext,
  options: BackfillOptions,
): Promise<BackfillOutcome> {
  const { lake, nowMs } = context
  const { clean, history, cleanSnapshot, version, days, due } = await prepared(context, options)
  const features = lake.table('device_features')
  const rules = windowRules(lake.fleet)
  let rowCount = 0
  for (const [index, startMs] of due.entries()) {
    context.onProgress?.('days of feature history', index, due.length)
    rowCount += await lake.withConnection(async (connection) => {
      const { devices } = options
      const { fleet } = lake
      const source = { connection, fleet, devices, clean, cleanSnapshot, features, nowMs }
      const span = { startMs, endMs: startMs + dayMs }
      await computeKnownWindows(source, history, rules, span)
      return await commitDay(context, history, { connection, version, startMs }, cleanSnapshot)
    })
  }
  const newest = await history.snapshot()
  return {
    featureVersion: version,
    cleanVersion: cleanSnapshot.version,
    historyVersion: newest.version,
    filledDays: due.map(utcDate),
    doneDayCount: days.length - due.length,
    rowCount,
    emptyDays: days
      .map(utcDate)
      .filter((date) => filesOfDay(newest, version, date).length === 0)
      .toReversed(),
  }
}

/** Files of one feature version and day. */
export function filesOfDay(snapshot: Snapshot, version: string, date: string): Snapshot['files'] {
  return snapshot.files.filter(
    ({ partitionValues }) =>
      partitionValues.feature_version === version && partitionValues.window_date === date,
  )
}

async function commitDay(
  { nowMs }: JobContext,
  history: LakeTable,
  day: {
    readonly connection: Parameters<LakeTable['write']>[0]['connection']
    readonly version: string
    readonly startMs: number
  },
  cleanSnapshot: Snapshot,
): Promise<number> {
  const date = utcDate(day.startMs)
  const snapshot = await history.snapshot()
  const outcome = await history.write({
    connection: day.connection,
    query: `SELECT * FROM ${pendingHistory}`,
    replaces: filesOfDay(snapshot, day.version, date),
    readVersion: snapshot.version,
    positions: [{ appId: dayPosition(day.version, date), version: cleanSnapshot.version }],
    operation: 'BACKFILL',
    nowMs,
  })
  return outcome.kind === 'written' ? outcome.rowCount : 0
}

/** Name of the contract's columns that are no content: when and from which version, FEA-15. */
export const provenanceColumns: readonly string[] = ['computed_at', 'clean_snapshot_id']
