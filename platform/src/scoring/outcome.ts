import type { UnitResult } from './collector.ts'
import type {
  EligibleScore,
  ScoredWindow,
  ScoringExclusion,
  ScoringOutcome,
} from './scored-window.ts'

/** Joins what the versions of a run did: highest eligible score per device and family. */
export function outcomeOf(
  runId: string,
  scoredAtMs: number,
  results: readonly UnitResult[],
): ScoringOutcome {
  const flagged: ScoredWindow[] = []
  const exclusions: ScoringExclusion[] = []
  const eligible = new Map<string, EligibleScore>()
  for (const result of results) {
    for (const window of result.flagged) flagged.push(window)
    for (const exclusion of result.exclusions) exclusions.push(exclusion)
    for (const [deviceId, score] of result.eligible) {
      const known = eligible.get(deviceId)
      eligible.set(deviceId, known === undefined ? score : highest(known, score))
    }
  }
  flagged.sort((a, b) => (a.deviceId < b.deviceId ? -1 : a.deviceId > b.deviceId ? 1 : 0))
  return {
    runId,
    scoredAtMs,
    models: results.map(({ run }) => run),
    flagged,
    eligible,
    exclusions,
    isPartial: results.some(({ run }) => run.kind === 'failed'),
  }
}

function highest(a: EligibleScore, b: EligibleScore): EligibleScore {
  const scores: Record<string, number> = { ...a.scores }
  for (const [modelId, score] of Object.entries(b.scores)) {
    scores[modelId] = Math.max(score, scores[modelId] ?? 0)
  }
  return {
    scores,
    windowStartMs: Math.min(a.windowStartMs, b.windowStartMs),
    windowEndMs: Math.max(a.windowEndMs, b.windowEndMs),
    sensorCompleteness: Math.min(a.sensorCompleteness, b.sensorCompleteness),
  }
}
