import type { ScoresView } from 'isotherm/http'

type Series = ScoresView['series'][number]

/** One line of the score chart. */
export type ScoreLine = {
  readonly label: string
  readonly modelId: string
  readonly threshold: number
  readonly newest: number | null
  readonly scores: readonly (number | null)[]
}

/** Lines over one shared time axis in seconds. */
export type ScoreLines = { readonly times: readonly number[]; readonly lines: readonly ScoreLine[] }

/** `isolation_forest` as words. */
function modelWords(modelId: string): string {
  return modelId.replaceAll('_', ' ')
}

function isShown(series: Series, minutes: number): boolean {
  return series.window_duration_minutes === minutes && series.deployment_role === 'champion'
}

/** Scores of the champions for one window length, aligned on their window ends. */
export function scoreLines(scores: ScoresView, minutes: number): ScoreLines {
  const shown = scores.series.filter((series) => isShown(series, minutes))
  const timesMs = [...new Set(shown.flatMap((series) => series.window_end))].toSorted(
    (a, b) => a - b,
  )
  const lines = shown.map((series): ScoreLine => {
    const byTime = new Map(
      series.window_end.map((end, index) => [end, series.score[index] ?? null]),
    )
    return {
      label: modelWords(series.model_id),
      modelId: series.model_id,
      threshold: series.threshold,
      newest: series.score.at(-1) ?? null,
      scores: timesMs.map((timeMs) => byTime.get(timeMs) ?? null),
    }
  })
  return { times: timesMs.map((timeMs) => timeMs / 1000), lines }
}

/** Window lengths that have scores, the fleet's default first. */
export function scoredWindows(scores: ScoresView, order: readonly number[]): readonly number[] {
  const present = new Set(scores.series.map((series) => series.window_duration_minutes))
  return order.filter((minutes) => present.has(minutes))
}
