import { tooFewRows } from '../errors.ts'
import type { FeatureMatrix } from '../feature-matrix.ts'
import { requireColumns } from '../feature-matrix.ts'
import { mapColumns } from '../sketches/matrix-columns.ts'
import { sortValues } from '../sketches/value-sort.ts'
import type { WeightedValues } from '../sketches/weighted-values.ts'
import { withoutMissing } from './psi.ts'

/** Two-sample Kolmogorov–Smirnov comparison. */
export type KolmogorovSmirnovResult = {
  /** D = sup |F_a − F_b| in [0, 1]: the effect size. */
  readonly statistic: number
  /** Asymptotic two-sided p-value; at fleet size nearly always small, so judge D first. */
  readonly pValue: number
  readonly countA: number
  readonly countB: number
}

/** Values of one side between two looks at the gap. */
const BLOCK = 64

/**
 * Compares two samples by the largest gap between their distribution functions.
 * @param a, b values; NaN is excluded
 * @throws TOO_FEW_ROWS if a sample has no value
 * Cost O(n) for values without extreme skew, else O(n log n). Source: MON-11; Stephens 1970 for
 * the p-value.
 */
export function kolmogorovSmirnov(a: Float64Array, b: Float64Array): KolmogorovSmirnovResult {
  return kolmogorovSmirnovSorted(sortValues(withoutMissing(a)), sortValues(withoutMissing(b)))
}

/**
 * The comparison for every column of two tables of the same columns.
 * @param reference, current NaN cells are excluded column by column
 * @returns one result per column, in column order
 * @throws COLUMN_MISMATCH, SHAPE_MISMATCH, TOO_FEW_ROWS if a column has no value
 */
export function kolmogorovSmirnovColumns(
  reference: FeatureMatrix,
  current: FeatureMatrix,
): KolmogorovSmirnovResult[] {
  return kolmogorovSmirnovOfSorted(sortedColumns(reference), reference.columnNames, current)
}

/**
 * `kolmogorovSmirnovColumns` against a reference kept sorted: half the work.
 * @param sortedReference `sortedColumns` of the reference
 * @param columnNames of the reference
 */
export function kolmogorovSmirnovOfSorted(
  sortedReference: readonly Float64Array[],
  columnNames: readonly string[],
  current: FeatureMatrix,
): KolmogorovSmirnovResult[] {
  requireColumns(columnNames, current)
  return mapColumns(current, (column, c) =>
    kolmogorovSmirnovSorted(sortedReference[c] ?? new Float64Array(), sortValues(column)),
  )
}

/** Every column of a matrix in ascending order without NaN. Cost as `sortValues` per column. */
export function sortedColumns(matrix: FeatureMatrix): Float64Array[] {
  return mapColumns(matrix, (column) => sortValues(column))
}

/**
 * `kolmogorovSmirnov` of samples in ascending order without NaN; O(n). Keep references sorted.
 *
 * The gap is first read at every 64th value of `a`. Between two looks it can exceed neither
 * F_a at the end − F_b at the start nor F_b at the end − F_a at the start, so that only stretches
 * where that is more than the best so far are walked value by value: the result is exact.
 */
export function kolmogorovSmirnovSorted(a: Float64Array, b: Float64Array): KolmogorovSmirnovResult {
  if (a.length === 0) throw tooFewRows('Kolmogorov–Smirnov sample a', 1, 0)
  if (b.length === 0) throw tooFewRows('Kolmogorov–Smirnov sample b', 1, 0)
  const looks = lookAtBlocks(a, b)
  let { statistic } = looks
  let startA = 0
  let startB = 0
  for (let look = 0; look <= looks.count; look++) {
    const endA = look < looks.count ? looks.indicesA[look]! : a.length
    const endB = look < looks.count ? looks.indicesB[look]! : b.length
    const highest = Math.max(
      endA / a.length - startB / b.length,
      endB / b.length - startA / a.length,
    )
    if (highest > statistic) {
      statistic = largestGap(a, startA, endA, b, startB, endB, statistic)
    }
    startA = endA
    startB = endB
  }
  return resultOf(statistic, a.length, b.length)
}

/**
 * Compares a distribution kept as a sketch with a sample in ascending order without NaN. The
 * statistic differs from that of the values behind the sketch by at most its `rankErrorBound`.
 * @param countA values behind the sketch, for the p-value
 * @throws TOO_FEW_ROWS if either is empty
 * Cost O(n of the sketch · log n of the sample).
 */
export function kolmogorovSmirnovWeighted(
  a: WeightedValues,
  countA: number,
  b: WeightedValues,
  countB: number,
): KolmogorovSmirnovResult {
  if (a.values.length === 0) throw tooFewRows('Kolmogorov–Smirnov sample a', 1, 0)
  if (b.values.length === 0) throw tooFewRows('Kolmogorov–Smirnov sample b', 1, 0)
  const totalA = a.cumulative[a.cumulative.length - 1]!
  const totalB = b.cumulative[b.cumulative.length - 1]!
  let shareA = 0
  let shareB = 0
  let indexA = 0
  let indexB = 0
  let statistic = 0
  while (indexA < a.values.length && indexB < b.values.length) {
    const valueA = a.values[indexA]!
    const valueB = b.values[indexB]!
    if (valueA <= valueB) shareA = a.cumulative[indexA++]! / totalA
    if (valueB <= valueA) shareB = b.cumulative[indexB++]! / totalB
    const gap = Math.abs(shareA - shareB)
    if (gap > statistic) statistic = gap
  }
  return resultOf(statistic, countA, countB)
}

