const longestMs = 300_000

/** Wait before a try: full jitter over a doubling span, ING-13. `unit` is uniform in [0, 1). */
export function backoffMs(attempt: number, unit: number): number {
  return unit * Math.min(longestMs, 1000 * 2 ** attempt)
}
