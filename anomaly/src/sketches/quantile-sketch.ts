import { AnomalyError, invalidOption } from '../errors.ts'
import { sortValues } from './value-sort.ts'

/**
 * Summary of any number of values from which ranks and quantiles can be read with a bounded
 * error. Plain data, some 50 kB for millions of values; sketches of parts merge into a sketch of
 * the whole.
 */
export type QuantileSketch = {
  readonly kind: 'quantile_sketch'
  readonly stateVersion: 1
  /** Most items per level. */
  readonly capacity: number
  /** Values summarised, NaN excluded. */
  readonly count: number
  /** Smallest and largest value, exact; NaN when empty. */
  readonly minimum: number
  readonly maximum: number
  /** By how many values a rank read from the sketch may be too high, at most. */
  readonly excess: number
  /** By how many values a rank read from the sketch may be too low, at most. */
  readonly shortfall: number
  /** Kept values level by level, ascending within a level. */
  readonly items: Float64Array
  /** Items of each level; one of level l stands for 2^l values. */
  readonly levelSizes: Uint32Array
}

/** Keeps the rank error below 1 % up to 10⁹ values whatever the order of merges. */
const DEFAULT_CAPACITY = 2048

/**
 * A sketch of nothing.
 * @param capacity items per level, even, in [8, 65,536]; twice as many halve the error. Default
 *   2,048
 * @throws INVALID_OPTION
 */
export function emptyQuantileSketch(capacity: number = DEFAULT_CAPACITY): QuantileSketch {
  if (!(Number.isInteger(capacity / 2) && capacity >= 8 && capacity <= 65_536)) {
    throw invalidOption('capacity', 'an even integer in [8, 65536]', capacity)
  }
  return {
    kind: 'quantile_sketch',
    stateVersion: 1,
    capacity,
    count: 0,
    minimum: Number.NaN,
    maximum: Number.NaN,
    excess: 0,
    shortfall: 0,
    items: new Float64Array(),
    levelSizes: new Uint32Array(),
  }
}

/**
 * The sketch with more values in it.
 * @param values any order; NaN is left out
 * @returns a new sketch; the old one stays as it was
 * @throws NOT_FINITE for ±∞
 * Cost O(n) and O(capacity · levels) per call: hand in batches, not single values.
 */
export function updateQuantileSketch(sketch: QuantileSketch, values: Float64Array): QuantileSketch {
  let missing = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (Number.isNaN(value)) missing++
    else if (!Number.isFinite(value)) throw infiniteValue(i, value)
  }
  const present = missing === 0 ? values : values.filter((value) => !Number.isNaN(value))
  return mergeQuantileSketches(sketch, quantileSketchOfSorted(sortValues(present), sketch.capacity))
}

/**
 * Sketch of finite values in ascending order without NaN. Of each step of w = 2^l values the one
 * at place w/2 stands for all, so that ranks are at most w/2 − 1 too high and w/2 too low.
 * Cost O(capacity).
 */
export function quantileSketchOfSorted(
  sorted: Float64Array,
  capacity: number = DEFAULT_CAPACITY,
): QuantileSketch {
  const empty = emptyQuantileSketch(capacity)
  const count = sorted.length
  if (count === 0) return empty
  let level = 0
  while (count > capacity * 2 ** level) level++
  const weight = 2 ** level
  const items = new Float64Array(Math.floor(count / weight))
  for (let i = 0; i < items.length; i++) items[i] = sorted[i * weight + (weight >> 1)]!
  const covered = items.length * weight
  const levelSizes = new Uint32Array(level + 1)
  levelSizes[level] = items.length
  const whole: QuantileSketch = {
    ...empty,
    count: covered,
    minimum: sorted[0]!,
    maximum: sorted[covered - 1]!,
    excess: weight === 1 ? 0 : weight / 2 - 1,
    shortfall: weight === 1 ? 0 : weight / 2,
    items,
    levelSizes,
  }
  // Fewer values than one step remain: the largest ones.
  if (covered === count) return whole
  return mergeQuantileSketches(whole, quantileSketchOfSorted(sorted.subarray(covered), capacity))
}

