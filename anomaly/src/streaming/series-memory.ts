/** Rows of a day or a week back that one value is compared with. */
const DAYS_BACK = 7
const WEEKS_BACK = 4
/** Neighbouring slots that count as the same time of day: jobs start a little early or late. */
const SLOT_JITTER = 2
/** The longer season is used where its error is this much smaller. */
const WEEK_ADVANTAGE = 0.9
/** Weight of a row in the running errors of both seasons: about a thousand rows. */
const ERROR_WEIGHT = 0.001

/** What a series detector remembers of its series. Plain data. */
export type SeriesMemory = {
  /** Slots of `intervalMs` in one season; 0 for none. */
  readonly seasonSlots: number
  /** Rows of the newest values, and the slot of each; rings. */
  readonly values: Float64Array
  readonly slots: Float64Array
  readonly residuals: Float64Array
  rowCount: number
  /** Newest value of each slot, NaN where none came; a ring over slots. */
  readonly slotValues: Float64Array
  newestSlot: number
  dayError: number
  weekError: number
}

/** How the newest value compares with earlier seasons; all 0 until `isKnown`. */
export type SeasonalView = {
  isKnown: boolean
  /** Value minus the median of the same time in earlier seasons. */
  residual: number
  /** Value above the highest, and below the lowest, of that time ± 2 slots. */
  above: number
  below: number
}

/** A memory of at least `rowMemory` rows. */
export function emptyMemory(seasonSlots: number, rowMemory: number): SeriesMemory {
  const slotMemory = seasonSlots === 0 ? 1 : 7 * WEEKS_BACK * seasonSlots + SLOT_JITTER + 2
  return {
    seasonSlots,
    values: new Float64Array(rowMemory),
    slots: new Float64Array(rowMemory),
    residuals: new Float64Array(rowMemory),
    rowCount: 0,
    slotValues: new Float64Array(slotMemory).fill(Number.NaN),
    newestSlot: -1,
    dayError: 0,
    weekError: 0,
  }
}

/** Stores a row; slots never go back. */
export function remember(memory: SeriesMemory, slot: number, value: number): void {
  const { slotValues } = memory
  const first = Math.max(memory.newestSlot + 1, slot - slotValues.length + 1)
  for (let skipped = first; skipped < slot; skipped++) {
    slotValues[skipped % slotValues.length] = Number.NaN
  }
  slotValues[slot % slotValues.length] = value
  memory.newestSlot = slot
  const at = memory.rowCount % memory.values.length
  memory.values[at] = value
  memory.slots[at] = slot
  memory.residuals[at] = 0
  memory.rowCount += 1
}

/** The value `rowsBack` rows before the newest. */
export function valueBack({ values, rowCount }: SeriesMemory, rowsBack: number): number {
  return values[(rowCount - 1 - rowsBack) % values.length]!
}

/** True if the newest `count` rows exist and span no more than 1.5 times their usual time. */
export function isWhole({ slots, rowCount, newestSlot }: SeriesMemory, count: number): boolean {
  if (rowCount < count) return false
  return newestSlot - slots[(rowCount - count) % slots.length]! <= 1.5 * count
}

/** Mean of the newest `count` rows of one ring. */
export function meanBack(memory: SeriesMemory, ring: Float64Array, count: number): number {
  let sum = 0
  for (let back = 0; back < count; back++) {
    sum += ring[(memory.rowCount - 1 - back) % ring.length]!
  }
  return sum / count
}

/**
 * Compares the newest row with earlier days, or earlier weeks where those have been nearer, and
 * stores its residual. Cost O(days + weeks back).
 */
export function seasonalView(
  memory: SeriesMemory,
  scratch: Float64Array,
  view: SeasonalView,
): void {
  const { seasonSlots, newestSlot } = memory
  view.isKnown = false
  if (seasonSlots === 0 || newestSlot < seasonSlots + SLOT_JITTER) return
  const value = valueBack(memory, 0)
  const dayCount = Math.min(DAYS_BACK, Math.floor((newestSlot - SLOT_JITTER) / seasonSlots))
  const centres = gatherSeasons(memory, seasonSlots, dayCount, scratch, view)
  // Too many missing days make an envelope of too few values.
  if (centres < 1.8 * dayCount) return
  let residual = value - medianOf(scratch, centres)
  const weekSlots = 7 * seasonSlots
  if (newestSlot >= 2 * weekSlots + SLOT_JITTER) {
    const weekCount = Math.min(WEEKS_BACK, Math.floor((newestSlot - SLOT_JITTER) / weekSlots))
    const found = gatherSeasons(memory, weekSlots, weekCount, scratch, undefined)
    if (found > 0) {
      const weekResidual = value - medianOf(scratch, found)
      memory.dayError += ERROR_WEIGHT * (Math.abs(residual) - memory.dayError)
      memory.weekError += ERROR_WEIGHT * (Math.abs(weekResidual) - memory.weekError)
      if (memory.weekError < WEEK_ADVANTAGE * memory.dayError) residual = weekResidual
    }
  }
  view.isKnown = true
  view.residual = residual
  memory.residuals[(memory.rowCount - 1) % memory.residuals.length] = residual
}

/** Values at the same time ± 1 slot into `scratch`; the envelope of ± 2 slots into `view`. */
function gatherSeasons(
  { slotValues, newestSlot }: SeriesMemory,
  periodSlots: number,
  periodCount: number,
  scratch: Float64Array,
  view: SeasonalView | undefined,
): number {
  const newest = slotValues[newestSlot % slotValues.length]!
  let high = Number.NEGATIVE_INFINITY
  let low = Number.POSITIVE_INFINITY
  let count = 0
  for (let back = 1; back <= periodCount; back++) {
    for (let jitter = -SLOT_JITTER; jitter <= SLOT_JITTER; jitter++) {
      const value = slotValues[(newestSlot - back * periodSlots + jitter) % slotValues.length]!
      if (Number.isNaN(value)) continue
      high = Math.max(high, value)
      low = Math.min(low, value)
      if (jitter > -SLOT_JITTER && jitter < SLOT_JITTER) scratch[count++] = value
    }
  }
  if (view !== undefined) {
    view.above = newest - high
    view.below = low - newest
  }
  return count
}

/** Median of `scratch[0, count)`, which is sorted: few values, so by insertion. */
export function medianOf(scratch: Float64Array, count: number): number {
  for (let i = 1; i < count; i++) {
    const value = scratch[i]!
    let at = i
    for (; at > 0 && scratch[at - 1]! > value; at--) scratch[at] = scratch[at - 1]!
    scratch[at] = value
  }
  const middle = count >> 1
  return count % 2 === 1 ? scratch[middle]! : (scratch[middle - 1]! + scratch[middle]!) / 2
}
