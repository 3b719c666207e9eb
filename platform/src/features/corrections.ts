import type { AddFile } from '@isotherm/delta'
import { filesByVersion, timeSpan } from '../clean/index.ts'
import { commitPending } from './commit-features.ts'
import { computeWindows, createPending } from './emission.ts'
import { findFinalized, findLateWindows, type LateWindows } from './late-windows.ts'
import { cleanPosition } from './positions.ts'
import { finalPositions, type Progress, provenanceOf, type Run } from './progress.ts'

/** What late readings did. */
export type CorrectionOutcome = {
  /** Rows created or replaced. */
  readonly lateCount: number
  /** Readings too late to change anything, per duration summed up. */
  readonly droppedCount: number
  readonly commitCount: number
}

/** Windows corrected in one commit; more, as after an import of old history, go day by day. */
const maxKeysPerCommit = 500_000

const dayMs = 86_400_000

type Work = {
  readonly progress: Progress
  readonly late: LateWindows | undefined
  readonly finalized: readonly AddFile[]
}

async function findWork(run: Run, progresses: readonly Progress[]): Promise<readonly Work[]> {
  const { features, source } = run
  const { connection, clean, cleanSnapshot } = source
  const snapshot = await features.snapshot()
  const from = snapshot.transactions.get(cleanPosition) ?? -1
  const added = (await filesByVersion(clean, from, cleanSnapshot.version)).flatMap(
    ({ files }) => files,
  )
  const works: Work[] = []
  for (const progress of progresses) {
    const { rule, completeMs, before } = progress
    if (completeMs === undefined) continue
    const files = added.filter((file) => timeSpan(file, 'timestamp_utc').minMs < completeMs)
    const newRows = clean.relation(cleanSnapshot, files)
    const late =
      files.length === 0
        ? undefined
        : await findLateWindows(connection, features, snapshot, rule, newRows, completeMs)
    const finalized = await findFinalized(connection, features, snapshot, rule, before, progress)
    works.push({ progress, late, finalized })
  }
  return works
}

/** Half-open ranges of window starts that are committed one by one. */
function slicesOf(works: readonly Work[]): readonly (readonly [fromMs: number, toMs: number])[] {
  const lates = works.flatMap(({ late }) => (late === undefined ? [] : [late]))
  const everything = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const
  if (lates.reduce((sum, { keyCount }) => sum + keyCount, 0) <= maxKeysPerCommit) {
    return [everything]
  }
  const startMs = Math.floor(Math.min(...lates.map((late) => late.startMs)) / dayMs) * dayMs
  const endMs = Math.max(...lates.map((late) => late.endMs))
  const dayCount = Math.ceil((endMs - startMs) / dayMs)
  return Array.from({ length: dayCount }, (_, day) => [
    day === 0 ? everything[0] : startMs + day * dayMs,
    day === dayCount - 1 ? everything[1] : startMs + (day + 1) * dayMs,
  ])
}

/** A feature file holds windows of one date only, so the date says which slice rewrites it. */
function isInSlice(file: AddFile, fromMs: number, toMs: number): boolean {
  const dateMs = Date.parse(`${file.partitionValues.window_date}T00:00:00Z`)
  return dateMs >= fromMs && dateMs < toMs
}

async function correctSlice(
  run: Run,
  works: readonly Work[],
  [fromMs, toMs]: readonly [number, number],
  isLast: boolean,
): Promise<number> {
  const { connection } = run.source
  await createPending(connection, run.features)
  const replacements = []
  for (const { progress, late, finalized } of works) {
    const files = [...new Set([...(late?.files ?? []), ...finalized])].filter((file) =>
      isInSlice(file, fromMs, toMs),
    )
    if (late === undefined || late.keyCount === 0) {
      replacements.push({ progress, files })
      continue
    }
    const startMs = Math.max(late.startMs, fromMs)
    const endMs = Math.min(late.endMs, toMs)
    const keys = `corrected_${progress.rule.minutes}`
    await connection.run(`CREATE OR REPLACE TEMP TABLE ${keys} AS
      SELECT DISTINCT device_id, start_ms FROM ${late.keys}
      WHERE start_ms >= ${startMs} AND start_ms < ${endMs}`)
    if (endMs > startMs) {
      await computeWindows(run.source, provenanceOf(run, progress), { startMs, endMs, keys })
    }
    replacements.push({ progress, files, keys })
  }
  // Only the last commit says that the clean versions are done: a crash before it repeats the rest.
  const positions = isLast
    ? [
        { appId: cleanPosition, version: run.source.cleanSnapshot.version },
        ...works.flatMap(({ progress }) => finalPositions(progress)),
      ]
    : []
  return await commitPending(run, positions, replacements)
}

/**
 * Applies late readings and flags windows that became final, by rewriting the files concerned.
 * Nothing to do costs a look at the newly clean rows and no commit.
 */
export async function correctWindows(
  run: Run,
  progresses: readonly Progress[],
): Promise<CorrectionOutcome> {
  const works = await findWork(run, progresses)
  const droppedCount = works.reduce((sum, { late }) => sum + (late?.droppedCount ?? 0), 0)
  const hasWork =
    droppedCount > 0 ||
    works.some(({ late, finalized }) => (late?.keyCount ?? 0) > 0 || finalized.length > 0)
  if (!hasWork) return { lateCount: 0, droppedCount: 0, commitCount: 0 }
  const slices = slicesOf(works)
  let lateCount = 0
  for (const [index, slice] of slices.entries()) {
    lateCount += await correctSlice(run, works, slice, index === slices.length - 1)
    run.context.onProgress?.('corrected windows', index + 1, slices.length)
  }
  return { lateCount, droppedCount, commitCount: slices.length }
}
