import type { ScoresView } from 'isotherm/http'
import { describe, expect, it } from 'vitest'
import { scoredWindows, scoreLines } from './score-lines.ts'

const series = (modelId: string, minutes: number, ends: readonly number[], role = 'champion') => ({
  model_id: modelId,
  window_duration_minutes: minutes,
  deployment_role: role,
  threshold: 0.6,
  window_end: [...ends],
  score: ends.map((end) => end / 10_000),
  flagged: ends.map(() => false),
  model_version: '1.0.0',
  contributors: [],
})

const scores: ScoresView = {
  device_id: 'REF-1',
  from: '2026-02-15T00:00:00.000Z',
  to: '2026-02-15T10:00:00.000Z',
  series: [
    series('isolation_forest', 60, [1000, 2000, 3000]),
    series('statistical_baseline', 60, [2000, 4000]),
    series('isolation_forest', 15, [500]),
    series('isolation_forest', 60, [9000], 'shadow'),
  ],
  newest_scored_at: null,
}

describe('score lines', () => {
  it('share one time axis, null where a model did not score', () => {
    const { times, lines } = scoreLines(scores, 60)
    expect(times).toEqual([1, 2, 3, 4])
    expect(lines.map(({ label }) => label)).toEqual(['isolation forest', 'statistical baseline'])
    expect(lines.map((line) => line.scores)).toEqual([
      [0.1, 0.2, 0.3, null],
      [null, 0.2, null, 0.4],
    ])
    expect(lines[1]?.newest).toBe(0.4)
  })
  it('offer the window lengths that have scores, in the fleet order', () => {
    expect(scoredWindows(scores, [60, 15, 1440])).toEqual([60, 15])
  })
})
