import { invalidOption, tooFewRows } from '../errors.ts'
import { type RowSplit, requireFoldCount, rowsWhere } from './row-split.ts'

/** Options of splits forward in time. All durations are in the unit of the rows' times. */
export type ForwardOptions = {
  /** Number of splits, default 5. */
  readonly foldCount?: number
  /**
   * Time left out between training and testing: at least the reach of a label into the future plus
   * the window of a feature into the past. Default 0.
   */
  readonly gap?: number
  /** Training looks back at most this far before the gap (rolling); default: all of the past. */
  readonly trainDuration?: number
  /** Duration of each test block, the last ending with the last row; default: equal row counts. */
  readonly testDuration?: number
}

/**
 * Forward chaining: every test block is judged by a model of its past. Rows of equal time never part.
 * @param timeOfRow finite, any order
 * @throws INVALID_OPTION; TOO_FEW_ROWS if a split has no row to train on or to test
 * Cost O(rows log rows + rows · folds).
 */
export function forwardSplits(
  timeOfRow: ArrayLike<number>,
  options: ForwardOptions = {},
): RowSplit[] {
  const { foldCount = 5, gap = 0, trainDuration = Number.POSITIVE_INFINITY } = options
  const times = sortedTimes(timeOfRow)
  requireDuration('gap', gap, 0)
  if (options.trainDuration !== undefined) requireDuration('trainDuration', trainDuration)
  const starts =
    options.testDuration === undefined
      ? evenStarts(times, foldCount + 1).slice(1)
      : durationStarts(times, foldCount, options.testDuration)
  return starts.map((start, fold) => {
    const end = starts[fold + 1] ?? Number.POSITIVE_INFINITY
    const trainEnd = start - gap
    const split = {
      trainRows: rowsWhere(timeOfRow.length, (row) => {
        const time = timeOfRow[row]!
        // With a gap of 0 training still ends before the test's first instant.
        const isBefore = gap > 0 ? time <= trainEnd : time < start
        return isBefore && time > trainEnd - trainDuration
      }),
      testRows: rowsWhere(
        timeOfRow.length,
        (row) => timeOfRow[row]! >= start && timeOfRow[row]! < end,
      ),
    }
    requireBothSides(split, fold)
    return split
  })
}

/** Options of purged folds. All durations are in the unit of the rows' times. */
export type PurgedOptions = {
  /** Number of folds, default 5. */
  readonly foldCount?: number
  /** How far a row's label looks ahead: rows whose label reaches into the test are purged. Default 0. */
  readonly labelHorizon?: number
  /** Time after the test that training leaves out too: features there still see the test. Default 0. */
  readonly embargo?: number
}

/**
 * Folds of consecutive time in which training uses past and future, but no row whose label or
 * features overlap the test block. Uses more data than forward chaining; right only where a model of
 * the future may be judged on the past, so not for drifting fleets.
 * @param timeOfRow finite, any order
 * @throws INVALID_OPTION, TOO_FEW_ROWS
 * Cost O(rows log rows + rows · folds). Source: López de Prado 2018, chapter 7.
 */
export function purgedFolds(timeOfRow: ArrayLike<number>, options: PurgedOptions = {}): RowSplit[] {
  const { foldCount = 5, labelHorizon = 0, embargo = 0 } = options
  const times = sortedTimes(timeOfRow)
  requireDuration('labelHorizon', labelHorizon, 0)
  requireDuration('embargo', embargo, 0)
  const starts = evenStarts(times, foldCount)
  return starts.map((start, fold) => {
    const isLast = fold === starts.length - 1
    const end = starts[fold + 1] ?? Number.POSITIVE_INFINITY
    const lastTest = isLast ? times[times.length - 1]! : lastBelow(times, end)
    // Labels of test rows reach `labelHorizon` beyond the last of them.
    const resume = lastTest + labelHorizon + embargo
    const split = {
      trainRows: rowsWhere(timeOfRow.length, (row) => {
        const time = timeOfRow[row]!
        return time < start ? time + labelHorizon < start : time >= end && time > resume
      }),
      testRows: rowsWhere(
        timeOfRow.length,
        (row) => timeOfRow[row]! >= start && timeOfRow[row]! < end,
      ),
    }
    requireBothSides(split, fold)
    return split
  })
}

function sortedTimes(timeOfRow: ArrayLike<number>): Float64Array {
  for (let row = 0; row < timeOfRow.length; row++) {
    if (!Number.isFinite(timeOfRow[row])) {
      throw invalidOption(`timeOfRow[${row}]`, 'a finite number', timeOfRow[row])
    }
  }
  if (timeOfRow.length < 2) throw tooFewRows('a split in time', 2, timeOfRow.length)
  return Float64Array.from(timeOfRow).sort()
}

/** First times of `blockCount` blocks of about equal row counts; equal times stay together. */
function evenStarts(times: Float64Array, blockCount: number): number[] {
  requireFoldCount(blockCount, new Set(times).size, 'distinct times')
  const starts: number[] = []
  for (let block = 0; block < blockCount; block++) {
    let at = Math.floor((block * times.length) / blockCount)
    const previous = starts.at(-1) ?? Number.NEGATIVE_INFINITY
    while (at < times.length && times[at]! <= previous) at++
    if (at === times.length) {
      throw invalidOption('foldCount', 'so few that every block has a time of its own', blockCount)
    }
    starts.push(times[at]!)
  }
  return starts
}

function durationStarts(times: Float64Array, foldCount: number, testDuration: number): number[] {
  requireFoldCount(foldCount, times.length, 'rows')
  requireDuration('testDuration', testDuration)
  const last = times[times.length - 1]!
  // The last block holds times in (last − duration, last]; starts are the first times in a block.
  return Array.from({ length: foldCount }, (_, fold) => {
    const after = last - (foldCount - fold) * testDuration
    return times.find((time) => time > after)!
  })
}

function lastBelow(times: Float64Array, end: number): number {
  return times.findLast((time) => time < end) ?? Number.NEGATIVE_INFINITY
}

function requireDuration(name: string, duration: number, minimum = Number.MIN_VALUE): void {
  if (!(duration >= minimum && duration < Number.POSITIVE_INFINITY)) {
    throw invalidOption(
      name,
      minimum === 0 ? 'a finite number ≥ 0' : 'a finite number > 0',
      duration,
    )
  }
}

function requireBothSides({ trainRows, testRows }: RowSplit, fold: number): void {
  if (trainRows.length === 0) throw tooFewRows(`training of split ${fold}`, 1, 0)
  if (testRows.length === 0) throw tooFewRows(`test of split ${fold}`, 1, 0)
}
