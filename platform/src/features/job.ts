import type { AddFile, Snapshot } from '@isotherm/delta'
import { countRows, filesByVersion, timeSpan } from '../clean/index.ts'
import type { DeviceRow } from '../contracts/index.ts'
import type { JobContext, LakeTable } from '../lake/index.ts'
import {
  checkPending,
  computeWindows,
  createPending,
  type FeatureSource,
  filesBetween,
  pendingRows,
} from './emission.ts'
import { isFinalSql, type Provenance } from './feature-query.ts'
import { featureVersion } from './feature-version.ts'
import {
  type FinalBounds,
  findFinalized,
  findLateWindows,
  type LateWindows,
} from './late-windows.ts'
import {
  advancing,
  cleanPosition,
  cleanWatermark,
  completePosition,
  finalPosition,
  lateFinalPosition,
  positionMs,
} from './positions.ts'
import {
  emittedUntil,
  finalUntil,
  lateCreationMs,
  type WindowRule,
  windowRules,
  windowStart,
} from './window-rules.ts'

/** What the feature job needs besides the tables. */
export type FeatureInput = {
  readonly devices: readonly DeviceRow[]
  /**
   * Says that every reading before this instant has arrived: an import or backfill is over, so its
   * windows close at once and are final.
   */
  readonly finishUntilMs?: number
}

/** What a run did. */
export type FeatureOutcome = {
  /** Version of the clean table that was read. */
  readonly cleanVersion: number
  /** Rows emitted for the first time, all durations. */
  readonly emittedCount: number
  /** Rows that late readings created or replaced. */
  readonly lateCount: number
  /** Readings too late to change a feature, FEA-11. */
  readonly lateDroppedCount: number
  readonly commitCount: number
  /** End of the newest complete window per duration in minutes, epoch ms. */
  readonly completeUntilMs: ReadonlyMap<number, number>
}

/** Clean rows whose windows are emitted in one commit. */
const targetRowsPerCommit = 6_000_000

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Progress of one duration: where it stands and how far this run may go. */
type Progress = FinalBounds & {
  readonly rule: WindowRule
  /** Windows ending by then are in the table; undefined before the first run. */
  readonly completeMs: number | undefined
  readonly untilMs: number
  readonly before: FinalBounds
}

type Run = {
  readonly context: JobContext
  readonly source: FeatureSource
  readonly features: LakeTable
  readonly version: string
}

function progressOf(
  rule: WindowRule,
  features: Snapshot,
  watermarkMs: number | undefined,
  finishUntilMs: number | undefined,
): Progress {
  const never = Number.NEGATIVE_INFINITY
  const at = (appId: string) => positionMs(features, appId) ?? never
  const before = {
    finalUntilMs: at(finalPosition(rule.minutes)),
    lateFinalUntilMs: at(lateFinalPosition(rule.minutes)),
  }
  const final = (graceMs: number) => finalUntil(rule, graceMs, watermarkMs, finishUntilMs) ?? never
  const completeMs = positionMs(features, completePosition(rule.minutes))
  return {
    rule,
    completeMs,
    untilMs: Math.max(completeMs ?? never, emittedUntil(rule, watermarkMs, finishUntilMs) ?? never),
    finalUntilMs: Math.max(before.finalUntilMs, final(rule.graceMs)),
    lateFinalUntilMs: Math.max(
      before.lateFinalUntilMs,
      final(Math.max(lateCreationMs, rule.graceMs)),
    ),
    before,
  }
}

function provenanceOf(run: Run, progress: Progress): Provenance {
  const { finalUntilMs, lateFinalUntilMs } = progress
  return {
    rule: progress.rule,
    featureVersion: run.version,
    cleanVersion: run.source.cleanSnapshot.version,
    nowMs: run.context.nowMs,
    finalUntilMs: Math.max(0, finalUntilMs),
    lateFinalUntilMs: Math.max(0, lateFinalUntilMs),
  }
}

async function pendingCount(run: Run): Promise<number> {
  const reader = await run.source.connection.runAndReadAll(`SELECT count(*) FROM ${pendingRows}`)
  return Number(reader.getRows()[0]?.[0])
}

