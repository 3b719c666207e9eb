import type { DuckDBConnection } from '@duckdb/node-api'
import { type FleetDefinition, featureColumns, IsothermError } from '../contracts/index.ts'
import type { JobContext } from '../lake/index.ts'
import {
  cohortsOf,
  type DeploymentRow,
  type FeatureRows,
  type FeatureSource,
  FLAG_THRESHOLD,
  type FleetDevice,
  featureSource,
  type ModelRegistry,
  type ModelThreads,
  type RegisteredModel,
  readStaged,
  requireLiveFeatures,
  rowsWhere,
  type StagedFeatures,
  selectFeatureRows,
  stageFeatures,
} from '../models/index.ts'
import { lateWindows } from './late-windows.ts'
import { attributedFeatures, type ScoredBatch, scoreBatch, sensorGroups } from './score-batch.ts'
import { checkScores } from './score-gate.ts'
import { appendScores, createScoreTable, type ScoreTable, scoreQuery } from './score-table.ts'
import type {
  EligibleScore,
  ModelRun,
  RunModel,
  ScoredWindow,
  ScoringExclusion,
} from './scored-window.ts'
import { positionName, type ScoringUnit } from './scoring-plan.ts'

/** Below this completeness a row is not scored, MOD-5. */
const minCompleteness = 0.5

/** What a run did with one deployed version, with the rows alerting needs. */
export type UnitResult = {
  readonly run: ModelRun
  readonly flagged: readonly ScoredWindow[]
  readonly eligible: ReadonlyMap<string, EligibleScore>
  readonly exclusions: readonly ScoringExclusion[]
}

/** One unit of a run. */
export type UnitOptions = {
  readonly unit: ScoringUnit
  readonly runId: string
  readonly registry: ModelRegistry
  readonly devices: readonly FleetDevice[]
  readonly modelThreads?: ModelThreads
  readonly batchRows?: number
}

/** A deployed version while its rows are being collected. */
type Collector = {
  readonly row: DeploymentRow
  readonly run: RunModel
  readonly model: RegisteredModel
  readonly table: ScoreTable
  readonly flagged: ScoredWindow[]
  readonly eligible: Map<string, EligibleScore>
  readonly exclusions: ScoringExclusion[]
  last: { readonly deviceId: string; readonly windowStartMs: number } | undefined
  rowCount: number
  flaggedCount: number
  error: IsothermError | undefined
}

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
      unit.deployments.map((row, index) => open(context, options, connection, row, index)),
    )
    const collectors = opened.filter((item) => 'table' in item)
    await scoreNewWindows(context, options, connection, source, collectors)
    for (const collector of collectors) {
      await guarded(collector, () =>
        scoreLateWindows(context, options, connection, source, collector),
      )
    }
    const results: UnitResult[] = []
    for (const item of opened) {
      results.push('table' in item ? await commit(context, unit, connection, item) : item)
    }
    return results
  })
}

async function open(
  { lake, nowMs }: JobContext,
  { registry, runId, unit, devices }: UnitOptions,
  connection: DuckDBConnection,
  row: DeploymentRow,
  index: number,
): Promise<Collector | UnitResult> {
  const run: RunModel = {
    modelId: row.model_id,
    modelVersion: row.model_version,
    durationMinutes: unit.durationMinutes,
    role: row.deployment_role,
  }
  try {
    const model = await registry.load(run)
    const missing = missingFeature(model, lake.fleet)
    if (missing !== undefined) return mismatched(run, missing, devices)
    const table = await createScoreTable(connection, `scores_${index}`, {
      modelId: run.modelId,
      modelVersion: run.modelVersion,
      role: run.role,
      durationMinutes: run.durationMinutes,
      threshold: FLAG_THRESHOLD,
      scoredAtMs: nowMs,
      runId,
      attributed: attributedFeatures(model.artifact),
      groups: sensorGroups(lake.fleet),
    })
    return {
      row,
      run,
      model,
      table,
      flagged: [],
      eligible: new Map(),
      exclusions: [],
      last: undefined,
      rowCount: 0,
      flaggedCount: 0,
      error: undefined,
    }
  } catch (cause) {
    return failed(run, asError(run, cause))
  }
}

