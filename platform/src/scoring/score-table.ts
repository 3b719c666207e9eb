import type { DuckDBConnection } from '@duckdb/node-api'
import { appendColumns } from '../models/index.ts'

/** Scores of one batch, parallel arrays; one entry per scored row. */
export type ScoreColumns = {
  readonly deviceIds: readonly string[]
  readonly cohortIds: readonly (string | null)[]
  readonly windowStartMs: Float64Array
  readonly sensorCompleteness: Float64Array
  readonly scores: Float64Array
  readonly rawScores: Float64Array
  /** Index into granularities. */
  readonly scopes: Float64Array
  readonly isEligible: Float64Array
  /** Position of the row in the explanations, or -1. */
  readonly explanations: Float64Array
}

/** Explanations of the flagged rows of one batch. */
export type ExplanationColumns = {
  readonly index: Float64Array
  readonly isDataQuality: Float64Array
  /** Contributors as JSON: names, contributions, directions. */
  readonly names: readonly string[]
  readonly contributions: readonly string[]
  readonly directions: readonly string[]
  /** Row-major, one column per feature; empty for families without attributions. */
  readonly attributions: readonly Float64Array[]
  /** One column per sensor group. */
  readonly groupShares: readonly Float64Array[]
}

/** What is the same in all rows of one model's commit. */
export type ScoreConstants = {
  readonly modelId: string
  readonly modelVersion: string
  readonly role: string
  readonly durationMinutes: number
  readonly threshold: number
  readonly scoredAtMs: number
  readonly runId: string
  /** Features with stored attributions; empty for families without. */
  readonly attributed: readonly string[]
  readonly groups: readonly string[]
}

/** Temporary tables that collect a model's rows until its one commit. */
export type ScoreTable = {
  readonly connection: DuckDBConnection
  readonly name: string
  readonly constants: ScoreConstants
}

function columnList(names: readonly string[], prefix: string): string {
  return names.map((_, index) => `, ${prefix}${index} DOUBLE`).join('')
}

/** Creates the empty temporary tables of one model. */
export async function createScoreTable(
  connection: DuckDBConnection,
  name: string,
  constants: ScoreConstants,
): Promise<ScoreTable> {
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${name} (
    window_start_ms DOUBLE, completeness DOUBLE, score DOUBLE, raw DOUBLE, scope DOUBLE,
    eligible DOUBLE, explanation DOUBLE, device_id VARCHAR, cohort_id VARCHAR)`)
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${name}_explained (
    explanation DOUBLE, data_quality DOUBLE, names VARCHAR, contributions VARCHAR,
    directions VARCHAR${columnList(constants.attributed, 'a')}${columnList(constants.groups, 'g')})`)
  return { connection, name, constants }
}

/** Adds a batch. */
export async function appendScores(
  { connection, name }: ScoreTable,
  rows: ScoreColumns,
  explained: ExplanationColumns,
): Promise<void> {
  const doubles = (values: Float64Array) => ({ kind: 'doubles', values }) as const
  const texts = (values: readonly (string | null)[]) => ({ kind: 'values', values }) as const
  await appendColumns(connection, name, [
    doubles(rows.windowStartMs),
    doubles(rows.sensorCompleteness),
    doubles(rows.scores),
    doubles(rows.rawScores),
    doubles(rows.scopes),
    doubles(rows.isEligible),
    doubles(rows.explanations),
    texts(rows.deviceIds),
    texts(rows.cohortIds),
  ])
  await appendColumns(connection, `${name}_explained`, [
    doubles(explained.index),
    doubles(explained.isDataQuality),
    texts(explained.names),
    texts(explained.contributions),
    texts(explained.directions),
    ...explained.attributions.map(doubles),
    ...explained.groupShares.map(doubles),
  ])
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

function mapOf(names: readonly string[], prefix: string, isPresent: string): string {
  if (names.length === 0) return 'NULL::MAP(VARCHAR, DOUBLE)'
  const values = names.map((_, index) => `${prefix}${index}`).join(', ')
  return `CASE WHEN ${isPresent} THEN map([${names.map(text).join(', ')}], [${values}]) END`
}

function instant(ms: string): string {
  return `make_timestamptz((${ms})::BIGINT * 1000)`
}

/**
 * The rows as `model_scores` (CON-31). `score_id` is a UUIDv5 over device, window start, duration,
 * model, version, granularity and role, so a second scoring of a window gives the same id.
 */
export function scoreQuery({ name, constants }: ScoreTable): string {
  const { modelId, modelVersion, role, durationMinutes, threshold, runId } = constants
  const start = instant('window_start_ms')
  const end = instant(`window_start_ms + ${durationMinutes * 60_000}`)
  const granularity = "['fleet', 'cohort', 'device'][scope::INTEGER + 1]"
  const idParts = [
    'device_id',
    `strftime(${start}, '%Y-%m-%dT%H:%M:%S.%gZ')`,
    text(String(durationMinutes)),
    text(modelId),
    text(modelVersion),
    granularity,
    text(role),
  ].join(' || chr(10) || ')
  const scoredAt = instant(String(constants.scoredAtMs))
  return `SELECT uuid_v5(${idParts}) AS score_id, device_id, ${start} AS window_start,
    ${end} AS window_end, ${durationMinutes}::INTEGER AS window_duration_minutes,
    ${text(modelId)} AS model_id, ${text(modelVersion)} AS model_version,
    ${text(role)} AS deployment_role, ${granularity} AS granularity, cohort_id,
    score AS anomaly_score, score > ${threshold} AS anomaly_flag,
    ${threshold}::DOUBLE AS threshold_used,
    from_json(names, '["VARCHAR"]') AS top_contributors,
    from_json(contributions, '["DOUBLE"]') AS contributor_scores,
    from_json(directions, '["VARCHAR"]') AS contributor_directions,
    ${mapOf(constants.attributed, 'a', 'names IS NOT NULL')} AS shap_values,
    ${scoredAt} AS scored_at, completeness AS sensor_completeness,
    eligible > 0 AS alert_eligible, coalesce(data_quality > 0, false) AS data_quality,
    ${text(runId)} AS run_id,
    CASE WHEN completeness < 0.7 THEN 'low' ELSE 'normal' END AS confidence,
    raw AS raw_score, ${mapOf(constants.groups, 'g', 'names IS NOT NULL')} AS component_scores,
    strftime(${scoredAt}, '%Y-%m-%d') AS scored_at_date
  FROM ${name} LEFT JOIN ${name}_explained USING (explanation)`
}
