import { invalidOption, tooFewRows } from '../errors.ts'
import type { CategoryCounts } from '../sketches/category-counts.ts'
import { chiSquareTail } from './gamma-tail.ts'

/** Options of `chiSquare`. */
export type ChiSquareOptions = {
  /** Categories with a smaller expected count are merged into one. Default 5 (MON-14). */
  readonly minExpected?: number
  /**
   * `two_samples` treats both as samples of equal standing (default); `goodness_of_fit` takes the
   * reference's shares for exact, as MON-14 writes it, right when the reference is far larger.
   */
  readonly test?: 'two_samples' | 'goodness_of_fit'
}

/** Comparison of two compositions. */
export type ChiSquareResult = {
  readonly statistic: number
  readonly degreesOfFreedom: number
  readonly pValue: number
  /** w = √(statistic / n) of Cohen: 0.1 small, 0.3 medium, 0.5 large. The effect size. */
  readonly effect: number
  /** Categories too rare to stand alone. */
  readonly mergedCategories: readonly string[]
}

/**
 * Pearson's chi-square comparison of two compositions. Missing entries are in no category.
 * @throws TOO_FEW_ROWS if a side is empty, INVALID_OPTION
 * Cost O(categories). Source: MON-14; Cohen 1988 for w; without merging the two-sample statistic
 * equals scipy.stats.chi2_contingency(correction=False).
 */
export function chiSquare(
  reference: CategoryCounts,
  current: CategoryCounts,
  { minExpected = 5, test = 'two_samples' }: ChiSquareOptions = {},
): ChiSquareResult {
  if (!(minExpected >= 0)) throw invalidOption('minExpected', '≥ 0', minExpected)
  const names = [...new Set([...reference.categories, ...current.categories])].sort()
  const before = countsOf(reference, names)
  const now = countsOf(current, names)
  const total = { before: sum(before), now: sum(now) }
  if (total.before === 0) throw tooFewRows('chi-square reference', 1, 0)
  if (total.now === 0) throw tooFewRows('chi-square current sample', 1, 0)
  const isTwoSamples = test === 'two_samples'
  const smallerShare = isTwoSamples
    ? Math.min(total.before, total.now) / (total.before + total.now)
    : total.now / total.before
  const isRare = names.map((_, i) => {
    const pooled = isTwoSamples ? before[i]! + now[i]! : before[i]!
    return pooled * smallerShare < minExpected
  })
  const groups = mergedRare(before, now, isRare)
  const statistic = isTwoSamples
    ? twoSampleStatistic(groups, total.before, total.now)
    : fitStatistic(groups, total.before, total.now)
  const degreesOfFreedom = Math.max(0, groups.length - 1)
  const count = isTwoSamples ? total.before + total.now : total.now
  return {
    statistic,
    degreesOfFreedom,
    pValue: degreesOfFreedom === 0 ? 1 : chiSquareTail(statistic, degreesOfFreedom),
    effect: Math.sqrt(statistic / count),
    mergedCategories: names.filter((_, i) => isRare[i] === true),
  }
}

type Group = { readonly before: number; readonly now: number }

function mergedRare(
  before: Float64Array,
  now: Float64Array,
  isRare: readonly boolean[],
): readonly Group[] {
  const groups: Group[] = []
  let rareBefore = 0
  let rareNow = 0
  for (const [i, rare] of isRare.entries()) {
    if (rare) {
      rareBefore += before[i]!
      rareNow += now[i]!
    } else {
      groups.push({ before: before[i]!, now: now[i]! })
    }
  }
  return rareBefore + rareNow > 0 ? [...groups, { before: rareBefore, now: rareNow }] : groups
}

function twoSampleStatistic(groups: readonly Group[], before: number, now: number): number {
  let statistic = 0
  for (const group of groups) {
    const share = (group.before + group.now) / (before + now)
    statistic += (group.before - share * before) ** 2 / (share * before)
    statistic += (group.now - share * now) ** 2 / (share * now)
  }
  return statistic
}

/** A category that the reference never saw gets half a count, so that the statistic stays finite. */
function fitStatistic(groups: readonly Group[], before: number, now: number): number {
  let statistic = 0
  for (const group of groups) {
    const expected = (Math.max(group.before, 0.5) / before) * now
    statistic += (group.now - expected) ** 2 / expected
  }
  return statistic
}

function countsOf({ categories, counts }: CategoryCounts, names: readonly string[]): Float64Array {
  const byName = new Map(categories.map((category, i) => [category, counts[i]!]))
  return Float64Array.from(names, (name) => byName.get(name) ?? 0)
}

function sum(counts: Float64Array): number {
  return counts.reduce((total, count) => total + count, 0)
}
