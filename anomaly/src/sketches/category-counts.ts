import { AnomalyError } from '../errors.ts'

/** How often each category occurred; mergeable without error. Plain data. */
export type CategoryCounts = {
  readonly kind: 'category_counts'
  readonly stateVersion: 1
  /** Distinct, in ascending order of their UTF-16 units. */
  readonly categories: readonly string[]
  /** One count per category. */
  readonly counts: Float64Array
  /** Missing entries, which belong to no category. */
  readonly nullCount: number
}

/** More categories than this are an identifier, not a category. */
const MAX_CATEGORIES = 10_000

/** Counts of nothing. */
export function emptyCategoryCounts(): CategoryCounts {
  return ofMap(new Map(), 0)
}

/**
 * The counts with more entries in them; the old ones stay as they were.
 * @param entries category of each row; null for a missing one
 * @throws INVALID_OPTION beyond 10,000 categories: the column is an identifier
 * Cost O(n + categories log categories).
 */
export function updateCategoryCounts(
  counts: CategoryCounts,
  entries: readonly (string | null)[],
): CategoryCounts {
  const sums = new Map(counts.categories.map((category, i) => [category, counts.counts[i]!]))
  let nullCount = counts.nullCount
  for (const entry of entries) {
    if (entry === null) nullCount++
    else sums.set(entry, (sums.get(entry) ?? 0) + 1)
  }
  return ofMap(sums, nullCount)
}

/** Counts of both; exact, the same in any order. */
export function mergeCategoryCounts(a: CategoryCounts, b: CategoryCounts): CategoryCounts {
  const sums = new Map(a.categories.map((category, i) => [category, a.counts[i]!]))
  for (const [i, category] of b.categories.entries()) {
    sums.set(category, (sums.get(category) ?? 0) + b.counts[i]!)
  }
  return ofMap(sums, a.nullCount + b.nullCount)
}

function ofMap(sums: ReadonlyMap<string, number>, nullCount: number): CategoryCounts {
  if (sums.size > MAX_CATEGORIES) {
    throw new AnomalyError(
      'INVALID_OPTION',
      `category counts: ${sums.size} categories, expected at most ${MAX_CATEGORIES}; the column is an identifier, leave it out`,
      { found: sums.size, expected: MAX_CATEGORIES },
    )
  }
  const categories = [...sums.keys()].sort()
  const counts = Float64Array.from(categories, (category) => sums.get(category) ?? 0)
  return { kind: 'category_counts', stateVersion: 1, categories, counts, nullCount }
}
