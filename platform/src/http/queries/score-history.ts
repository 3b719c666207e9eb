import type { Lake } from '../../lake/index.ts'
import type { ScoresView } from '../schemas/series-schema.ts'
import { readRows, relationWhere, utcDate } from './live-files.ts'

type Series = ScoresView['series'][number]

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []

/** Scores of a device for windows that end in (fromMs, toMs], one series per model and duration. */
export async function scoreHistory(
  lake: Lake,
  request: { readonly deviceId: string; readonly fromMs: number; readonly toMs: number },
): Promise<Pick<ScoresView, 'series' | 'newest_scored_at'>> {
  // Scoring follows the window, by minutes or, for imported history, by years.
  const relation = await relationWhere(lake, 'model_scores', {
    scored_at_date: { min: utcDate(request.fromMs) },
    device_id: { min: request.deviceId, max: request.deviceId },
    window_end: { min: new Date(request.fromMs), max: new Date(request.toMs) },
  })
  if (relation === undefined) return { series: [], newest_scored_at: null }
  const rows = await readRows(
    lake,
    `SELECT model_id, window_duration_minutes, deployment_role, model_version, threshold_used,
       epoch_ms(window_end)::DOUBLE AS window_end, epoch_ms(scored_at)::DOUBLE AS scored_at,
       anomaly_score, anomaly_flag, to_json(top_contributors)::VARCHAR AS top_contributors
     FROM ${relation}
     WHERE device_id = $device
       AND epoch_ms(window_end) > $from_ms AND epoch_ms(window_end) <= $to_ms
     ORDER BY model_id, window_duration_minutes, deployment_role, window_end, scored_at`,
    { device: request.deviceId, from_ms: request.fromMs, to_ms: request.toMs },
  )
  const series = new Map<string, Series>()
  let newestMs = Number.NEGATIVE_INFINITY
  for (const row of rows) {
    const key = `${row.model_id} ${row.window_duration_minutes} ${row.deployment_role}`
    const found: Series = series.get(key) ?? {
      model_id: String(row.model_id),
      window_duration_minutes: Number(row.window_duration_minutes),
      deployment_role: String(row.deployment_role),
      threshold: 0,
      window_end: [],
      score: [],
      flagged: [],
      model_version: '',
      contributors: [],
    }
    found.threshold = Number(row.threshold_used)
    found.model_version = String(row.model_version)
    found.contributors = strings(JSON.parse(String(row.top_contributors ?? '[]')))
    found.window_end.push(Number(row.window_end))
    found.score.push(Number(row.anomaly_score))
    found.flagged.push(row.anomaly_flag === true)
    series.set(key, found)
    newestMs = Math.max(newestMs, Number(row.scored_at))
  }
  return {
    series: [...series.values()],
    newest_scored_at: rows.length === 0 ? null : new Date(newestMs).toISOString(),
  }
}