/**
 * `kolmogorovSmirnovWeighted` of a sketch with all values of a sample in ascending order without
 * NaN. The sketch's distribution function rises at its values only, and the sample's never falls:
 * the gap is largest just after or just before one of them.
 * Cost O(n of the sketch · log n of the sample).
 */
export function kolmogorovSmirnovToSketch(
  a: WeightedValues,
  countA: number,
  sorted: Float64Array,
): KolmogorovSmirnovResult {
  if (a.values.length === 0) throw tooFewRows('Kolmogorov–Smirnov sample a', 1, 0)
  if (sorted.length === 0) throw tooFewRows('Kolmogorov–Smirnov sample b', 1, 0)
  const { values, cumulative } = a
  const total = cumulative[cumulative.length - 1]!
  let shareA = 0
  let index = 0
  let statistic = 0
  for (let i = 0; i < values.length; i++) {
    // Up to just before this value the sample may rise while the sketch stands still.
    index = countUpTo(sorted, index, values[i]!)
    const below = index === 0 ? 0 : firstOfRun(sorted, index, values[i]!)
    const gapBefore = Math.abs(shareA - below / sorted.length)
    shareA = cumulative[i]! / total
    const gapAfter = Math.abs(shareA - index / sorted.length)
    if (gapBefore > statistic) statistic = gapBefore
    if (gapAfter > statistic) statistic = gapAfter
  }
  return resultOf(statistic, countA, sorted.length)
}

/** Number of the first `end` sorted values that lie below `value`, which none of them exceeds. */
function firstOfRun(sorted: Float64Array, end: number, value: number): number {
  let low = 0
  let high = end
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * p = 2 Σ_{k≥1} (−1)^(k−1) exp(−2k²λ²) with λ = (√Ne + 0.12 + 0.11/√Ne) D, Ne = nm/(n + m).
 */
export function kolmogorovPValue(statistic: number, effectiveCount: number): number {
  const root = Math.sqrt(effectiveCount)
  const lambda = (root + 0.12 + 0.11 / root) * statistic
  // Below 0.2 the alternating series cancels badly, and p is 1 to twelve digits.
  if (lambda < 0.2) return 1
  let sum = 0
  for (let k = 1; k <= 100; k++) {
    const term = Math.exp(-2 * k * k * lambda * lambda)
    sum += k % 2 === 1 ? term : -term
    if (term < 1e-17) break
  }
  return Math.min(1, Math.max(0, 2 * sum))
}

/** Where the gap was read: values at or below each look in `a` and `b`; the largest gap there. */
type Looks = {
  readonly indicesA: Uint32Array
  readonly indicesB: Uint32Array
  readonly count: number
  readonly statistic: number
}

function lookAtBlocks(a: Float64Array, b: Float64Array): Looks {
  const indicesA = new Uint32Array(Math.ceil(a.length / BLOCK))
  const indicesB = new Uint32Array(indicesA.length)
  let count = 0
  let indexB = 0
  let statistic = 0
  for (let indexA = BLOCK - 1; indexA < a.length; ) {
    const value = a[indexA]!
    const endA = countUpTo(a, indexA, value)
    indexB = countUpTo(b, indexB, value)
    indicesA[count] = endA
    indicesB[count] = indexB
    count++
    const gap = Math.abs(endA / a.length - indexB / b.length)
    if (gap > statistic) statistic = gap
    indexA = endA + BLOCK - 1
  }
  return { indicesA, indicesB, count, statistic }
}

/** Number of sorted values ≤ `value`, at least `from`; strides double before the bisection. */
function countUpTo(sorted: Float64Array, from: number, value: number): number {
  let low = from
  let stride = 1
  while (low + stride <= sorted.length && sorted[low + stride - 1]! <= value) {
    low += stride
    stride *= 2
  }
  let high = Math.min(sorted.length, low + stride - 1)
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! <= value) low = middle + 1
    else high = middle
  }
  return low
}

/** Largest gap among the values a[startA, endA) and b[startB, endB), at least `least`. */
function largestGap(
  a: Float64Array,
  startA: number,
  endA: number,
  b: Float64Array,
  startB: number,
  endB: number,
  least: number,
): number {
  let largest = least
  let indexA = startA
  let indexB = startB
  while (indexA < endA || indexB < endB) {
    // Both step over all copies of the smaller value before the gap is read.
    const value = Math.min(
      indexA < endA ? a[indexA]! : Number.POSITIVE_INFINITY,
      indexB < endB ? b[indexB]! : Number.POSITIVE_INFINITY,
    )
    while (indexA < endA && a[indexA]! <= value) indexA++
    while (indexB < endB && b[indexB]! <= value) indexB++
    const gap = Math.abs(indexA / a.length - indexB / b.length)
    if (gap > largest) largest = gap
  }
  return largest
}

function resultOf(statistic: number, countA: number, countB: number): KolmogorovSmirnovResult {
  const effectiveCount = (countA * countB) / (countA + countB)
  return { statistic, pValue: kolmogorovPValue(statistic, effectiveCount), countA, countB }
}
