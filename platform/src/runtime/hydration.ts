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

/** Copies what lists and pages need after a scoring run onto the devices, OBJ-35. */
export async function hydrate(deployment: Deployment, scoring: ScoringOutcome): Promise<void> {
  const scored = scoring.models.flatMap((model) => (model.kind === 'scored' ? [model] : []))
  const primary = primaryModelId(deployment.fleet)
  if (scored.length === 0 || primary === undefined) return
  const versions = new Map(scored.map(({ modelId, modelVersion }) => [modelId, modelVersion]))
  const metrics = await metricsOf(deployment.lake, deployment.fleet)
  const updates = [...scoring.eligible].map(([deviceId, eligible]): LiveUpdate => {
    const scores = Object.entries(eligible.scores).map(
      ([modelId, score]): LatestScore => ({
        modelId,
        modelVersion: versions.get(modelId) ?? '',
        score,
        confidence: eligible.sensorCompleteness < 0.7 ? 'low' : 'normal',
        windowEndMs: eligible.windowEndMs,
        scoredAtMs: scoring.scoredAtMs,
      }),
    )
    const own = metrics.get(deviceId)
    return { deviceId, scores, ...(own !== undefined && { metrics: own }) }
  })
  await deployment.state.live.hydrate({
    hydratedAtMs: scoring.scoredAtMs,
    primaryModelId: primary,
    updates,
  })
}

/** Family whose score stands for a device in lists, OBJ-4: the forest, else the fleet's first. */
export function primaryModelId(fleet: FleetDefinition): string | undefined {
  const forest = fleet.models.find(({ kind }) => kind === 'isolation_forest')
  return (forest ?? fleet.models[0])?.modelId
}