/** Commits the pending rows, with the kept rows of the files they replace. */
async function commitPending(
  run: Run,
  positions: readonly { readonly appId: string; readonly version: number }[],
  replaced: readonly {
    readonly progress: Progress
    readonly files: readonly AddFile[]
    readonly keys?: string
  }[] = [],
): Promise<number> {
  const { context, features } = run
  const { connection, fleet } = run.source
  const snapshot = await features.snapshot()
  await checkPending(connection, fleet)
  const count = await pendingCount(run)
  const kept = replaced
    .filter(({ files }) => files.length > 0)
    .map(({ progress, files, keys }) => {
      const rest =
        keys === undefined
          ? ''
          : `ANTI JOIN ${keys} AS renewed
        ON renewed.device_id = kept.device_id AND renewed.start_ms = epoch_ms(kept.window_start)`
      const isFinal = `coalesce(is_final, false) OR (${isFinalSql(provenanceOf(run, progress))})`
      return `UNION ALL BY NAME SELECT * REPLACE (${isFinal} AS is_final)
        FROM ${features.relation(snapshot, files)} AS kept ${rest}`
    })
  await features.write({
    connection,
    query: `SELECT * FROM ${pendingRows} ${kept.join(' ')}`,
    replaces: replaced.flatMap(({ files }) => files),
    readVersion: snapshot.version,
    positions: advancing(snapshot, positions),
    operation: 'FEATURES',
    nowMs: context.nowMs,
  })
  return count
}

type LateWork = {
  readonly progress: Progress
  readonly late: LateWindows | undefined
  readonly finalized: readonly AddFile[]
}

async function findLateWork(
  run: Run,
  progresses: readonly Progress[],
): Promise<readonly LateWork[]> {
  const { features, source } = run
  const { connection, clean, cleanSnapshot } = source
  const snapshot = await features.snapshot()
  const from = snapshot.transactions.get(cleanPosition) ?? -1
  const added = (await filesByVersion(clean, from, cleanSnapshot.version)).flatMap(
    ({ files }) => files,
  )
  const works: LateWork[] = []
  for (const progress of progresses) {
    const { rule, completeMs } = progress
    if (completeMs === undefined) continue
    const files = added.filter((file) => timeSpan(file, 'timestamp_utc').minMs < completeMs)
    const late =
      files.length === 0
        ? undefined
        : await findLateWindows(
            connection,
            features,
            snapshot,
            rule,
            clean.relation(cleanSnapshot, files),
            completeMs,
          )
    const { before } = progress
    const finalized = await findFinalized(connection, features, snapshot, rule, before, progress)
    works.push({ progress, late, finalized })
  }
  return works
}

/** Late readings and windows that became final: one commit that rewrites the files concerned. */
async function correctWindows(
  run: Run,
  progresses: readonly Progress[],
): Promise<{
  readonly lateCount: number
  readonly droppedCount: number
  readonly commits: number
}> {
  const works = await findLateWork(run, progresses)
  const droppedCount = works.reduce((sum, { late }) => sum + (late?.droppedCount ?? 0), 0)
  const reopened = works.filter(({ late }) => late !== undefined && late.keyCount > 0)
  const hasWork =
    droppedCount > 0 || reopened.length > 0 || works.some(({ finalized }) => finalized.length > 0)
  if (!hasWork) return { lateCount: 0, droppedCount: 0, commits: 0 }
  await createPending(run.source.connection, run.features)
  for (const { progress, late } of reopened) {
    if (late !== undefined) await computeWindows(run.source, provenanceOf(run, progress), late)
  }
  const replaced = works.map(({ progress, late, finalized }) => ({
    progress,
    files: [...new Set([...(late?.files ?? []), ...finalized])],
    ...(late === undefined ? {} : { keys: late.keys }),
  }))
  const lateCount = await commitPending(run, correctionPositions(run, works), replaced)
  return { lateCount, droppedCount, commits: 1 }
}

function correctionPositions(run: Run, works: readonly LateWork[]) {
  return [
    { appId: cleanPosition, version: run.source.cleanSnapshot.version },
    ...works.flatMap(({ progress }) => finalPositions(progress)),
  ]
}

function finalPositions({ rule, finalUntilMs, lateFinalUntilMs }: Progress) {
  return [
    { appId: finalPosition(rule.minutes), version: finalUntilMs / 1000 },
    { appId: lateFinalPosition(rule.minutes), version: lateFinalUntilMs / 1000 },
  ]
}

