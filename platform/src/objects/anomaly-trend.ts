/** Hourly scores that a trend looks at, OBJ-4. */
export const trailLength = 24
const minPoints = 12
/** Change per 24 hours that counts as a trend. */
const minChange = 0.1

/** Where the hourly scores of a device are heading. */
export type AnomalyTrend = 'stable' | 'increasing' | 'decreasing'

/** The last hourly scores of a device, oldest first, null where an hour has none. */
export type ScoreTrail = {
  /** Hour of the last entry, hours since the epoch. */
  readonly hour: number
  readonly scores: readonly (number | null)[]
}

/** The trail with the score of one more hour; an hour again replaces, an older one is filled in. */
export function extendTrail(
  trail: ScoreTrail | undefined,
  hour: number,
  score: number,
): ScoreTrail {
  if (trail === undefined) return { hour, scores: [score] }
  const trailStart = trail.hour - trail.scores.length + 1
  const last = Math.max(hour, trail.hour)
  const first = Math.max(last - trailLength + 1, Math.min(trailStart, hour))
  const scores: (number | null)[] = []
  for (let at = first; at <= last; at++) {
    scores.push(at === hour ? score : (trail.scores[at - trailStart] ?? null))
  }
  return { hour: last, scores }
}

/** Least-squares direction over the trail, OBJ-4; undefined with fewer than 12 scores. */
export function trendOf(trail: ScoreTrail | undefined): AnomalyTrend | undefined {
  if (trail === undefined) return undefined
  let count = 0
  let sumX = 0
  let sumY = 0
  let sumXx = 0
  let sumXy = 0
  trail.scores.forEach((score, hour) => {
    if (score === null) return
    count += 1
    sumX += hour
    sumY += score
    sumXx += hour * hour
    sumXy += hour * score
  })
  if (count < minPoints) return undefined
  const slope = (count * sumXy - sumX * sumY) / (count * sumXx - sumX * sumX)
  const change = slope * 24
  return change > minChange ? 'increasing' : change < -minChange ? 'decreasing' : 'stable'
}
