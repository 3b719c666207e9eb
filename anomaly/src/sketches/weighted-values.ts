import { invalidOption, tooFewRows } from '../errors.ts'
import { type QuantileSketch, sketchLevels } from './quantile-sketch.ts'

/**
 * A distribution as steps: what drift statistics read, be it of all values or of a sketch.
 */
export type WeightedValues = {
  /** Distinct values, ascending. */
  readonly values: Float64Array
  /** Weight at or below each value; the last is the whole weight. */
  readonly cumulative: Float64Array
}

/**
 * The distribution that a sketch stands for.
 * Cost O(items · levels).
 */
export function weightedValuesOfSketch(sketch: QuantileSketch): WeightedValues {
  let values: Float64Array = new Float64Array()
  let weights: Float64Array = new Float64Array()
  for (const [l, level] of sketchLevels(sketch).entries()) {
    if (level.length === 0) continue
    const merged = mergeWeighted(values, weights, level, 2 ** l)
    values = merged.values
    weights = merged.weights
  }
  return steps(values, weights)
}

/** The distribution of values in ascending order without NaN, each of weight one. O(n). */
export function weightedValuesOfSorted(sorted: Float64Array): WeightedValues {
  return steps(sorted, new Float64Array(sorted.length).fill(1))
}

/**
 * Share of the weight at or below `value`, in [0, 1].
 * Cost O(log n).
 */
export function weightedRank({ values, cumulative }: WeightedValues, value: number): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (values[middle]! <= value) low = middle + 1
    else high = middle
  }
  return low === 0 ? 0 : cumulative[low - 1]! / cumulative[cumulative.length - 1]!
}

/**
 * Smallest value at or below which a share `probability` of the weight lies: the inverse of the
 * distribution function, without interpolation (type 1 of Hyndman & Fan 1996).
 * @throws TOO_FEW_ROWS without values, INVALID_OPTION for a probability outside [0, 1]
 * Cost O(log n).
 */
export function weightedQuantile(
  { values, cumulative }: WeightedValues,
  probability: number,
): number {
  if (values.length === 0) throw tooFewRows('quantile of a sketch', 1, 0)
  if (!(probability >= 0 && probability <= 1)) {
    throw invalidOption('probability', 'in [0, 1]', probability)
  }
  const wanted = probability * cumulative[cumulative.length - 1]!
  let low = 0
  let high = values.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (cumulative[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return values[low]!
}

/** Merges weighted values with a level whose items all weigh the same. */
function mergeWeighted(
  values: Float64Array,
  weights: Float64Array,
  level: Float64Array,
  levelWeight: number,
): { readonly values: Float64Array; readonly weights: Float64Array } {
  const outValues = new Float64Array(values.length + level.length)
  const outWeights = new Float64Array(outValues.length)
  let own = 0
  let other = 0
  for (let i = 0; i < outValues.length; i++) {
    const takesOwn =
      other === level.length || (own < values.length && values[own]! <= level[other]!)
    outValues[i] = takesOwn ? values[own]! : level[other]!
    outWeights[i] = takesOwn ? weights[own]! : levelWeight
    if (takesOwn) own++
    else other++
  }
  return { values: outValues, weights: outWeights }
}

/** Joins equal values and sums the weights up. */
function steps(sorted: Float64Array, weights: Float64Array): WeightedValues {
  const values = new Float64Array(sorted.length)
  const cumulative = new Float64Array(sorted.length)
  let count = 0
  let sum = 0
  for (let i = 0; i < sorted.length; i++) {
    sum += weights[i]!
    if (count === 0 || values[count - 1] !== sorted[i]) count++
    values[count - 1] = sorted[i]!
    cumulative[count - 1] = sum
  }
  return { values: values.subarray(0, count), cumulative: cumulative.subarray(0, count) }
}
