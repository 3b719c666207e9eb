import { invalidOption, shapeMismatch } from '../errors.ts'
import { type FeatureMatrix, requireRows } from '../feature-matrix.ts'
import { requireNoInfinity } from '../statistics/present-values.ts'
import { type CentreAndScale, robustCentreAndScale } from '../statistics/robust-scale.ts'

/** Group index of a row whose group is unknown. */
export const UNKNOWN_GROUP = 0xffff_ffff

/** Floor of a scale for which the caller names none: keeps z finite on constant histories. */
export const DEFAULT_SCALE_FLOOR = 1e-9

/** Smallest scale per column, in the column's unit: its measuring resolution. */
export type ScaleFloors = Readonly<Record<string, number>>

/** Robust centre and scale of every group and column; NaN where a group has no value. */
export type GroupStatistics = {
  readonly groupCount: number
  /** groupCount × columns, row-major, in the column's unit. */
  readonly centres: Float64Array
  /** groupCount × columns, row-major, > 0 or NaN. */
  readonly scales: Float64Array
  /** Rows seen per group. */
  readonly rowCounts: Uint32Array
}

/**
 * Robust centre and scale per group: devices, cohorts, or one group for all. Large histories are
 * fitted in chunks of whole groups and joined by `copyGroupStatistics`.
 * @param matrix rowCount × columns; NaN cells are left out, infinite ones refused
 * @param groupOfRow one group index per row, or UNKNOWN_GROUP to leave the row out
 * @param floors per column by name; a name that is no column is refused
 * @throws TOO_FEW_ROWS without rows, SHAPE_MISMATCH, NOT_FINITE, INVALID_OPTION
 * Cost O(cells) by selection; scratch of one group and column.
 */
export function fitGroupStatistics(
  matrix: FeatureMatrix,
  groupOfRow: Uint32Array,
  groupCount: number,
  floors: ScaleFloors = {},
): GroupStatistics {
  requireRows('group statistics', matrix)
  requireNoInfinity('group statistics', matrix)
  const { rowsByGroup, groupStarts } = groupRows(matrix.rowCount, groupOfRow, groupCount)
  const columnCount = matrix.columnNames.length
  const floorOfColumn = columnFloors(matrix.columnNames, floors)
  const statistics = emptyGroupStatistics(groupCount, columnCount)
  let largestGroup = 0
  for (let group = 0; group < groupCount; group++) {
    statistics.rowCounts[group] = groupStarts[group + 1]! - groupStarts[group]!
    largestGroup = Math.max(largestGroup, statistics.rowCounts[group]!)
  }
  const scratch = new Float64Array(largestGroup)
  const deviations = new Float64Array(largestGroup)
  const result: CentreAndScale = { centre: 0, scale: 0 }
  for (let group = 0; group < groupCount; group++) {
    const start = groupStarts[group]!
    const end = groupStarts[group + 1]!
    for (let column = 0; column < columnCount; column++) {
      const count = gather(matrix, rowsByGroup, start, end, column, scratch)
      robustCentreAndScale(scratch, count, deviations, floorOfColumn[column]!, result)
      statistics.centres[group * columnCount + column] = result.centre
      statistics.scales[group * columnCount + column] = result.scale
    }
  }
  return statistics
}

/** Statistics without any row: NaN everywhere, to be filled chunk by chunk. */
export function emptyGroupStatistics(groupCount: number, columnCount: number): GroupStatistics {
  if (!Number.isInteger(groupCount) || groupCount < 0 || groupCount >= UNKNOWN_GROUP) {
    throw invalidOption('groupCount', 'an integer ≥ 0', groupCount)
  }
  return {
    groupCount,
    centres: new Float64Array(groupCount * columnCount).fill(Number.NaN),
    scales: new Float64Array(groupCount * columnCount).fill(Number.NaN),
    rowCounts: new Uint32Array(groupCount),
  }
}

/**
 * Copies a chunk of groups into `target` from group `firstGroup` on, so that 100,000 devices can
 * be fitted a thousand at a time.
 * @throws SHAPE_MISMATCH if the chunk does not fit
 */
export function copyGroupStatistics(
  target: GroupStatistics,
  firstGroup: number,
  chunk: GroupStatistics,
): void {
  const columnCount = target.centres.length / target.groupCount
  if (chunk.centres.length !== chunk.groupCount * columnCount) {
    throw shapeMismatch('chunk columns', columnCount, chunk.centres.length / chunk.groupCount)
  }
  if (!(firstGroup >= 0 && firstGroup + chunk.groupCount <= target.groupCount)) {
    throw shapeMismatch('last group', target.groupCount, firstGroup + chunk.groupCount)
  }
  target.centres.set(chunk.centres, firstGroup * columnCount)
  target.scales.set(chunk.scales, firstGroup * columnCount)
  target.rowCounts.set(chunk.rowCounts, firstGroup)
}

/** Floors in column order; columns without one get DEFAULT_SCALE_FLOOR. */
export function columnFloors(columnNames: readonly string[], floors: ScaleFloors): Float64Array {
  const ordered = new Float64Array(columnNames.length).fill(DEFAULT_SCALE_FLOOR)
  for (const [name, floor] of Object.entries(floors)) {
    const column = columnNames.indexOf(name)
    if (column < 0) throw invalidOption('floors', 'names of columns', name)
    if (!(floor > 0 && Number.isFinite(floor))) {
      throw invalidOption(`floors.${name}`, 'a finite number > 0', floor)
    }
    ordered[column] = floor
  }
  return ordered
}

/** Counting sort of the rows by group; keeps their order within a group. */
function groupRows(
  rowCount: number,
  groupOfRow: Uint32Array,
  groupCount: number,
): { readonly rowsByGroup: Uint32Array; readonly groupStarts: Uint32Array } {
  if (groupOfRow.length !== rowCount) {
    throw shapeMismatch('groupOfRow.length', rowCount, groupOfRow.length)
  }
  const groupStarts = new Uint32Array(groupCount + 1)
  for (let row = 0; row < rowCount; row++) {
    const group = groupOfRow[row]!
    if (group === UNKNOWN_GROUP) continue
    if (group >= groupCount) {
      throw invalidOption(`groupOfRow[${row}]`, `below ${groupCount} or UNKNOWN_GROUP`, group)
    }
    groupStarts[group + 1] = groupStarts[group + 1]! + 1
  }
  for (let group = 0; group < groupCount; group++) {
    groupStarts[group + 1] = groupStarts[group + 1]! + groupStarts[group]!
  }
  const next = groupStarts.slice()
  const rowsByGroup = new Uint32Array(groupStarts[groupCount]!)
  for (let row = 0; row < rowCount; row++) {
    const group = groupOfRow[row]!
    if (group === UNKNOWN_GROUP) continue
    rowsByGroup[next[group]!] = row
    next[group] = next[group]! + 1
  }
  return { rowsByGroup, groupStarts }
}

/** Non-NaN values of one column of rows `rows[start, end)` into `scratch`; returns their count. */
function gather(
  matrix: FeatureMatrix,
  rows: Uint32Array,
  start: number,
  end: number,
  column: number,
  scratch: Float64Array,
): number {
  const columnCount = matrix.columnNames.length
  let count = 0
  for (let i = start; i < end; i++) {
    const value = matrix.values[rows[i]! * columnCount + column]!
    if (!Number.isNaN(value)) {
      scratch[count] = value
      count++
    }
  }
  return count
}
