const minuteMs = 60_000

/** How old the newest good scores are, SRV-35. */
export type ScoreFreshness = 'fresh' | 'stale' | 'very_stale' | 'expired'

/** Age from which the fallback rules alert, SRV-35. */
export const FALLBACK_AGE_MS = 120 * minuteMs

/**
 * State of the scores by the age of the primary model's last good run (SRV-35): at most 75 minutes
 * fresh, 2 hours stale, 4 hours very stale (the fallback rules alert), then expired. Without any
 * run yet the scores are expired.
 */
export function scoreFreshness(
  lastGoodScoredAtMs: number | undefined,
  nowMs: number,
): ScoreFreshness {
  if (lastGoodScoredAtMs === undefined) return 'expired'
  const ageMs = nowMs - lastGoodScoredAtMs
  if (ageMs <= 75 * minuteMs) return 'fresh'
  if (ageMs <= FALLBACK_AGE_MS) return 'stale'
  return ageMs <= 240 * minuteMs ? 'very_stale' : 'expired'
}