/**
 * Sketch of the values of both. The same whichever comes first; other groupings of several
 * sketches may keep other items, within the same bound.
 *
 * A level that holds more than its capacity gives up every second item: keeping the lower of each
 * pair raises ranks by at most one weight, keeping the upper lowers them so, and the side with the
 * smaller error so far is taken. As a compaction at weight w consumes more than capacity · w
 * values, the error after any merges is at most count · levels / capacity; `rankErrorBound` tells
 * the actual, usually half of it. No randomness.
 * @throws INVALID_OPTION if the capacities differ
 * Cost O(capacity · levels). Source: Munro & Paterson 1980; Agarwal et al. 2012, "Mergeable
 * summaries", section 3.1.
 */
export function mergeQuantileSketches(a: QuantileSketch, b: QuantileSketch): QuantileSketch {
  if (a.capacity !== b.capacity) throw invalidOption('capacity', `${a.capacity}`, b.capacity)
  if (b.count === 0) return a
  if (a.count === 0) return b
  const levelsA = sketchLevels(a)
  const levelsB = sketchLevels(b)
  let excess = a.excess + b.excess
  let shortfall = a.shortfall + b.shortfall
  const merged: Float64Array[] = []
  let carried = new Float64Array()
  for (let l = 0; l < levelsA.length || l < levelsB.length || carried.length > 0; l++) {
    const own = mergeSorted(levelsA[l] ?? new Float64Array(), levelsB[l] ?? new Float64Array())
    const level = mergeSorted(own, carried)
    if (level.length <= a.capacity) {
      merged.push(level)
      carried = new Float64Array()
      continue
    }
    const keepsLower = excess <= shortfall
    if (keepsLower) excess += 2 ** l
    else shortfall += 2 ** l
    carried = everySecond(level, keepsLower ? 0 : 1)
    merged.push(level.slice(carried.length * 2))
  }
  return {
    ...a,
    count: a.count + b.count,
    minimum: Math.min(a.minimum, b.minimum),
    maximum: Math.max(a.maximum, b.maximum),
    excess,
    shortfall,
    items: joined(merged),
    levelSizes: Uint32Array.from(merged, (level) => level.length),
  }
}

/**
 * Largest error of any rank read from this sketch, as a share of its count, in [0, 1]. It holds
 * for certain, whatever the values and the order of updates and merges.
 */
export function rankErrorBound(sketch: QuantileSketch): number {
  return sketch.count === 0 ? 0 : Math.max(sketch.excess, sketch.shortfall) / sketch.count
}

/** The kept values of each level, ascending; views, not copies. */
export function sketchLevels({ items, levelSizes }: QuantileSketch): Float64Array[] {
  let start = 0
  return Array.from(levelSizes, (size) => {
    start += size
    return items.subarray(start - size, start)
  })
}

function infiniteValue(index: number, value: number): AnomalyError {
  return new AnomalyError(
    'NOT_FINITE',
    `quantile sketch: value ${index} is ${value}, expected a finite number or NaN`,
    { index },
  )
}

/** The even (`first` 0) or odd (1) places of the longest part of even length. */
function everySecond(level: Float64Array, first: number): Float64Array<ArrayBuffer> {
  const kept = new Float64Array(level.length >> 1)
  for (let i = 0; i < kept.length; i++) kept[i] = level[2 * i + first]!
  return kept
}

function mergeSorted(a: Float64Array, b: Float64Array): Float64Array {
  if (a.length === 0) return b
  if (b.length === 0) return a
  const out = new Float64Array(a.length + b.length)
  let indexA = 0
  let indexB = 0
  for (let i = 0; i < out.length; i++) {
    const takesA = indexB === b.length || (indexA < a.length && a[indexA]! <= b[indexB]!)
    out[i] = takesA ? a[indexA++]! : b[indexB++]!
  }
  return out
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0))
  let start = 0
  for (const part of parts) {
    out.set(part, start)
    start += part.length
  }
  return out
}
