import { type FleetDefinition, featureColumns } from '../contracts/index.ts'
import { completeUntilMs } from '../features/index.ts'
import type { Lake } from '../lake/index.ts'
import type { LatestScore, LiveUpdate } from '../objects/index.ts'
import type { ScoringOutcome } from '../scoring/index.ts'
import type { Deployment } from './deployment.ts'

const dayMs = 86_400_000

/** Mean features shown on lists: of the first two sensors, and how many readings came. */
function dailyMetrics(fleet: FleetDefinition): readonly string[] {
  return featureColumns(fleet)
    .filter(({ source }) => source.kind === 'aggregate' && source.aggregate === 'mean')
    .slice(0, 2)
    .map(({ name }) => name)
}

/** Trailing 24 complete hours per device, weighted by readings, FEA-52. */
async function metricsOf(
  lake: Lake,
  fleet: FleetDefinition,
): Promise<ReadonlyMap<string, Readonly<Record<string, number | null>>>> {
  const untilMs = await completeUntilMs(lake, 60)
  if (untilMs === undefined) return new Map()
  const table = lake.table('device_features')
  const snapshot = await table.snapshot()
  const fromDate = new Date(untilMs - dayMs).toISOString().slice(0, 10)
  const files = snapshot.files.filter(
    ({ partitionValues }) =>
      partitionValues.window_duration_minutes === '60' &&
      (partitionValues.window_date ?? '') >= fromDate,
  )
  const names = dailyMetrics(fleet)
  const means = names.map(
    (name) =>
      `sum("${name}" * reading_count) / sum(CASE WHEN "${name}" IS NOT NULL THEN reading_count END)`,
  )
  const rows = await lake.withConnection((connection) =>
    connection.runAndReadAll(`
      SELECT device_id, sum(reading_count)::DOUBLE, ${means.join(', ')}
      FROM ${table.relation(snapshot, files)}
      WHERE window_end > make_timestamptz(${(untilMs - dayMs) * 1000})
        AND window_end <= make_timestamptz(${untilMs * 1000})
      GROUP BY device_id`),
  )
  return new Map(
    rows.getRows().map(([deviceId, readingCount, ...values]) => [
      String(deviceId),
      {
        reading_count_24h: Number(readingCount),
        ...Object.fromEntries(
          names.map((name, i) => [
            `${name}_24h`,
            values[i] === null || values[i] === undefined ? null : Number(values[i]),
          ]),
        ),
      },
    ]),
  )
}

/** Scores of the run over the default window, OBJ-4: lists do not mix durations. */
async function latestScores(
  lake: Lake,
  fleet: FleetDefinition,
  { runId, scoredAtMs }: ScoringOutcome,
): Promise<ReadonlyMap<string, readonly LatestScore[]>> {
  const table = lake.table('model_scores')
  const snapshot = await table.snapshot()
  const date = new Date(scoredAtMs).toISOString().slice(0, 10)
  const files = snapshot.files.filter(({ partitionValues }) => {
    return partitionValues.scored_at_date === date
  })
  const rows = await lake.withConnection((connection) =>
    connection.runAndReadAll(`
      SELECT device_id, model_id, model_version, anomaly_score, confidence, epoch_ms(window_end)
      FROM ${table.relation(snapshot, files)}
      WHERE run_id = '${runId}' AND alert_eligible
        AND window_duration_minutes = ${fleet.windowMinutes[0]}`),
  )
  const scores = new Map<string, LatestScore[]>()
  for (const [device, modelId, modelVersion, score, confidence, windowEnd] of rows.getRows()) {
    const deviceId = String(device)
    const own = scores.get(deviceId) ?? []
    own.push({
      modelId: String(modelId),
      modelVersion: String(modelVersion),
      score: Number(score),
      confidence: confidence === 'low' ? 'low' : 'normal',
      windowEndMs: Number(windowEnd),
      scoredAtMs,
    })
    scores.set(deviceId, own)
  }
  return scores
}

/** Copies what lists and pages need after a scoring run onto the devices, OBJ-35. */
export async function hydrate(deployment: Deployment, scoring: ScoringOutcome): Promise<void> {
  const { lake, fleet, state } = deployment
  const [defaultMinutes] = fleet.windowMinutes
  const isScored = scoring.models.some(
    ({ kind, durationMinutes }) => kind === 'scored' && durationMinutes === defaultMinutes,
  )
  const primary = primaryModelId(fleet)
  if (!isScored || primary === undefined) return
  const scores = await latestScores(lake, fleet, scoring)
  const metrics = await metricsOf(lake, fleet)
  await state.live.hydrate({
    hydratedAtMs: scoring.scoredAtMs,
    primaryModelId: primary,
    updates: [...scores].map(([deviceId, own]): LiveUpdate => {
      const known = metrics.get(deviceId)
      return { deviceId, scores: own, ...(known !== undefined && { metrics: known }) }
    }),
  })
}

/** Family whose score stands for a device in lists, OBJ-4: the forest, else the fleet's first. */
export function primaryModelId(fleet: FleetDefinition): string | undefined {
  const forest = fleet.models.find(({ kind }) => kind === 'isolation_forest')
  return (forest ?? fleet.models[0])?.modelId
}
