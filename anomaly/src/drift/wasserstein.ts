import { tooFewRows } from '../errors.ts'
import { sortValues } from '../sketches/value-sort.ts'
import type { WeightedValues } from '../sketches/weighted-values.ts'
import { withoutMissing } from './psi.ts'

/**
 * Wasserstein (earth mover's) distance of order 1: the mean distance by which values must move to
 * turn one sample into the other, in the unit of the values.
 * @param a, b finite values; NaN is excluded
 * @throws TOO_FEW_ROWS if a sample has no value
 * Cost O(n) for values without extreme skew, else O(n log n). Source: ∫ |F_a − F_b|, Vallender
 * 1974; equal to scipy.stats.wasserstein_distance.
 */
export function wassersteinDistance(a: Float64Array, b: Float64Array): number {
  return wassersteinSorted(sortValues(withoutMissing(a)), sortValues(withoutMissing(b)))
}

/** `wassersteinDistance` of samples in ascending order without NaN; O(n). */
export function wassersteinSorted(a: Float64Array, b: Float64Array): number {
  requireValues(a, b)
  let indexA = 0
  let indexB = 0
  let previous = Math.min(a[0]!, b[0]!)
  let distance = 0
  // Where one sample is used up the other's remaining steps still add.
  while (indexA < a.length || indexB < b.length) {
    const takesA = indexB === b.length || (indexA < a.length && a[indexA]! <= b[indexB]!)
    const value = takesA ? a[indexA]! : b[indexB]!
    distance += Math.abs(indexA / a.length - indexB / b.length) * (value - previous)
    previous = value
    if (takesA) indexA++
    else indexB++
  }
  return distance
}

/**
 * Wasserstein distance between distributions kept as sketches.
 * @throws TOO_FEW_ROWS if either is empty
 * Cost O(items).
 */
export function wassersteinWeighted(a: WeightedValues, b: WeightedValues): number {
  requireValues(a.values, b.values)
  const totalA = a.cumulative[a.cumulative.length - 1]!
  const totalB = b.cumulative[b.cumulative.length - 1]!
  let indexA = 0
  let indexB = 0
  let shareA = 0
  let shareB = 0
  let previous = Math.min(a.values[0]!, b.values[0]!)
  let distance = 0
  while (indexA < a.values.length || indexB < b.values.length) {
    const takesA =
      indexB === b.values.length ||
      (indexA < a.values.length && a.values[indexA]! <= b.values[indexB]!)
    const value = takesA ? a.values[indexA]! : b.values[indexB]!
    distance += Math.abs(shareA - shareB) * (value - previous)
    previous = value
    if (takesA) shareA = a.cumulative[indexA++]! / totalA
    else shareB = b.cumulative[indexB++]! / totalB
  }
  return distance
}

/** `wassersteinWeighted` of a sketch with a sample in ascending order without NaN; O(n). */
export function wassersteinToSketch(a: WeightedValues, sorted: Float64Array): number {
  requireValues(a.values, sorted)
  const { values, cumulative } = a
  const total = cumulative[cumulative.length - 1]!
  const count = sorted.length
  let index = 0
  let shareA = 0
  let previous = Math.min(values[0]!, sorted[0]!)
  let distance = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    for (; index < count && sorted[index]! < value; index++) {
      distance += Math.abs(shareA - index / count) * (sorted[index]! - previous)
      previous = sorted[index]!
    }
    distance += Math.abs(shareA - index / count) * (value - previous)
    previous = value
    shareA = cumulative[i]! / total
  }
  for (; index < count; index++) {
    distance += Math.abs(1 - index / count) * (sorted[index]! - previous)
    previous = sorted[index]!
  }
  return distance
}

function requireValues(a: Float64Array, b: Float64Array): void {
  if (a.length === 0) throw tooFewRows('Wasserstein sample a', 1, 0)
  if (b.length === 0) throw tooFewRows('Wasserstein sample b', 1, 0)
}
