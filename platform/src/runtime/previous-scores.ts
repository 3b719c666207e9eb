import { type ScoringRun, scoringRunOf } from '../alerts/index.ts'
import { type Lake, sqlList } from '../lake/index.ts'
import type { ScoredWindow, ScoringOutcome } from '../scoring/index.ts'
import type { Deployment } from './deployment.ts'

/** Scores above this ask whether the window before was as high, SRV-39. */
const sustainedScore = 0.85

/** Days of `scored_at_date` that can hold the window before, for 1,440-minute windows too. */
const lookbackMs = 3 * 86_400_000

type Previous = { readonly score: number; readonly windowEndMs: number }

const previousKey = (deviceId: string, modelId: string, durationMinutes: number) =>
  `${modelId} ${durationMinutes} ${deviceId}`

/**
 * Newest score before each high one, from the table: it survives restarts, and the windows of this
 * run that may not alert themselves count as witnesses too.
 */
async function previousScores(
  lake: Lake,
  high: readonly ScoredWindow[],
  scoredAtMs: number,
): Promise<ReadonlyMap<string, Previous>> {
  const found = new Map<string, Previous>()
  if (high.length === 0) return found
  const table = lake.table('model_scores')
  const snapshot = await table.snapshot()
  const fromDate = new Date(scoredAtMs - lookbackMs).toISOString().slice(0, 10)
  const files = snapshot.files.filter(
    ({ partitionValues }) => (partitionValues.scored_at_date ?? '') >= fromDate,
  )
  const devices = sqlList([...new Set(high.map(({ deviceId }) => deviceId))])
  const rows = await lake.withConnection((connection) =>
    connection.runAndReadAll(`
      SELECT device_id, model_id, window_duration_minutes, epoch_ms(window_end), anomaly_score
      FROM ${table.relation(snapshot, files)}
      WHERE device_id IN (${devices}) AND deployment_role = 'champion'
      ORDER BY window_end`),
  )
  const currentEnd = new Map(
    high.map((one) => [
      previousKey(one.deviceId, one.modelId, one.durationMinutes),
      one.windowEndMs,
    ]),
  )
  for (const [deviceId, modelId, minutes, windowEnd, score] of rows.getRows()) {
    const key = previousKey(String(deviceId), String(modelId), Number(minutes))
    const windowEndMs = Number(windowEnd)
    if (windowEndMs >= (currentEnd.get(key) ?? 0)) continue
    found.set(key, { score: Number(score), windowEndMs })
  }
  return found
}

/**
 * A scoring run as the alert job sees it, with the previous scores of the same family and duration
 * from the table.
 */
export async function witnessedRun(
  { lake, state, fleet }: Deployment,
  outcome: ScoringOutcome,
  nowMs: number,
): Promise<ScoringRun> {
  const high = outcome.flagged.filter(({ score }) => score > sustainedScore)
  const previous = await previousScores(lake, high, outcome.scoredAtMs)
  return {
    ...scoringRunOf({ outcome, state, fleet, nowMs }),
    previousScore: (deviceId, modelId, durationMinutes) =>
      previous.get(previousKey(deviceId, modelId, durationMinutes)),
  }
}
