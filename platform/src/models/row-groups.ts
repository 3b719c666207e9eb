import { UNKNOWN_GROUP } from '@isotherm/anomaly'
import type { FeatureRows } from './feature-rows.ts'

/** Index of each id in the artifact's list, or UNKNOWN_GROUP. */
export function groupIndices(
  ids: readonly (string | null)[],
  known: readonly string[],
): Uint32Array {
  const indexOf = new Map(known.map((id, index) => [id, index]))
  const groups = new Uint32Array(ids.length)
  for (let row = 0; row < ids.length; row++) {
    const id = ids[row]
    groups[row] =
      id === null || id === undefined ? UNKNOWN_GROUP : (indexOf.get(id) ?? UNKNOWN_GROUP)
  }
  return groups
}

/** Distinct ids in ascending order of code units. */
export function distinctSorted(ids: readonly (string | null)[]): readonly string[] {
  const distinct = new Set<string>()
  for (const id of ids) if (id !== null) distinct.add(id)
  return [...distinct].sort()
}

/** Rows per device and the time they span, for the readiness of its own statistics, MOD-15. */
export function devicesWithHistory(
  rows: FeatureRows,
  minimum: { readonly rowCount: number; readonly days: number },
): readonly string[] {
  const histories = new Map<string, { count: number; firstMs: number; lastMs: number }>()
  for (let row = 0; row < rows.matrix.rowCount; row++) {
    const id = rows.deviceIds[row]!
    const startMs = rows.windowStartMs[row]!
    const history = histories.get(id)
    if (history === undefined) histories.set(id, { count: 1, firstMs: startMs, lastMs: startMs })
    else {
      history.count++
      history.firstMs = Math.min(history.firstMs, startMs)
      history.lastMs = Math.max(history.lastMs, startMs)
    }
  }
  const stepMs = rows.durationMinutes * 60_000
  return [...histories]
    .filter(
      ([, { count, firstMs, lastMs }]) =>
        count >= minimum.rowCount && lastMs + stepMs - firstMs >= minimum.days * 86_400_000,
    )
    .map(([id]) => id)
    .sort()
}
