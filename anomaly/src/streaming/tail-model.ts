import { selectInPlace } from '../statistics/quantile.ts'

/** Rows per block. Long enough that the maxima of neighbouring blocks hardly depend. */
const BLOCK_ROWS = 24
/** Block maxima remembered: 24,000 rows, or 83 days at five minutes. */
const MEMORY_BLOCKS = 1000
/** Blocks before any probability below 1 is given. */
const MIN_BLOCKS = 6
/** Share of block maxima taken as the tail, and the most of them: Scarrott & MacDonald 2012. */
const TAIL_SHARE = 0.25
const MAX_TAIL_BLOCKS = 100
/** Shape assumed before there is data, worth 20 maxima: slightly heavier than exponential. */
const PRIOR_SHAPE = 0.1
const PRIOR_WEIGHT = 20
/** What is learned of an extreme ends where its probability was this: one event must not blind. */
const LEARNED_PROBABILITY = 1e-4

/** Upper tail of a statistic, learned from the maxima of blocks of rows. Plain data. */
export type TailModel = {
  /** Ring of the newest block maxima. */
  readonly maxima: Float64Array
  blockCount: number
  /** Rows in the open block, and their maximum. */
  openRows: number
  openMaximum: number
  /** Generalised Pareto tail above `threshold`; `rate` is the share of blocks that reach it. */
  isFitted: boolean
  threshold: number
  scale: number
  shape: number
  rate: number
}

/** A tail that has seen nothing. */
export function emptyTail(): TailModel {
  return {
    maxima: new Float64Array(MEMORY_BLOCKS),
    blockCount: 0,
    openRows: 0,
    openMaximum: Number.NEGATIVE_INFINITY,
    isFitted: false,
    threshold: 0,
    scale: 1,
    shape: PRIOR_SHAPE,
    rate: 1,
  }
}

/**
 * Probability that the maximum of a block reaches `value`; 1 below the tail and before six blocks.
 * Cost O(1). Source: peaks over threshold, Pickands 1975; for streams Siffer et al. 2017.
 */
export function tailProbability(tail: TailModel, value: number): number {
  if (!tail.isFitted || !(value > tail.threshold)) return 1
  const excess = (value - tail.threshold) / tail.scale
  return tail.rate * (1 + tail.shape * excess) ** (-1 / tail.shape)
}

/** Learns one row. Cost O(1), and O(blocks) at the end of each block. */
export function updateTail(tail: TailModel, value: number, scratch: Float64Array): void {
  const learned = tail.isFitted ? Math.min(value, tailQuantile(tail, LEARNED_PROBABILITY)) : value
  tail.openMaximum = Math.max(tail.openMaximum, learned)
  tail.openRows += 1
  if (tail.openRows < BLOCK_ROWS) return
  tail.maxima[tail.blockCount % MEMORY_BLOCKS] = tail.openMaximum
  tail.blockCount += 1
  tail.openRows = 0
  tail.openMaximum = Number.NEGATIVE_INFINITY
  if (tail.blockCount >= MIN_BLOCKS) fitTail(tail, scratch)
}

/** Scratch for `updateTail`, shared by any number of tails. */
export function tailScratch(): Float64Array {
  return new Float64Array(MEMORY_BLOCKS)
}

function tailQuantile({ threshold, scale, shape, rate }: TailModel, probability: number): number {
  return threshold + (scale / shape) * ((probability / rate) ** -shape - 1)
}

/**
 * Moments of the excesses (Hosking & Wallis 1987), the shape drawn to its prior and kept ≥ 0, and
 * raised by 1/(k + 3): the predictive tail of k excesses is heavier than the fitted one.
 */
function fitTail(tail: TailModel, scratch: Float64Array): void {
  const count = Math.min(tail.blockCount, MEMORY_BLOCKS)
  for (let i = 0; i < count; i++) scratch[i] = tail.maxima[i]!
  const tailCount = Math.max(3, Math.min(MAX_TAIL_BLOCKS, Math.ceil(count * TAIL_SHARE)))
  const threshold = selectInPlace(scratch, 0, count, count - tailCount - 1)
  let sum = 0
  let squares = 0
  for (let i = count - tailCount; i < count; i++) {
    const excess = scratch[i]! - threshold
    sum += excess
    squares += excess * excess
  }
  const mean = sum / tailCount
  const variance = squares / tailCount - mean * mean
  const median = selectInPlace(scratch, 0, count, count >> 1)
  // Equal maxima would leave no scale: part of the way from the median, else of the value itself.
  const floor = Math.max(0.02 * Math.abs(threshold - median), 1e-9 * Math.abs(threshold), 1e-12)
  const moments = variance > 0 ? 0.5 * (1 - (mean * mean) / variance) : 0
  const weight = tailCount / (tailCount + PRIOR_WEIGHT)
  const shape = weight * Math.min(0.5, Math.max(0, moments)) + (1 - weight) * PRIOR_SHAPE
  tail.threshold = threshold
  tail.rate = tailCount / count
  tail.scale = Math.max(mean, floor) * (1 - shape)
  tail.shape = shape + 1 / (tailCount + 3)
  tail.isFitted = true
}
