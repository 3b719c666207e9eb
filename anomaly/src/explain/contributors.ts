import { shapeMismatch } from '../errors.ts'

/** One column's part in a row's score. */
export type Contributor = {
  readonly name: string
  /** Column index. */
  readonly column: number
  /** In the detector's unit; positive pushes towards anomaly or lies above the centre. */
  readonly value: number
}

/** Which contributors to name. */
export type ContributorOptions = {
  /** At most this many, default 5. */
  readonly count?: number
  /** Only positive ones, as for forests; default false: largest magnitude, either sign. */
  readonly positiveOnly?: boolean
}

/**
 * The columns that contribute most to one row's score, largest magnitude first, ties in column
 * order; zeros and NaN are never named.
 * @param contributions one value per column: one row of an explanation
 * @throws SHAPE_MISMATCH if names and contributions differ in length
 */
export function topContributors(
  contributions: Float64Array,
  names: readonly string[],
  options: ContributorOptions = {},
): Contributor[] {
  const { count = 5, positiveOnly = false } = options
  if (contributions.length !== names.length) {
    throw shapeMismatch('contributions.length', names.length, contributions.length)
  }
  const found: Contributor[] = []
  for (const [column, name] of names.entries()) {
    const value = contributions[column]!
    const isNamed = positiveOnly ? value > 0 : value > 0 || value < 0
    if (isNamed) found.push({ name, column, value })
  }
  found.sort((a, b) => Math.abs(b.value) - Math.abs(a.value) || a.column - b.column)
  return found.slice(0, count)
}
