import type { DuckDBConnection } from '@duckdb/node-api'
import type { JobContext } from '../lake/index.ts'
import {
  cohortsOf,
  type FeatureRows,
  type FeatureSource,
  featureSource,
  readStaged,
  requireLiveFeatures,
  rowsWhere,
  selectFeatureRows,
  stageFeatures,
} from '../models/index.ts'
import {
  type Collector,
  collectBatch,
  commitCollector,
  exclude,
  guarded,
  openCollector,
  resultOfCollector,
  type UnitOptions,
  type UnitResult,
} from './collector.ts'
import { lateWindows } from './late-windows.ts'
import { type ScoredBatch, scoreBatch } from './score-batch.ts'
import type { ScoringUnit } from './scoring-plan.ts'

/** Below this completeness a row is not scored, MOD-5. */
const minCompleteness = 0.5

/** Reads the unit's windows once, scores them with each of its versions, commits each version. */
export async function runUnit(
  context: JobContext,
  options: UnitOptions,
): Promise<readonly UnitResult[]> {
  const { lake } = context
  const { unit } = options
  const source = await featureSource(lake, unit.durationMinutes)
  return lake.withConnection(async (connection) => {
    const opened = await Promise.all(
      unit.deployments.map((row, index) => openCollector(context, options, connection, row, index)),
    )
    const collectors = opened.filter((item) => 'table' in item)
    await scoreNewWindows(context, options, connection, source, collectors)
    const { repeatOfVersion } = options
    if (repeatOfVersion !== undefined) {
      return opened.map((item) =>
        'table' in item ? resultOfCollector(unit, item, repeatOfVersion) : item,
      )
    }
    for (const collector of collectors) {
      await guarded(collector, () =>
        scoreLateWindows(context, options, connection, source, collector),
      )
    }
    const results: UnitResult[] = []
    for (const item of opened) {
      results.push('table' in item ? await commitCollector(context, unit, connection, item) : item)
    }
    return results
  })
}

async function scoreNewWindows(
  context: JobContext,
  options: UnitOptions,
  connection: DuckDBConnection,
  source: FeatureSource,
  collectors: readonly Collector[],
): Promise<void> {
  const { unit, devices, batchRows = 50_000 } = options
  const stepMs = unit.durationMinutes * 60_000
  const columns = [...new Set(collectors.flatMap(({ model }) => model.artifact.features))]
  if (columns.length === 0) return
  const staged = await stageFeatures(connection, {
    source,
    range: { startMs: unit.afterMs - stepMs + 1, endMs: unit.untilMs },
    columns,
    tableName: 'target_rows',
    where: `window_end <= make_timestamptz(${unit.untilMs * 1000})`,
  })
  for (const collector of collectors) {
    await guarded(collector, async () => requireLiveFeatures(collector.model.artifact, staged))
  }
  const cohorts = cohortsOf(devices)
  const seen = new Set<string>()
  const read = (start: number) =>
    readStaged(staged, start, Math.min(start + batchRows, staged.rowCount), cohorts)
  let rows = await read(0)
  for (let start = 0; start < staged.rowCount; start += batchRows) {
    context.onProgress?.(`scoring ${unit.durationMinutes} min`, start, staged.rowCount)
    noteTargets(rows, unit, seen)
    // The next batch is read while threads explain this one; the connection is free meanwhile.
    const [next, batches] = await Promise.all([
      read(start + batchRows),
      scoreAll(context, options, collectors, rows),
    ])
    await collectAll(unit, batches)
    rows = next
  }
  const silent = devices.filter(
    ({ status, device_id }) => status === 'active' && !seen.has(device_id),
  )
  for (const collector of collectors) {
    for (const { device_id } of silent) exclude(collector, device_id, 'FULL_DROPOUT')
  }
}

async function scoreLateWindows(
  context: JobContext,
  options: UnitOptions,
  connection: DuckDBConnection,
  source: FeatureSource,
  collector: Collector,
): Promise<void> {
  const { unit } = options
  const late = await lateWindows(connection, context.lake, source, collector.row, unit.afterMs)
  if (late === undefined) return
  const staged = await stageFeatures(connection, {
    source,
    range: late.range,
    columns: collector.model.artifact.features,
    tableName: 'late_rows',
    where: late.where,
  })
  const rows = await readStaged(staged, 0, staged.rowCount, cohortsOf(options.devices))
  collector.last = undefined
  await collectAll(unit, await scoreAll(context, options, [collector], rows))
}

/** Remembers which devices have a row in the target window, scored or not. */
function noteTargets(rows: FeatureRows, unit: ScoringUnit, seen: Set<string>): void {
  const targetStartMs = unit.untilMs - unit.durationMinutes * 60_000
  for (let row = 0; row < rows.matrix.rowCount; row++) {
    if (rows.windowStartMs[row] === targetStartMs) seen.add(rows.deviceIds[row]!)
  }
}

/** A version's scores of a batch, not yet in its table. */
type PendingBatch = {
  readonly collector: Collector
  readonly rows: FeatureRows
  readonly scored: ScoredBatch
}

/** Scores a batch with every version, side by side; touches no table. */
async function scoreAll(
  { lake }: JobContext,
  { unit, threadsFor }: UnitOptions,
  collectors: readonly Collector[],
  rows: FeatureRows,
): Promise<readonly PendingBatch[]> {
  const complete = rowsWhere(
    rows.matrix.rowCount,
    (row) => rows.sensorCompleteness[row]! >= minCompleteness,
  )
  const isAll = complete.length === rows.matrix.rowCount
  const kept = isAll ? rows : selectFeatureRows(rows, complete)
  const threads = threadsFor?.(kept.matrix.rowCount)
  const pending: PendingBatch[] = []
  const score = (collector: Collector) =>
    guarded(collector, async () => {
      if (!isAll) excludeIncomplete(collector, unit, rows)
      const scored = await scoreBatch(
        {
          run: collector.run,
          model: collector.model,
          fleet: lake.fleet,
          targetWindowEndMs: unit.untilMs,
          ...(threads === undefined ? {} : { threads }),
        },
        kept,
      )
      pending.push({ collector, rows: kept, scored })
    })
  await Promise.all(collectors.map(score))
  return pending
}

function excludeIncomplete(collector: Collector, unit: ScoringUnit, rows: FeatureRows): void {
  const targetStartMs = unit.untilMs - unit.durationMinutes * 60_000
  for (let row = 0; row < rows.matrix.rowCount; row++) {
    const isTarget = rows.windowStartMs[row] === targetStartMs
    if (!isTarget || rows.sensorCompleteness[row]! >= minCompleteness) continue
    exclude(collector, rows.deviceIds[row]!, 'LOW_COMPLETENESS')
  }
}

async function collectAll(unit: ScoringUnit, batches: readonly PendingBatch[]): Promise<void> {
  const targetStartMs = unit.untilMs - unit.durationMinutes * 60_000
  for (const { collector, rows, scored } of batches) {
    await guarded(collector, () => collectBatch(collector, rows, scored, targetStartMs))
  }
}
