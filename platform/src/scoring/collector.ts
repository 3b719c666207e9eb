import type { DuckDBConnection } from '@duckdb/node-api'
import { type FleetDefinition, featureColumns, IsothermError } from '../contracts/index.ts'
import type { JobContext } from '../lake/index.ts'
import {
  type DeploymentRow,
  type FeatureRows,
  FLAG_THRESHOLD,
  type FleetDevice,
  type ModelRegistry,
  type ModelThreads,
  type RegisteredModel,
} from '../models/index.ts'
import { attributedFeatures, type ScoredBatch, sensorGroups } from './score-batch.ts'
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

/** One unit of a run. */
export type UnitOptions = {
  readonly unit: ScoringUnit
  readonly runId: string
  readonly registry: ModelRegistry
  readonly devices: readonly FleetDevice[]
  /** Threads for a batch of so many rows; undefined where they would not pay. */
  readonly threadsFor?: (rowCount: number) => ModelThreads | undefined
  readonly batchRows?: number
  /** Writes nothing: the unit is a repetition of what this version of `model_scores` holds. */
  readonly repeatOfVersion?: number
}

/** What a run did with one deployed version, with the rows alerting needs. */
export type UnitResult = {
  readonly run: ModelRun
  readonly flagged: readonly ScoredWindow[]
  readonly eligible: ReadonlyMap<string, EligibleScore>
  readonly exclusions: readonly ScoringExclusion[]
}

/** A deployed version while its rows are being collected. */
export type Collector = {
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

/** Loads a deployed version and opens its table, or says why it cannot run. */
export async function openCollector(
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

/** Checks a scored batch and adds it to the version's table and accumulators. */
export async function collectBatch(
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

/** Commits a version's rows at once, with its position (SRV-3). */
export async function commitCollector(
  { lake, nowMs }: JobContext,
  unit: ScoringUnit,
  connection: DuckDBConnection,
  collector: Collector,
): Promise<UnitResult> {
  const { run, row, table } = collector
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
    return resultOfCollector(unit, collector, written.version)
  } catch (cause) {
    return failed(run, asError(run, cause))
  }
}

/** What a version's rows come to, once they stand in a version of the table. */
export function resultOfCollector(
  unit: ScoringUnit,
  collector: Collector,
  tableVersion: number,
): UnitResult {
  const { run, flagged, eligible, exclusions, rowCount, flaggedCount, error } = collector
  if (error !== undefined) return failed(run, error)
  const scored: ModelRun = {
    ...run,
    kind: 'scored',
    rowCount,
    flaggedCount,
    scoredDevices: eligible.size,
    targetWindowEndMs: unit.untilMs,
    tableVersion,
  }
  return { run: scored, flagged, eligible, exclusions }
}

/** Runs a step of one version; a failure stops that version only (SRV-3). */
export async function guarded(collector: Collector, step: () => Promise<void>): Promise<void> {
  if (collector.error !== undefined) return
  try {
    await step()
  } catch (cause) {
    collector.error = asError(collector.run, cause)
  }
}

/** Lists a device as not scored in the target window. */
export function exclude(
  collector: Collector,
  deviceId: string,
  reason: ScoringExclusion['reason'],
): void {
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