function missingFeature({ artifact }: RegisteredModel, fleet: FleetDefinition): string | undefined {
  const known = new Set(featureColumns(fleet).map(({ name }) => name))
  return artifact.features.find((name) => !known.has(name))
}

/** A model of another feature list scores nothing, and says so for every device (SRV-6). */
function mismatched(run: RunModel, feature: string, devices: readonly FleetDevice[]): UnitResult {
  const error = new IsothermError(
    'MODEL_INVALID',
    `${run.modelId} ${run.modelVersion} needs the feature ${feature}, which this fleet does not define; deploy a version trained on its features`,
  )
  return {
    ...failed(run, error),
    exclusions: devices
      .filter(({ status }) => status === 'active')
      .map(({ device_id }) => ({
        deviceId: device_id,
        durationMinutes: run.durationMinutes,
        modelId: run.modelId,
        reason: 'FEATURE_MISMATCH',
      })),
  }
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
  for (let start = 0; start < staged.rowCount; start += batchRows) {
    const end = Math.min(start + batchRows, staged.rowCount)
    context.onProgress?.(`scoring ${unit.durationMinutes} min`, start, staged.rowCount)
    const rows = await readStaged(staged, start, end, cohorts)
    noteTargets(rows, unit, seen)
    await scoreInto(context, options, collectors, rows)
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
  const known = await lateWindows(
    connection,
    context.lake,
    collector.row,
    unit.afterMs,
    'scored_keys',
  )
  const staged: StagedFeatures = await stageFeatures(connection, {
    source,
    range: { startMs: known.fromMs, endMs: unit.afterMs - unit.durationMinutes * 60_000 + 1 },
    columns: collector.model.artifact.features,
    tableName: 'late_rows',
    where: known.where,
  })
  if (staged.rowCount === 0) return
  const rows = await readStaged(staged, 0, staged.rowCount, cohortsOf(options.devices))
  collector.last = undefined
  await scoreInto(context, options, [collector], rows)
}

/** Remembers which devices have a row in the target window, scored or not. */
function noteTargets(rows: FeatureRows, unit: ScoringUnit, seen: Set<string>): void {
  const targetStartMs = unit.untilMs - unit.durationMinutes * 60_000
  for (let row = 0; row < rows.matrix.rowCount; row++) {
    if (rows.windowStartMs[row] === targetStartMs) seen.add(rows.deviceIds[row]!)
  }
}

async function scoreInto(
  { lake }: JobContext,
  { unit, modelThreads }: UnitOptions,
  collectors: readonly Collector[],
  rows: FeatureRows,
): Promise<void> {
  const targetStartMs = unit.untilMs - unit.durationMinutes * 60_000
  const isTarget = (row: number) => rows.windowStartMs[row] === targetStartMs
  const complete = rowsWhere(
    rows.matrix.rowCount,
    (row) => rows.sensorCompleteness[row]! >= minCompleteness,
  )
  const isAll = complete.length === rows.matrix.rowCount
  const kept = isAll ? rows : selectFeatureRows(rows, complete)
  for (const collector of collectors) {
    await guarded(collector, async () => {
      for (let row = 0; !isAll && row < rows.matrix.rowCount; row++) {
        if (rows.sensorCompleteness[row]! < minCompleteness && isTarget(row)) {
          exclude(collector, rows.deviceIds[row]!, 'LOW_COMPLETENESS')
        }
      }
      const { run, model } = collector
      const scored = await scoreBatch(
        {
          run,
          model,
          fleet: lake.fleet,
          targetWindowEndMs: unit.untilMs,
          ...(modelThreads === undefined ? {} : { threads: modelThreads }),
        },
        kept,
      )
      await collect(collector, kept, scored, targetStartMs)
    })
  }
}

async function collect(
  collector: Collector,
  rows: FeatureRows,
  scored: ScoredBatch,
  targetStartMs: number,
): Promise<void> {
  const { columns } = scored
  const { modelId } = collector.run
  collector.last = checkScores(`${modelId} ${collector.run.modelVersion}`, columns, collector.last)
  // Explanations are numbered within the table, so that batches do not collide.
  const offset = collector.rowCount
  const numbered = columns.explanations.map((at) => (at < 0 ? -1 : at + offset))
  const index = scored.explained.index.map((at) => at + offset)
  await appendScores(
    collector.table,
    { ...columns, explanations: numbered },
    { ...scored.explained, index },
  )
  collector.rowCount += columns.deviceIds.length
  collector.flaggedCount += scored.flaggedCount
  collector.flagged.push(...scored.flagged)
  for (const row of scored.unscoredRows) {
    if (rows.windowStartMs[row] !== targetStartMs) continue
    exclude(collector, rows.deviceIds[row]!, 'IMPUTATION_FAILED')
  }
  for (const [at, deviceId] of columns.deviceIds.entries()) {
    if (columns.isEligible[at] === 0) continue
    collector.eligible.set(deviceId, {
      scores: { [modelId]: columns.scores[at]! },
      windowStartMs: columns.windowStartMs[at]!,
      windowEndMs: columns.windowStartMs[at]! + rows.durationMinutes * 60_000,
      sensorCompleteness: columns.sensorCompleteness[at]!,
    })
  }
}

async function commit(
  { lake, nowMs }: JobContext,
  unit: ScoringUnit,
  connection: DuckDBConnection,
  collector: Collector,
): Promise<UnitResult> {
  const { run, row, table, flagged, eligible, exclusions } = collector
  if (collector.error !== undefined) return failed(run, collector.error)
  try {
    const written = await lake.table('model_scores').write({
      connection,
      query: scoreQuery(table),
      positions: [{ appId: positionName(row), version: unit.untilMs / 1000 }],
      operation: 'SCORE',
      nowMs,
    })
    if (written.kind === 'repeated') {
      return {
        run: { ...run, kind: 'nothing_new' },
        flagged: [],
        eligible: new Map(),
        exclusions: [],
      }
    }
    const counts = { rowCount: collector.rowCount, flaggedCount: collector.flaggedCount }
    const scoredRun: ModelRun = {
      ...run,
      ...counts,
      kind: 'scored',
      scoredDevices: eligible.size,
      targetWindowEndMs: unit.untilMs,
      tableVersion: written.version,
    }
    return { run: scoredRun, flagged, eligible, exclusions }
  } catch (cause) {
    return failed(run, asError(run, cause))
  }
}

/** Runs a step of one version; a failure stops that version only (SRV-3). */
async function guarded(collector: Collector, step: () => Promise<void>): Promise<void> {
  if (collector.error !== undefined) return
  try {
    await step()
  } catch (cause) {
    collector.error = asError(collector.run, cause)
  }
}

function exclude(collector: Collector, deviceId: string, reason: ScoringExclusion['reason']): void {
  const { durationMinutes, modelId } = collector.run
  collector.exclusions.push({ deviceId, durationMinutes, modelId, reason })
}

function failed(run: RunModel, error: IsothermError): UnitResult {
  return {
    run: { ...run, kind: 'failed', error },
    flagged: [],
    eligible: new Map(),
    exclusions: [],
  }
}

function asError({ modelId, modelVersion }: RunModel, cause: unknown): IsothermError {
  if (cause instanceof IsothermError) return cause
  const message = cause instanceof Error ? cause.message : String(cause)
  return new IsothermError('GATE_FAILED', `scoring with ${modelId} ${modelVersion}: ${message}`, {
    cause,
  })
}
