import { type FleetDefinition, featureColumns } from '../contracts/index.ts'
import {
  explainRows,
  type FeatureRows,
  FLAG_THRESHOLD,
  granularities,
  type ModelArtifact,
  type ModelThreads,
  type RegisteredModel,
  type RowExplanation,
  type RowScores,
  scoreRows,
} from '../models/index.ts'
import { uuidV5 } from '../objects/index.ts'
import type { ExplanationColumns, ScoreColumns } from './score-table.ts'
import type { RunModel, ScoredWindow } from './scored-window.ts'

/** How to score a batch with one deployed version. */
export type BatchModel = {
  readonly run: RunModel
  readonly model: RegisteredModel
  readonly fleet: FleetDefinition
  readonly targetWindowEndMs: number
  readonly threads?: ModelThreads
}

/** A scored batch: rows to append and what alerting needs of them. */
export type ScoredBatch = {
  readonly columns: ScoreColumns
  readonly explained: ExplanationColumns
  readonly flagged: readonly ScoredWindow[]
  /** Indices into the batch of the rows that imputation dropped. */
  readonly unscoredRows: readonly number[]
  readonly flaggedCount: number
}

/** Sensor groups of a fleet, MOD-6: the keys of `component_scores`. */
export function sensorGroups(fleet: FleetDefinition): readonly string[] {
  return [...new Set(fleet.sensors.map(({ group }) => group))].sort()
}

/** Features whose attributions are stored per flagged row, CON-31: forests only. */
export function attributedFeatures({ detector, features }: ModelArtifact): readonly string[] {
  return detector.kind === 'isolation_forest' ? features : []
}

/** Scores rows, explains the flagged ones and lays both out for the table. Pure but for threads. */
export async function scoreBatch(batch: BatchModel, rows: FeatureRows): Promise<ScoredBatch> {
  const { artifact } = batch.model
  const scored = await scoreRows(artifact, rows, batch.threads)
  const positions = flaggedPositions(scored)
  const explanations = await explainRows(artifact, rows, scored, positions, batch.threads)
  const columns = scoreColumns(batch, rows, scored, positions)
  return {
    columns,
    explained: explanationColumns(batch, positions, explanations),
    flagged: scoredWindows(batch, rows, scored, positions, explanations, columns),
    unscoredRows: [...scored.imputed.mostlyImputedRows, ...scored.imputed.unfillableRows],
    flaggedCount: positions.length,
  }
}

function flaggedPositions({ scores }: RowScores): Uint32Array {
  const positions: number[] = []
  for (let at = 0; at < scores.length; at++) if (scores[at]! > FLAG_THRESHOLD) positions.push(at)
  return Uint32Array.from(positions)
}

function scoreColumns(
  { run, targetWindowEndMs }: BatchModel,
  rows: FeatureRows,
  scored: RowScores,
  positions: Uint32Array,
): ScoreColumns {
  const { scoredRows } = scored
  const targetStartMs = targetWindowEndMs - rows.durationMinutes * 60_000
  const count = scoredRows.length
  const explanations = new Float64Array(count).fill(-1)
  for (const at of positions) explanations[at] = at
  const windowStartMs = new Float64Array(count)
  const sensorCompleteness = new Float64Array(count)
  const isEligible = new Float64Array(count)
  const isChampion = run.role === 'champion'
  for (let at = 0; at < count; at++) {
    const row = scoredRows[at]!
    windowStartMs[at] = rows.windowStartMs[row]!
    sensorCompleteness[at] = rows.sensorCompleteness[row]!
    const isTarget = windowStartMs[at] === targetStartMs && rows.isLateCreated[row] === 0
    isEligible[at] = isChampion && isTarget ? 1 : 0
  }
  return {
    deviceIds: Array.from(scoredRows, (row) => rows.deviceIds[row]!),
    cohortIds: Array.from(scoredRows, (row) => rows.cohortIds[row] ?? null),
    windowStartMs,
    sensorCompleteness,
    scores: scored.scores,
    rawScores: scored.rawScores,
    scopes: Float64Array.from(scored.scopes),
    isEligible,
    explanations,
  }
}

function explanationColumns(
  { model, fleet }: BatchModel,
  positions: Uint32Array,
  explanations: readonly RowExplanation[],
): ExplanationColumns {
  const { artifact } = model
  const list = (of: (item: RowExplanation['contributors'][number]) => unknown) =>
    explanations.map(({ contributors }) => JSON.stringify(contributors.map(of)))
  const groups = sensorGroups(fleet)
  const shares = explanations.map(({ contributions }) =>
    groupShares(fleet, artifact, contributions, groups),
  )
  return {
    index: Float64Array.from(positions),
    isDataQuality: Float64Array.from(explanations, ({ isDataQuality }) => Number(isDataQuality)),
    names: list(({ feature }) => feature),
    contributions: list(({ contribution }) => contribution),
    directions: list(({ direction }) => direction),
    attributions: attributedFeatures(artifact).map((_, column) =>
      Float64Array.from(explanations, ({ contributions }) => contributions[column]!),
    ),
    groupShares: groups.map((_, group) => Float64Array.from(shares, (share) => share[group]!)),
  }
}

/** Share of each sensor group in what pushes the row towards anomaly, MOD-6; sums to 1 or is 0. */
function groupShares(
  fleet: FleetDefinition,
  { features, detector }: ModelArtifact,
  contributions: Float64Array,
  groups: readonly string[],
): Float64Array {
  const groupOf = new Map(featureColumns(fleet).map(({ name, group }) => [name, group]))
  const shares = new Float64Array(groups.length)
  let total = 0
  for (const [column, name] of features.entries()) {
    const group = groups.indexOf(groupOf.get(name) ?? '')
    const value = contributions[column]!
    const weight = detector.kind === 'robust_baseline' ? Math.abs(value) : Math.max(value, 0)
    if (group < 0) continue
    shares[group] = shares[group]! + weight
    total += weight
  }
  return total === 0 ? shares : shares.map((share) => share / total)
}

function scoredWindows(
  { run, model }: BatchModel,
  rows: FeatureRows,
  scored: RowScores,
  positions: Uint32Array,
  explanations: readonly RowExplanation[],
  columns: ScoreColumns,
): readonly ScoredWindow[] {
  const windows: ScoredWindow[] = []
  for (const [index, at] of positions.entries()) {
    const explanation = explanations[index]
    if (columns.isEligible[at] === 0 || explanation === undefined) continue
    const row = scored.scoredRows[at]!
    const deviceId = rows.deviceIds[row]!
    const windowStartMs = rows.windowStartMs[row]!
    const granularity = granularities[scored.scopes[at]!] ?? model.manifest.granularity
    const { modelId, modelVersion, durationMinutes, role } = run
    const sensorCompleteness = rows.sensorCompleteness[row]!
    windows.push({
      scoreId: uuidV5(
        deviceId,
        new Date(windowStartMs).toISOString(),
        String(durationMinutes),
        modelId,
        modelVersion,
        granularity,
        role,
      ),
      deviceId,
      cohortId: rows.cohortIds[row] ?? null,
      modelId,
      modelVersion,
      durationMinutes,
      windowStartMs,
      windowEndMs: windowStartMs + durationMinutes * 60_000,
      granularity,
      score: scored.scores[at]!,
      rawScore: scored.rawScores[at]!,
      sensorCompleteness,
      confidence: sensorCompleteness < 0.7 ? 'low' : 'normal',
      isDataQuality: explanation.isDataQuality,
      contributors: explanation.contributors,
    })
  }
  return windows
}
