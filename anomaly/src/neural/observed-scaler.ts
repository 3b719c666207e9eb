import { columnFloors, type ScaleFloors } from '../baseline/group-statistics.ts'
import { invalidOption, notFinite, tooFewRows } from '../errors.ts'
import type { ColumnScaler } from '../statistics/column-scaler.ts'

/** Smallest normal number: the reciprocal of anything smaller may be infinite. */
const SMALLEST_SCALE = 2 ** -1022

/** How the inputs of a network are scaled. */
export type InputScaling = {
  /** Scaled inputs are limited to ±clip. Default 10, so that no cell rules the loss (FEA-41). */
  readonly clip?: number
  /** Smallest scale per column or channel, in its unit: its measuring resolution. */
  readonly floors?: ScaleFloors
}

/**
 * Mean and population standard deviation of every column over its cells that are not NaN. A
 * constant column gets the scale 1, a column without a value the centre 0 too.
 * @param values row-major, rows × columnNames.length
 * @throws TOO_FEW_ROWS without rows, NOT_FINITE on ±∞, INVALID_OPTION for the options
 * Cost two passes over the cells in memory order.
 */
export function fitObservedScaler(
  what: string,
  values: Float64Array,
  columnNames: readonly string[],
  scaling: InputScaling,
): ColumnScaler {
  const { clip = 10, floors = {} } = scaling
  if (!(clip > 0)) throw invalidOption('clip', '> 0', clip)
  if (values.length === 0) throw tooFewRows(what, 1, 0)
  const columnCount = columnNames.length
  const counts = new Uint32Array(columnCount)
  const centres = columnMeans(values, columnCount, counts)
  const infinite = centres.findIndex((mean) => !Number.isFinite(mean))
  if (infinite >= 0) throw infiniteCell(what, values, columnNames, infinite)
  const scales = columnDeviations(values, centres, counts)
  const named = columnFloors(columnNames, floors)
  for (let column = 0; column < columnCount; column++) {
    // Rounding of the mean leaves a constant column a spread of one part in 10¹⁶.
    const isConstant = scales[column]! <= Math.abs(centres[column]!) * 1e-14
    const isNamed = Object.hasOwn(floors, columnNames[column] ?? '')
    const scale = Math.max(isConstant ? 0 : scales[column]!, isNamed ? named[column]! : 0)
    scales[column] = scale >= SMALLEST_SCALE ? scale : 1
  }
  return {
    kind: 'column_scaler',
    stateVersion: 1,
    columnNames: [...columnNames],
    centres,
    scales,
    clip,
  }
}

/**
 * Scales rows [start, end) of row-major `values` into rows of `stride` 32-bit floats from
 * `out[outStart]`; NaN stays NaN.
 * @returns whether any cell is NaN
 */
export function scaleObserved(
  scaler: ColumnScaler,
  values: Float64Array,
  start: number,
  end: number,
  out: Float32Array,
  outStart: number,
  stride: number,
): boolean {
  const { centres, clip } = scaler
  const columnCount = centres.length
  const factors = scaler.scales.map((scale) => 1 / scale)
  let sum = 0
  for (let row = start; row < end; row++) {
    const cells = row * columnCount
    const outCells = outStart + (row - start) * stride
    for (let column = 0; column < columnCount; column++) {
      const z = (values[cells + column]! - centres[column]!) * factors[column]!
      // Of both, min and max give NaN for NaN; measured twice as fast as comparisons.
      const clipped = Math.min(clip, Math.max(-clip, z))
      sum += clipped
      out[outCells + column] = clipped
    }
  }
  return Number.isNaN(sum)
}

function columnMeans(
  values: Float64Array,
  columnCount: number,
  counts: Uint32Array,
): Float64Array<ArrayBuffer> {
  const means = new Float64Array(columnCount)
  for (let row = 0; row < values.length; row += columnCount) {
    for (let column = 0; column < columnCount; column++) {
      means[column] = means[column]! + values[row + column]!
    }
  }
  counts.fill(values.length / columnCount)
  for (let column = 0; column < columnCount; column++) {
    if (Number.isNaN(means[column])) observedSum(values, column, means, counts)
    means[column] = means[column]! / Math.max(1, counts[column]!)
  }
  return means
}

/** Sum and count of a column's cells that are not NaN. */
function observedSum(
  values: Float64Array,
  column: number,
  sums: Float64Array,
  counts: Uint32Array,
): void {
  let sum = 0
  let count = 0
  for (let cell = column; cell < values.length; cell += sums.length) {
    const value = values[cell]!
    if (Number.isNaN(value)) continue
    sum += value
    count++
  }
  sums[column] = sum
  counts[column] = count
}

function columnDeviations(
  values: Float64Array,
  means: Float64Array,
  counts: Uint32Array,
): Float64Array<ArrayBuffer> {
  const columnCount = means.length
  const deviations = new Float64Array(columnCount)
  for (let row = 0; row < values.length; row += columnCount) {
    for (let column = 0; column < columnCount; column++) {
      const difference = values[row + column]! - means[column]!
      deviations[column] = deviations[column]! + difference * difference
    }
  }
  for (let column = 0; column < columnCount; column++) {
    if (Number.isNaN(deviations[column])) observedSquares(values, column, means, deviations)
    deviations[column] = Math.sqrt(deviations[column]! / Math.max(1, counts[column]!))
  }
  return deviations
}

/** Sum of squared differences from the mean of a column's cells that are not NaN. */
function observedSquares(
  values: Float64Array,
  column: number,
  means: Float64Array,
  squares: Float64Array,
): void {
  let sum = 0
  for (let cell = column; cell < values.length; cell += means.length) {
    const difference = values[cell]! - means[column]!
    if (!Number.isNaN(difference)) sum += difference * difference
  }
  squares[column] = sum
}

function infiniteCell(
  what: string,
  values: Float64Array,
  columnNames: readonly string[],
  column: number,
): Error {
  const columnCount = columnNames.length
  for (let at = column; at < values.length; at += columnCount) {
    const value = values[at]!
    if (!Number.isFinite(value) && !Number.isNaN(value)) {
      return notFinite(what, Math.floor(at / columnCount), columnNames[column] ?? '', value)
    }
  }
  return invalidOption('values', 'numbers whose sum is finite', columnNames[column])
}
