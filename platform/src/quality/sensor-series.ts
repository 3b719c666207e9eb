/** What one sensor of one device did over a stretch, in numbers. */
export type SeriesFigures = {
  /** Rows of the device, and those with a value of the sensor. */
  readonly rowCount: number
  readonly valueCount: number
  /** Rows whose value cleansing took out because it was out of range. */
  readonly violationCount: number
  /** Longest run of one value, in readings made while the machine ran. */
  readonly longestRun: number
  /** Share of readings in runs of at least the limit. */
  readonly stuckShare: number
  /** Readings of the run that is still going on at the end. */
  readonly lastRun: number
  /** Stretches of more than `gapRows` rows without a value. */
  readonly gapCount: number
  /** Share of readings that stand alone far from their neighbours. */
  readonly jumpShare: number
  /** How far the level moved from start to end, in the sensor's unit. */
  readonly levelChange: number
  /** Kendall's tau of the level over time: 1 rises always, -1 falls always. */
  readonly trend: number
  /** Usual distance of levels from the line through them. */
  readonly levelNoise: number
}

/** How a series is read. */
export type SeriesOptions = {
  /** Width of the sensor's range: what is small. */
  readonly rangeWidth: number
  /** Running readings of one value that make a sensor stuck, CON-43. */
  readonly stuckReadings: number
}

/** Rows without a value that make a gap: five minutes at one a minute, as CON-8 has it. */
const gapRows = 5
/** Levels taken over the stretch for the trend. */
const levelCount = 12
/** Largest number of levels below which a trend says nothing. */
const minLevels = 6
/** Scale of the median absolute deviation to a standard deviation of normal noise. */
const madScale = 1.4826

function medianOf(values: Float64Array): number {
  if (values.length === 0) return Number.NaN
  const sorted = values.slice().sort()
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Runs of one value; readings while the machine stands still neither add to a run nor end it. */
function runs(values: Float64Array, isRunning: Uint8Array, limit: number) {
  let longestRun = 0
  let stuckCount = 0
  let runningCount = 0
  let run = 0
  let last = Number.NaN
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!
    if (Number.isNaN(value)) continue
    if (value !== last) {
      if (run >= limit) stuckCount += run
      run = 0
      last = value
    }
    if (isRunning[row] === 0) continue
    runningCount += 1
    run += 1
    if (run > longestRun) longestRun = run
  }
  if (run >= limit) stuckCount += run
  return { longestRun, stuckShare: stuckCount / Math.max(1, runningCount), lastRun: run }
}

function countGaps(values: Float64Array): number {
  let gapCount = 0
  let missing = 0
  for (let row = 0; row < values.length; row++) {
    if (!Number.isNaN(values[row]!)) missing = 0
    else {
      missing += 1
      if (missing === gapRows + 1) gapCount += 1
    }
  }
  return gapCount
}

function medianOfFive(values: Float64Array, at: number, scratch: Float64Array): number {
  for (let offset = 0; offset < 5; offset++) scratch[offset] = values[at - 2 + offset]!
  scratch.sort()
  return scratch[2]!
}

/**
 * Share of readings that stand alone: far from the median of five, as a loose contact makes them. A
 * defrost or a door moves the level for minutes, so that the median follows; CON-44's limit of six
 * robust deviations is kept, taken of the steps between readings.
 */
function jumpShareOf(present: Float64Array, rangeWidth: number): number {
  const count = present.length
  if (count < 10) return 0
  const steps = new Float64Array(count - 1)
  for (let row = 1; row < count; row++) steps[row - 1] = Math.abs(present[row]! - present[row - 1]!)
  const limit = Math.max(6 * madScale * medianOf(steps), 0.02 * rangeWidth)
  const scratch = new Float64Array(5)
  let jumps = 0
  for (let row = 2; row < count - 2; row++) {
    if (Math.abs(present[row]! - medianOfFive(present, row, scratch)) > limit) jumps += 1
  }
  return jumps / count
}

/** Medians of equal parts of the stretch; a part without enough values is left out. */
function levelsOf(values: Float64Array): { readonly at: number[]; readonly level: number[] } {
  const at: number[] = []
  const level: number[] = []
  for (let part = 0; part < levelCount; part++) {
    const start = Math.floor((part * values.length) / levelCount)
    const end = Math.floor(((part + 1) * values.length) / levelCount)
    const own = values.subarray(start, end).filter((value) => !Number.isNaN(value))
    if (own.length < 0.2 * (end - start) || own.length < 5) continue
    at.push(part)
    level.push(medianOf(own))
  }
  return { at, level }
}

/** Movement of the level: Theil-Sen line and Kendall's tau over the levels of the stretch. */
function trendOf(values: Float64Array) {
  const { at, level } = levelsOf(values)
  const none = { levelChange: 0, trend: 0, levelNoise: 0 }
  if (level.length < minLevels) return none
  const slopes: number[] = []
  let sign = 0
  for (let i = 0; i < level.length; i++) {
    for (let j = i + 1; j < level.length; j++) {
      const rise = level[j]! - level[i]!
      sign += Math.sign(rise)
      slopes.push(rise / (at[j]! - at[i]!))
    }
  }
  const slope = medianOf(Float64Array.from(slopes))
  const offsets = Float64Array.from(level, (value, index) => value - slope * at[index]!)
  const base = medianOf(offsets)
  const levelNoise = madScale * medianOf(offsets.map((value) => Math.abs(value - base)))
  const span = at.at(-1)! - at[0]!
  return { levelChange: slope * span, trend: sign / slopes.length, levelNoise }
}

/**
 * Figures of one series.
 * @param values one per row of the device in order of time, NaN where there is none
 * @param isRunning 1 for rows in which the machine ran
 */
export function seriesFigures(
  values: Float64Array,
  isRunning: Uint8Array,
  violationCount: number,
  { rangeWidth, stuckReadings }: SeriesOptions,
): SeriesFigures {
  const present = values.filter((value) => !Number.isNaN(value))
  return {
    rowCount: values.length,
    valueCount: present.length,
    violationCount,
    ...runs(values, isRunning, stuckReadings),
    gapCount: countGaps(values),
    jumpShare: jumpShareOf(present, rangeWidth),
    ...trendOf(values),
  }
}
