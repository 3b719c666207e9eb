import { extendTrail, type ScoreTrail } from './anomaly-trend.ts'

/** Newest score of one model family for a device. */
export type LatestScore = {
  readonly modelId: string
  readonly modelVersion: string
  readonly score: number
  readonly confidence: 'normal' | 'low'
  readonly windowEndMs: number
  readonly scoredAtMs: number
}

/** What hydration knows about one device, OBJ-35. */
export type LiveUpdate = {
  readonly deviceId: string
  /** Newest score per family; families left out keep theirs. */
  readonly scores?: readonly LatestScore[]
  /** Key values over the trailing 24 complete hours by name, null when unknown, OBJ-4. */
  readonly metrics?: Readonly<Record<string, number | null>>
}

/** The hydrated part of a device's live state. */
export type LiveEntry = {
  readonly hydratedAtMs: number
  readonly scores: readonly LatestScore[]
  readonly metrics: Readonly<Record<string, number | null>>
  /** Hourly scores of the primary family, for the trend. */
  readonly trail?: ScoreTrail
}

const hourMs = 3_600_000

/**
 * A device's entry after a hydration. A score replaces one of the same family unless its window is
 * older, so that re-scoring history does not turn the view back.
 */
export function hydrateEntry(
  entry: LiveEntry | undefined,
  update: LiveUpdate,
  primaryModelId: string,
  hydratedAtMs: number,
): LiveEntry {
  let scores = entry?.scores ?? []
  let trail = entry?.trail
  for (const score of update.scores ?? []) {
    const known = scores.find(({ modelId }) => modelId === score.modelId)
    if (score.modelId === primaryModelId) {
      trail = extendTrail(trail, Math.floor(score.windowEndMs / hourMs), score.score)
    }
    if (known !== undefined && known.windowEndMs > score.windowEndMs) continue
    scores = [...scores.filter((other) => other !== known), score]
  }
  return {
    hydratedAtMs,
    scores,
    metrics: update.metrics ?? entry?.metrics ?? {},
    ...(trail === undefined ? {} : { trail }),
  }
}
