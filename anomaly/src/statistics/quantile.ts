import { AnomalyError, invalidOption, tooFewRows } from '../errors.ts'

/**
 * Quantile by linear interpolation between order statistics (type 7 of Hyndman & Fan 1996, the
 * default of numpy): position p·(n − 1) in the sorted values.
 * @param values at least one finite value; not changed
 * @param probability in [0, 1]
 * @throws TOO_FEW_ROWS if empty, NOT_FINITE on NaN, INVALID_OPTION on a bad probability
 * Cost O(n) by selection, one copy.
 */
export function quantile(values: Float64Array, probability: number): number {
  requireNumbers(values)
  return quantileInPlace(values.slice(), 0, values.length, probability)
}

/**
 * Several quantiles of the same values, as `quantile` defines them.
 * @returns one value per probability, in their order
 * Cost O(n log n), one copy.
 */
export function quantiles(values: Float64Array, probabilities: ArrayLike<number>): Float64Array {
  requireNumbers(values)
  const sorted = values.slice().sort()
  const out = new Float64Array(probabilities.length)
  for (let i = 0; i < out.length; i++) out[i] = quantileOfSorted(sorted, probabilities[i]!)
  return out
}

/** Quantile of values already in ascending order; as `quantile`, in O(1). */
export function quantileOfSorted(sorted: Float64Array, probability: number): number {
  requireProbability(probability)
  if (sorted.length === 0) throw tooFewRows('quantile', 1, 0)
  const position = probability * (sorted.length - 1)
  const below = Math.floor(position)
  const lower = sorted[below]!
  const upper = sorted[Math.min(below + 1, sorted.length - 1)]!
  return interpolate(lower, upper, position - below)
}

/**
 * Quantile of `scratch[start, end)`, which is reordered. No allocation; for tight loops.
 * The range must hold at least one value and no NaN.
 */
export function quantileInPlace(
  scratch: Float64Array,
  start: number,
  end: number,
  probability: number,
): number {
  requireProbability(probability)
  const position = probability * (end - start - 1)
  const below = Math.floor(position)
  const weight = position - below
  const lower = selectInPlace(scratch, start, end, start + below)
  if (weight === 0) return lower
  // Selection leaves everything right of `below` ≥ lower: its minimum is the next order statistic.
  let upper = scratch[start + below + 1]!
  for (let i = start + below + 2; i < end; i++) if (scratch[i]! < upper) upper = scratch[i]!
  return interpolate(lower, upper, weight)
}

/**
 * Puts the value of rank `target` at index `target` of `scratch[start, end)`, smaller ones left
 * and larger ones right of it, and returns it. Source: Hoare's FIND with a median-of-three pivot;
 * after too many rounds the rest is sorted, which bounds the worst case at O(n log n).
 */
export function selectInPlace(
  scratch: Float64Array,
  start: number,
  end: number,
  target: number,
): number {
  let low = start
  let high = end - 1
  let roundsLeft = 64
  while (high > low) {
    if (roundsLeft-- === 0) {
      scratch.subarray(low, high + 1).sort()
      break
    }
    const pivot = medianOfThree(scratch[low]!, scratch[(low + high) >>> 1]!, scratch[high]!)
    let left = low
    let right = high
    while (left <= right) {
      while (scratch[left]! < pivot) left++
      while (scratch[right]! > pivot) right--
      if (left <= right) {
        const swapped = scratch[left]!
        scratch[left] = scratch[right]!
        scratch[right] = swapped
        left++
        right--
      }
    }
    if (target <= right) high = right
    else if (target >= left) low = left
    else break
  }
  return scratch[target]!
}

function interpolate(lower: number, upper: number, weight: number): number {
  return weight === 0 || lower === upper ? lower : lower + (upper - lower) * weight
}

function medianOfThree(a: number, b: number, c: number): number {
  if (a < b) return b < c ? b : a < c ? c : a
  return a < c ? a : b < c ? c : b
}

function requireProbability(probability: number): void {
  if (!(probability >= 0 && probability <= 1)) {
    throw invalidOption('probability', 'in [0, 1]', probability)
  }
}

function requireNumbers(values: Float64Array): void {
  if (values.length === 0) throw tooFewRows('quantile', 1, 0)
  const at = values.findIndex((value) => Number.isNaN(value))
  if (at >= 0) {
    throw new AnomalyError('NOT_FINITE', `quantile: value ${at} is NaN; drop missing values`, {
      index: at,
    })
  }
}
