import {
  isWhole,
  meanBack,
  medianOf,
  type SeasonalView,
  type SeriesMemory,
  seasonalView,
  valueBack,
} from './series-memory.ts'
import { type TailModel, tailProbability, tailScratch, updateTail } from './tail-model.ts'

/** Ways to look at the newest rows; each is watched upwards and downwards. */
export const SERIES_STATISTICS = [
  /** The value. */
  'value',
  /** The value against the median of the 12 rows before. */
  'step',
  /** Mean of 12 rows. */
  'level',
  /** Mean of one season, or of 96 rows. */
  'season_level',
  /** Outside the envelope of the same time in earlier seasons. */
  'time_of_day',
  /** Mean over 12 rows of the difference from the same time in earlier seasons. */
  'profile',
  /** Mean absolute deviation of 24 rows from their median. */
  'spread',
] as const

/** Name of one way to look at a series. */
export type SeriesStatistic = (typeof SERIES_STATISTICS)[number]

const LEVEL_ROWS = 12
const SPREAD_ROWS = 24
/** The strongest statistics, whose evidence is joined. */
const JOINT_COUNT = 3
/** Rows of a season if there is none. */
const NO_SEASON_ROWS = 96

/** Scratch of one update; means nothing between two. */
export type EvidenceScratch = {
  readonly values: Float64Array
  readonly tail: Float64Array
  readonly sorted: Float64Array
  /** Statistic by statistic: upward and downward value; NaN where it is not defined. */
  readonly found: Float64Array
  /** The smaller probability of both directions. */
  readonly probabilities: Float64Array
  readonly view: SeasonalView
}

/** What the newest row says. */
export type SeriesEvidence = {
  /** Joint tail probability, in (0, 1]. */
  readonly probability: number
  /** The strongest statistic, and whether it is high or low. */
  readonly statistic: SeriesStatistic
  readonly direction: 'up' | 'down'
}

/** Rows that the statistics look back on. */
export function evidenceRows(seasonSlots: number): number {
  return Math.max(SPREAD_ROWS, seasonRows(seasonSlots)) + 1
}

/** Memory for one update at a time, shared by any number of detectors. */
export function evidenceScratch(): EvidenceScratch {
  const count = SERIES_STATISTICS.length
  return {
    values: new Float64Array(64),
    tail: tailScratch(),
    sorted: new Float64Array(count),
    found: new Float64Array(2 * count),
    probabilities: new Float64Array(count),
    view: { isKnown: false, residual: 0, above: 0, below: 0 },
  }
}

/**
 * Weighs the newest row against the tails of its own history, then learns it. The joint
 * probability is the geometric mean of the three smallest: a fault shows in several statistics, a
 * fluke of one mostly in that one alone.
 */
export function weighNewest(
  memory: SeriesMemory,
  tails: readonly TailModel[],
  scratch: EvidenceScratch,
): SeriesEvidence {
  const { found, probabilities, sorted } = scratch
  computeStatistics(memory, scratch)
  let strongest = 0
  let isUp = true
  let smallest = 1
  for (let s = 0; s < SERIES_STATISTICS.length; s++) {
    let probability = 1
    for (let side = 0; side < 2; side++) {
      const value = found[2 * s + side]!
      if (Number.isNaN(value)) continue
      const tail = tails[2 * s + side]!
      const own = tailProbability(tail, value)
      probability = Math.min(probability, own)
      if (own < smallest) {
        smallest = own
        strongest = s
        isUp = side === 0
      }
      updateTail(tail, value, scratch.tail)
    }
    probabilities[s] = probability
  }
  sorted.set(probabilities)
  sorted.sort()
  let joint = 0
  for (let i = 0; i < JOINT_COUNT; i++) joint += Math.log(sorted[i]!) / JOINT_COUNT
  return {
    probability: Math.exp(joint),
    statistic: SERIES_STATISTICS[strongest]!,
    direction: isUp ? 'up' : 'down',
  }
}

/** Every statistic of the newest row into `found`. */
function computeStatistics(memory: SeriesMemory, scratch: EvidenceScratch): void {
  const { found, values, view } = scratch
  found.fill(Number.NaN)
  const value = valueBack(memory, 0)
  seasonalView(memory, values, view)
  putBothSides(found, 0, value)
  if (isWhole(memory, LEVEL_ROWS + 1)) {
    for (let back = 1; back <= LEVEL_ROWS; back++) values[back - 1] = valueBack(memory, back)
    putBothSides(found, 1, value - medianOf(values, LEVEL_ROWS))
  }
  const hasLevel = isWhole(memory, LEVEL_ROWS)
  if (hasLevel) putBothSides(found, 2, meanBack(memory, memory.values, LEVEL_ROWS))
  const longRows = seasonRows(memory.seasonSlots)
  if (isWhole(memory, longRows)) {
    putBothSides(found, 3, meanBack(memory, memory.values, longRows))
  }
  if (view.isKnown) {
    found[8] = view.above
    found[9] = view.below
    const knownSlots = memory.newestSlot - memory.seasonSlots
    if (hasLevel && knownSlots >= LEVEL_ROWS + 2) {
      putBothSides(found, 5, meanBack(memory, memory.residuals, LEVEL_ROWS))
    }
  }
  if (isWhole(memory, SPREAD_ROWS)) putBothSides(found, 6, spreadOf(memory, values))
}

function putBothSides(found: Float64Array, statistic: number, value: number): void {
  found[2 * statistic] = value
  found[2 * statistic + 1] = -value
}

function spreadOf(memory: SeriesMemory, values: Float64Array): number {
  for (let back = 0; back < SPREAD_ROWS; back++) values[back] = valueBack(memory, back)
  const median = medianOf(values, SPREAD_ROWS)
  let sum = 0
  for (let i = 0; i < SPREAD_ROWS; i++) sum += Math.abs(values[i]! - median)
  return sum / SPREAD_ROWS
}

function seasonRows(seasonSlots: number): number {
  return seasonSlots === 0 ? NO_SEASON_ROWS : seasonSlots
}
