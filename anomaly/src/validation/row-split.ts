import { AnomalyError, invalidOption, shapeMismatch } from '../errors.ts'

/** Rows to fit on and rows to judge on, each rising and without repetition. */
export type RowSplit = {
  readonly trainRows: Uint32Array
  readonly testRows: Uint32Array
}

/** What a split must keep apart. */
export type LeakChecks = {
  /** Device (or other group) of each row: none may stand on both sides. */
  readonly groupOfRow?: ArrayLike<number>
  /** Time of each row, any unit: training must end before testing starts. */
  readonly timeOfRow?: ArrayLike<number>
  /** Least distance between the last training row and the first test row, in the unit of time. Default 0. */
  readonly gap?: number
}

/**
 * Refuses a split that lets training see what it is judged on.
 * @throws LEAKAGE naming the row, group or time; INVALID_OPTION for rows outside [0, rowCount) or
 *   not rising; SHAPE_MISMATCH
 * Cost O(rows).
 */
export function requireNoLeak(split: RowSplit, rowCount: number, checks: LeakChecks = {}): void {
  const { groupOfRow, timeOfRow, gap = 0 } = checks
  requireRisingRows('trainRows', split.trainRows, rowCount)
  requireRisingRows('testRows', split.testRows, rowCount)
  const isTrained = new Uint8Array(rowCount)
  for (const row of split.trainRows) isTrained[row] = 1
  const shared = split.testRows.find((row) => isTrained[row] === 1)
  if (shared !== undefined) throw leakage(`row ${shared} is trained on and tested`, { row: shared })
  if (groupOfRow !== undefined) requireDisjointGroups(split, groupOfRow, rowCount)
  if (timeOfRow !== undefined) requireLaterTest(split, timeOfRow, gap, rowCount)
}

/** Error for a split or a column that gives away the answer. */
export function leakage(what: string, details: Readonly<Record<string, unknown>>): AnomalyError {
  return new AnomalyError(
    'LEAKAGE',
    `leak: ${what}; the measured quality would be too good`,
    details,
  )
}

/** Splits whose test rows are those of fold 0, 1, … and whose training rows are all others. */
export function splitsOfFolds(foldOfRow: Uint32Array, foldCount: number): RowSplit[] {
  return Array.from({ length: foldCount }, (_, fold) => ({
    trainRows: rowsWhere(foldOfRow.length, (row) => foldOfRow[row] !== fold),
    testRows: rowsWhere(foldOfRow.length, (row) => foldOfRow[row] === fold),
  }))
}

/** Rows for which the predicate holds, rising. */
export function rowsWhere(rowCount: number, holds: (row: number) => boolean): Uint32Array {
  const rows = new Uint32Array(rowCount)
  let count = 0
  for (let row = 0; row < rowCount; row++) {
    rows[count] = row
    count += Number(holds(row))
  }
  return rows.slice(0, count)
}

/** Refuses a number of folds that is no integer in [2, maximum]. */
export function requireFoldCount(foldCount: number, maximum: number, of: string): void {
  if (!(Number.isInteger(foldCount) && foldCount >= 2 && foldCount <= maximum)) {
    throw invalidOption(
      'foldCount',
      `an integer in [2, ${maximum}], the number of ${of}`,
      foldCount,
    )
  }
}

function requireRisingRows(name: string, rows: Uint32Array, rowCount: number): void {
  for (const [i, row] of rows.entries()) {
    if (row >= rowCount || (i > 0 && row <= rows[i - 1]!)) {
      throw invalidOption(`${name}[${i}]`, `rising and below ${rowCount}`, row)
    }
  }
}

function requireDisjointGroups(
  { trainRows, testRows }: RowSplit,
  groupOfRow: ArrayLike<number>,
  rowCount: number,
): void {
  if (groupOfRow.length !== rowCount) {
    throw shapeMismatch('groupOfRow.length', rowCount, groupOfRow.length)
  }
  const trained = new Set(Array.from(trainRows, (row) => groupOfRow[row]!))
  const shared = testRows.find((row) => trained.has(groupOfRow[row]!))
  if (shared !== undefined) {
    const group = groupOfRow[shared]!
    throw leakage(`group ${group} is trained on and tested (test row ${shared})`, { group })
  }
}

function requireLaterTest(
  { trainRows, testRows }: RowSplit,
  timeOfRow: ArrayLike<number>,
  gap: number,
  rowCount: number,
): void {
  if (timeOfRow.length !== rowCount) {
    throw shapeMismatch('timeOfRow.length', rowCount, timeOfRow.length)
  }
  let trainEnd = Number.NEGATIVE_INFINITY
  for (const row of trainRows) trainEnd = Math.max(trainEnd, timeOfRow[row]!)
  let testStart = Number.POSITIVE_INFINITY
  for (const row of testRows) testStart = Math.min(testStart, timeOfRow[row]!)
  if (trainEnd < testStart && trainEnd + gap <= testStart) return
  throw leakage(
    `training reaches to ${trainEnd}, testing starts at ${testStart}, the gap must be ${gap}`,
    { trainEnd, testStart, gap },
  )
}
