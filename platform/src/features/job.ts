import type { Snapshot } from '@isotherm/delta'
import { countRows, timeSpan } from '../clean/index.ts'
import type { DeviceRow } from '../contracts/index.ts'
import type { JobContext } from '../lake/index.ts'
import { commitPending } from './commit-features.ts'
import { correctWindows } from './corrections.ts'
import { computeWindows, createPending, filesBetween } from './emission.ts'
import { featureVersion } from './feature-version.ts'
import { cleanPosition, cleanWatermark, completePosition, positionMs } from './positions.ts'
import { finalPositions, type Progress, progressOf, provenanceOf, type Run } from './progress.ts'
import { windowRules, windowStart } from './window-rules.ts'

/** What the feature job needs besides the tables. */
export type FeatureInput = {
  /** Registry rows; they only say how to cut large work into parts. */
  readonly devices: readonly DeviceRow[]
  /**
   * Says that every reading before this instant has arrived: an import or backfill is over, so its
   * windows close at once and are final.
   */
  readonly finishUntilMs?: number
  /** Clean rows whose windows are emitted in one commit, about. Default 6 million. */
  readonly maxRowsPerCommit?: number
}

/** What a run did. */
export type FeatureOutcome = {
  /** Version of the clean table that was read. */
  readonly cleanVersion: number
  /** Rows emitted for the first time, all durations. */
  readonly emittedCount: number
  /** Rows that late readings created or replaced. */
  readonly lateCount: number
  /** Readings too late to change a feature, FEA-11; a reading counts once per duration. */
  readonly lateDroppedCount: number
  readonly commitCount: number
  /** End of the newest complete window per duration in minutes, epoch ms. */
  readonly completeUntilMs: ReadonlyMap<number, number>
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** A duration with windows to emit, from `fromMs` up to its progress' `untilMs`. */
type Due = Progress & { readonly fromMs: number }

/** Durations with complete windows that are not yet in the table. */
function dueWindows(cleanSnapshot: Snapshot, progresses: readonly Progress[]): readonly Due[] {
  const oldestMs = cleanSnapshot.files.reduce(
    (oldest, file) => Math.min(oldest, timeSpan(file, 'timestamp_utc').minMs),
    Number.POSITIVE_INFINITY,
  )
  return progresses
    .map((progress) => ({
      ...progress,
      fromMs: progress.completeMs ?? windowStart(oldestMs, progress.rule),
    }))
    .filter(({ fromMs, untilMs }) => untilMs > fromMs)
}

/** Ends of the time slices in which a backlog is emitted, so that each commit stays bounded. */
function sliceEnds(
  cleanSnapshot: Snapshot,
  startMs: number,
  endMs: number,
  maxRows: number,
): readonly number[] {
  const rowsPerMs = countRows(filesBetween(cleanSnapshot, startMs, endMs)) / (endMs - startMs)
  const wantedMs = maxRows / Math.max(rowsPerMs, Number.MIN_VALUE)
  if (wantedMs >= endMs - startMs) return [endMs]
  const unitMs = wantedMs >= dayMs ? dayMs : hourMs
  const stepMs = Math.max(1, Math.floor(wantedMs / unitMs)) * unitMs
  const ends: number[] = []
  for (let end = Math.floor(startMs / unitMs) * unitMs + stepMs; end < endMs; end += stepMs) {
    ends.push(end)
  }
  return [...ends, endMs]
}

/** Emits the windows of all durations that end in one time slice. */
async function emitSlice(
  run: Run,
  due: readonly Due[],
  slice: { readonly startMs: number; readonly endMs: number; readonly isLast: boolean },
): Promise<number> {
  const { source } = run
  const positions = [{ appId: cleanPosition, version: source.cleanSnapshot.version }]
  await createPending(source.connection, run.features)
  for (const progress of due) {
    const { rule, fromMs, untilMs } = progress
    const startMs = Math.max(fromMs, windowStart(slice.startMs, rule))
    const endMs = Math.min(untilMs, windowStart(slice.endMs, rule))
    if (endMs > startMs) {
      await computeWindows(source, provenanceOf(run, progress), { startMs, endMs })
      positions.push({ appId: completePosition(rule.minutes), version: endMs / 1000 })
    }
    if (slice.isLast) positions.push(...finalPositions(progress))
  }
  return await commitPending(run, positions)
}

/** Emits windows that became complete, oldest first. */
async function emitWindows(
  run: Run,
  progresses: readonly Progress[],
  maxRows: number,
): Promise<{ readonly emittedCount: number; readonly commitCount: number }> {
  const { cleanSnapshot } = run.source
  const due = dueWindows(cleanSnapshot, progresses)
  if (due.length === 0) return { emittedCount: 0, commitCount: 0 }
  const startMs = Math.min(...due.map(({ fromMs }) => fromMs))
  const endMs = Math.max(...due.map(({ untilMs }) => untilMs))
  const ends = sliceEnds(cleanSnapshot, startMs, endMs, maxRows)
  let emittedCount = 0
  for (const [index, sliceEndMs] of ends.entries()) {
    emittedCount += await emitSlice(run, due, {
      startMs: ends[index - 1] ?? startMs,
      endMs: sliceEndMs,
      isLast: index === ends.length - 1,
    })
    run.context.onProgress?.('feature windows', sliceEndMs - startMs, endMs - startMs)
  }
  return { emittedCount, commitCount: ends.length }
}

/**
 * Brings `device_features` up to date with the clean table (FEA-10, FEA-15): windows reopened by
 * late readings first, then newly complete ones. Safe to run again after any crash.
 * @throws IsothermError GATE_FAILED when a check of FEA-23 fails; nothing is committed
 */
export async function featureJob(
  context: JobContext,
  input: FeatureInput,
): Promise<FeatureOutcome> {
  const { lake } = context
  const { fleet } = lake
  const clean = lake.table('clean_sensor_readings')
  const features = lake.table('device_features')
  const cleanSnapshot = await clean.snapshot()
  const snapshot = await features.snapshot()
  const watermarkMs = cleanWatermark(cleanSnapshot)
  const rules = windowRules(fleet)
  const progresses = rules.map((rule) =>
    progressOf(rule, snapshot, watermarkMs, input.finishUntilMs),
  )
  return await lake.withConnection(async (connection) => {
    const source = { connection, fleet, devices: input.devices, clean, cleanSnapshot }
    const run: Run = { context, features, version: featureVersion(fleet), source }
    const corrected = await correctWindows(run, progresses)
    const emitted = await emitWindows(run, progresses, input.maxRowsPerCommit ?? 6_000_000)
    const newest = await features.snapshot()
    const complete = rules.flatMap(({ minutes }) => {
      const ms = positionMs(newest, completePosition(minutes))
      return ms === undefined ? [] : [[minutes, ms] as const]
    })
    return {
      cleanVersion: cleanSnapshot.version,
      emittedCount: emitted.emittedCount,
      lateCount: corrected.lateCount,
      lateDroppedCount: corrected.droppedCount,
      commitCount: corrected.commitCount + emitted.commitCount,
      completeUntilMs: new Map(complete),
    }
  })
}