/** Ends of the time slices in which a backlog is emitted, so that each commit stays bounded. */
function sliceEnds(cleanSnapshot: Snapshot, startMs: number, endMs: number): readonly number[] {
  const rowsPerMs = countRows(filesBetween(cleanSnapshot, startMs, endMs)) / (endMs - startMs)
  const wantedMs = targetRowsPerCommit / Math.max(rowsPerMs, Number.MIN_VALUE)
  if (wantedMs >= endMs - startMs) return [endMs]
  const unitMs = wantedMs >= dayMs ? dayMs : hourMs
  const stepMs = Math.max(1, Math.floor(wantedMs / unitMs)) * unitMs
  const ends: number[] = []
  for (let end = Math.floor(startMs / unitMs) * unitMs + stepMs; end < endMs; end += stepMs) {
    ends.push(end)
  }
  return [...ends, endMs]
}

/** Emits windows that became complete, oldest first, all durations of a time slice in one commit. */
async function emitWindows(
  run: Run,
  progresses: readonly Progress[],
): Promise<{ readonly emittedCount: number; readonly commits: number }> {
  const { source, context } = run
  const oldestMs = source.cleanSnapshot.files.reduce(
    (oldest, file) => Math.min(oldest, timeSpan(file, 'timestamp_utc').minMs),
    Number.POSITIVE_INFINITY,
  )
  const due = progresses
    .map((progress) => ({
      ...progress,
      fromMs: progress.completeMs ?? windowStart(oldestMs, progress.rule),
    }))
    .filter(({ fromMs, untilMs }) => untilMs > fromMs)
  if (due.length === 0) return { emittedCount: 0, commits: 0 }
  const startMs = Math.min(...due.map(({ fromMs }) => fromMs))
  const endMs = Math.max(...due.map(({ untilMs }) => untilMs))
  const ends = sliceEnds(source.cleanSnapshot, startMs, endMs)
  let emittedCount = 0
  let sliceStartMs = startMs
  for (const sliceEndMs of ends) {
    const positions: { readonly appId: string; readonly version: number }[] = [
      { appId: cleanPosition, version: source.cleanSnapshot.version },
    ]
    await createPending(source.connection, run.features)
    for (const progress of due) {
      const { rule, fromMs, untilMs } = progress
      const toMs = Math.min(untilMs, windowStart(sliceEndMs, rule))
      const rangeStartMs = Math.max(fromMs, windowStart(sliceStartMs, rule))
      if (toMs <= rangeStartMs) continue
      const range = { startMs: rangeStartMs, endMs: toMs }
      await computeWindows(source, provenanceOf(run, progress), range)
      positions.push({ appId: completePosition(rule.minutes), version: toMs / 1000 })
      positions.push(...(sliceEndMs === endMs ? finalPositions(progress) : []))
    }
    emittedCount += await commitPending(run, positions)
    context.onProgress?.('feature windows', sliceEndMs - startMs, endMs - startMs)
    sliceStartMs = sliceEndMs
  }
  return { emittedCount, commits: ends.length }
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
  const rules = windowRules(lake.fleet)
  const clean = lake.table('clean_sensor_readings')
  const features = lake.table('device_features')
  const cleanSnapshot = await clean.snapshot()
  const snapshot = await features.snapshot()
  const watermarkMs = cleanWatermark(cleanSnapshot)
  const progresses = rules.map((rule) =>
    progressOf(rule, snapshot, watermarkMs, input.finishUntilMs),
  )
  return await lake.withConnection(async (connection) => {
    const run: Run = {
      context,
      features,
      version: featureVersion(lake.fleet),
      source: { connection, fleet: lake.fleet, devices: input.devices, clean, cleanSnapshot },
    }
    const { lateCount, droppedCount, commits } = await correctWindows(run, progresses)
    const emitted = await emitWindows(run, progresses)
    const newest = await features.snapshot()
    const complete = rules.flatMap(({ minutes }) => {
      const ms = positionMs(newest, completePosition(minutes))
      return ms === undefined ? [] : [[minutes, ms] as const]
    })
    return {
      cleanVersion: cleanSnapshot.version,
      emittedCount: emitted.emittedCount,
      lateCount,
      lateDroppedCount: droppedCount,
      commitCount: commits + emitted.commits,
      completeUntilMs: new Map(complete),
    }
  })
}
