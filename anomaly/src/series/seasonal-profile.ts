import { invalidOption, notFinite, shapeMismatch, tooFewRows } from '../errors.ts'
import { type CentreAndScale, robustCentreAndScale } from '../statistics/robust-scale.ts'

/** Options of a seasonal profile. */
export type ProfileOptions = {
  /** Length of a slot, default one hour. */
  readonly slotMs?: number
  /** Slots in the season, default 168: the hours of a week. */
  readonly slotCount?: number
  /**
   * Slots in the inner season that a slot is shrunk to, default 24: the hour of any day; a divisor
   * of `slotCount`.
   */
  readonly innerSlotCount?: number
  /** Added to times before they are cut into slots, for local time; default 0. */
  readonly offsetMs?: number
  /** Values at which a slot's own figures and those it is shrunk to count alike; default 4. */
  readonly shrinkCount?: number
  /** Smallest scale in the value's unit, its resolution; default 1e-9. */
  readonly scaleFloor?: number
}

/** Learned state: usual level and spread of each slot. Plain data. */
export type SeasonalProfile = {
  readonly kind: 'seasonal_profile'
  readonly stateVersion: 1
  readonly slotMs: number
  readonly slotCount: number
  readonly offsetMs: number
  /** Median of each slot, shrunk. */
  readonly centres: Float64Array
  /** Robust standard deviation of each slot, shrunk; > 0. */
  readonly scales: Float64Array
  /** Values seen in each slot. */
  readonly counts: Uint32Array
}

/**
 * Learns the usual value of each slot of the season: median and 1.4826·MAD, shrunk to the same
 * slot of the inner season (hour of day), and that to the whole series: w·own + (1 − w)·outer with
 * w = n/(n + shrinkCount). A slot without values has the outer figures.
 * @param times milliseconds since 1970, any order
 * @param values any unit; NaN = missing, left out
 * @throws TOO_FEW_ROWS without a value, SHAPE_MISMATCH, NOT_FINITE on ±∞, INVALID_OPTION
 * Cost O(n) by selection. Source: MOD-15 for the scale, HEA-54 for the shrinkage.
 */
export function fitSeasonalProfile(
  times: Float64Array,
  values: Float64Array,
  options: ProfileOptions = {},
): SeasonalProfile {
  const { slotMs = 3_600_000, slotCount = 168, innerSlotCount = 24, offsetMs = 0 } = options
  const { shrinkCount = 4, scaleFloor = 1e-9 } = options
  if (!(slotMs > 0)) throw invalidOption('slotMs', '> 0', slotMs)
  for (const [name, count] of Object.entries({ slotCount, innerSlotCount })) {
    if (!(Number.isInteger(count) && count >= 1)) throw invalidOption(name, 'an integer ≥ 1', count)
  }
  if (slotCount % innerSlotCount !== 0) {
    throw invalidOption('innerSlotCount', `a divisor of ${slotCount}`, innerSlotCount)
  }
  if (!(shrinkCount >= 0)) throw invalidOption('shrinkCount', '≥ 0', shrinkCount)
  if (!(scaleFloor > 0)) throw invalidOption('scaleFloor', '> 0', scaleFloor)
  if (times.length !== values.length) {
    throw shapeMismatch('times.length', values.length, times.length)
  }
  const slots = new Int32Array(times.length)
  for (let i = 0; i < times.length; i++) {
    if (Math.abs(values[i]!) === Number.POSITIVE_INFINITY) {
      throw notFinite('seasonal profile', i, 'value', values[i]!)
    }
    slots[i] = Number.isNaN(values[i]!) ? -1 : slotOfTime(times[i]!, slotMs, slotCount, offsetMs)
  }
  const gather = (isWanted: (slot: number) => boolean) =>
    values.filter((_, i) => slots[i]! >= 0 && isWanted(slots[i]!))
  const whole = levelOf(
    gather(() => true),
    undefined,
    shrinkCount,
    scaleFloor,
  )
  if (whole.count === 0) throw tooFewRows('seasonal profile', 1, 0)
  const inner = Array.from({ length: innerSlotCount }, (_, phase) =>
    levelOf(
      gather((slot) => slot % innerSlotCount === phase),
      whole,
      shrinkCount,
      scaleFloor,
    ),
  )
  const levels = Array.from({ length: slotCount }, (_, slot) =>
    levelOf(
      gather((other) => other === slot),
      inner[slot % innerSlotCount],
      shrinkCount,
      scaleFloor,
    ),
  )
  return {
    kind: 'seasonal_profile',
    stateVersion: 1,
    slotMs,
    slotCount,
    offsetMs,
    centres: Float64Array.from(levels, ({ centre }) => centre),
    scales: Float64Array.from(levels, ({ scale }) => scale),
    counts: Uint32Array.from(levels, ({ count }) => count),
  }
}

/**
 * Distance of each value from the usual one of its slot, in the slot's scale; ≥ 0, NaN where the
 * value is missing. What was expected is `centres[profileSlot(profile, time)]`.
 * @throws SHAPE_MISMATCH
 * Cost O(n).
 */
export function scoreSeasonalProfile(
  profile: SeasonalProfile,
  times: Float64Array,
  values: Float64Array,
): Float64Array {
  if (times.length !== values.length) {
    throw shapeMismatch('times.length', values.length, times.length)
  }
  return values.map((value, i) => {
    const slot = profileSlot(profile, times[i]!)
    return Math.abs(value - profile.centres[slot]!) / profile.scales[slot]!
  })
}

/** Slot of the season that a time falls into. */
export function profileSlot({ slotMs, slotCount, offsetMs }: SeasonalProfile, timeMs: number) {
  return slotOfTime(timeMs, slotMs, slotCount, offsetMs)
}

function slotOfTime(timeMs: number, slotMs: number, slotCount: number, offsetMs: number): number {
  const slot = Math.floor((timeMs + offsetMs) / slotMs) % slotCount
  return slot < 0 ? slot + slotCount : slot
}

type Level = CentreAndScale & { readonly count: number }

function levelOf(
  values: Float64Array,
  outer: Level | undefined,
  shrinkCount: number,
  scaleFloor: number,
): Level {
  const count = values.length
  if (count === 0) return { centre: outer?.centre ?? 0, scale: outer?.scale ?? scaleFloor, count }
  const own: CentreAndScale = { centre: 0, scale: 1 }
  robustCentreAndScale(values, count, new Float64Array(count), scaleFloor, own)
  if (outer === undefined) return { ...own, count }
  const weight = count / (count + shrinkCount)
  return {
    centre: weight * own.centre + (1 - weight) * outer.centre,
    scale: weight * own.scale + (1 - weight) * outer.scale,
    count,
  }
}
