import { AnomalyError, invalidOption, shapeMismatch } from '../errors.ts'

/** Rows [start, end) of a series that hold one labelled anomaly. */
export type RowWindow = { readonly start: number; readonly end: number }

/** Weights of one NAB application profile. */
export type NabProfile = {
  readonly truePositive: number
  readonly falsePositive: number
  readonly falseNegative: number
}

/** One series with the scores of a detector and the labelled windows. */
export type NabSeries = {
  readonly scores: Float64Array
  /** A row is a detection when its score is at or above this. */
  readonly threshold: number
  /** Ascending, without overlap. */
  readonly windows: readonly RowWindow[]
}

/** What one or several series scored. */
export type NabScore = {
  /** 100 for a detection at the start of every window and no other, 0 for no detection at all. */
  readonly normalised: number
  /** Weighted sum before normalisation. */
  readonly raw: number
  readonly windowCount: number
  readonly detectedWindowCount: number
  /** Rows flagged outside every window and outside the probationary rows. */
  readonly falsePositiveRowCount: number
}

/** The three application profiles of the benchmark. Source: NAB `config/profiles.json`. */
export const NAB_PROFILES: Readonly<
  Record<'standard' | 'rewardLowFalsePositives' | 'rewardLowFalseNegatives', NabProfile>
> = {
  standard: { truePositive: 1, falsePositive: 0.11, falseNegative: 1 },
  rewardLowFalsePositives: { truePositive: 1, falsePositive: 0.22, falseNegative: 1 },
  rewardLowFalseNegatives: { truePositive: 1, falsePositive: 0.11, falseNegative: 2 },
}

/**
 * Score of the Numenta Anomaly Benchmark: an early detection inside a window counts up to 1, each
 * further row inside it nothing, a row outside costs more the farther it lies behind the last
 * window, a missed window costs its weight.
 * @param series one for a score per file, all of them for the score of the corpus
 * @throws SHAPE_MISMATCH if a window lies outside its series, NOT_FINITE on a NaN score,
 *   INVALID_OPTION for windows that overlap or stand in no order
 * Cost O(rows). Source: Lavin & Ahmad 2015, and NAB's `sweeper.py`: probation, sigmoid and the
 * normalisation of its `runner.py`. A window of one row is followed by full cost, where NAB
 * divides by zero; a window that lies in the probationary rows is left out, as in NAB.
 */
export function nabScore(
  series: readonly NabSeries[],
  profile: NabProfile = NAB_PROFILES.standard,
): NabScore {
  let raw = 0
  let windowCount = 0
  let detectedWindowCount = 0
  let falsePositiveRowCount = 0
  for (const one of series) {
    requireSeries(one)
    const probation = nabProbationaryRows(one.scores.length)
    for (const { start, end } of one.windows) {
      if (end <= probation) continue
      windowCount += 1
      const first = firstDetection(one, Math.max(start, probation), end)
      if (first < 0) {
        raw -= profile.falseNegative
      } else {
        detectedWindowCount += 1
        const position = -(end - first) / (end - start)
        raw += (profile.truePositive * scaledSigmoid(position)) / scaledSigmoid(-1)
      }
    }
    const outside = falsePositives(one, probation)
    raw += profile.falsePositive * outside.cost
    falsePositiveRowCount += outside.rowCount
  }
  const worst = -windowCount * profile.falseNegative
  const best = windowCount * profile.truePositive
  return {
    normalised: windowCount === 0 ? Number.NaN : (100 * (raw - worst)) / (best - worst),
    raw,
    windowCount,
    detectedWindowCount,
    falsePositiveRowCount,
  }
}

/**
 * Rows at the start of a series in which NAB lets a detector learn and counts nothing: 15 %, at
 * most 750.
 */
export function nabProbationaryRows(rowCount: number): number {
  return Math.min(Math.floor(0.15 * rowCount), 750)
}

/**
 * Windows in rows from windows in time.
 * @param times of the rows, ascending, any unit
 * @param windows first and last time, both inside, as NAB's label files give them
 * @returns windows in rows, end exclusive; those that no row falls into are left out
 * Cost O(windows · log rows).
 */
export function rowWindowsOfTimes(
  times: ArrayLike<number>,
  windows: readonly (readonly [first: number, last: number])[],
): RowWindow[] {
  return windows
    .map(([first, last]) => ({
      start: rowsBefore(times, first, false),
      end: rowsBefore(times, last, true),
    }))
    .filter(({ start, end }) => end > start)
}

/** Rows with a time below `time`, or at most `time` if `inclusive`. */
function rowsBefore(times: ArrayLike<number>, time: number, inclusive: boolean): number {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const isBefore = inclusive ? times[middle]! <= time : times[middle]! < time
    if (isBefore) low = middle + 1
    else high = middle
  }
  return low
}

function firstDetection({ scores, threshold }: NabSeries, start: number, end: number): number {
  for (let row = start; row < end; row++) if (scores[row]! >= threshold) return row
  return -1
}

/** Cost in (−1, 0] per flagged row outside all windows, before the profile's weight. */
function falsePositives(
  { scores, threshold, windows }: NabSeries,
  probation: number,
): { readonly cost: number; readonly rowCount: number } {
  let cost = 0
  let rowCount = 0
  let next = 0
  for (let row = 0; row < scores.length; row++) {
    while (next < windows.length && windows[next]!.end <= row) next++
    const isInside = next < windows.length && windows[next]!.start <= row
    if (isInside || row < probation || !(scores[row]! >= threshold)) continue
    const last = windows[next - 1]
    rowCount += 1
    cost += last === undefined ? -1 : costBehind(last, row)
  }
  return { cost, rowCount }
}

function costBehind({ start, end }: RowWindow, row: number): number {
  return end - start === 1 ? -1 : scaledSigmoid((row - end + 1) / (end - start - 1))
}

/** 2/(1 + e^(5x)) − 1, and −1 from three window widths on. */
function scaledSigmoid(position: number): number {
  return position >= 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1
}

function requireSeries({ scores, windows }: NabSeries): void {
  const at = scores.findIndex(Number.isNaN)
  if (at >= 0) {
    throw new AnomalyError(
      'NOT_FINITE',
      `nab score: score ${at} is NaN, expected a number; give rows without a verdict the score 0`,
      { index: at },
    )
  }
  let previousEnd = 0
  for (const [index, { start, end }] of windows.entries()) {
    if (end > scores.length) throw shapeMismatch(`windows[${index}].end`, scores.length, end)
    if (
      !(Number.isInteger(start) && Number.isInteger(end) && start >= previousEnd && end > start)
    ) {
      throw invalidOption(
        `windows[${index}]`,
        `whole rows from ${previousEnd} on, end after start`,
        `[${start}, ${end})`,
      )
    }
    previousEnd = end
  }
}
