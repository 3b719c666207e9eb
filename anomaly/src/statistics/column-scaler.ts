import { columnFloors, type ScaleFloors } from '../baseline/group-statistics.ts'
import { invalidOption } from '../errors.ts'
import {
  type FeatureMatrix,
  requireColumns,
  requireFinite,
  requireRows,
} from '../feature-matrix.ts'
import { type CentreAndScale, robustCentreAndScale, standardDeviation } from './robust-scale.ts'

/** How columns are brought to one unit. */
export type ScalingMethod =
  /** Mean and population standard deviation. */
  | 'standard'
  /** Median and 1.4826·MAD, else IQR/1.349, else standard deviation. */
  | 'robust'
  /** Left as they are. */
  | 'none'

/** Options of a column scaler. */
export type ScalerOptions = {
  /** Default 'standard'. */
  readonly method?: ScalingMethod
  /** Smallest scale per column, in its unit. A scale that is still 0 becomes 1. */
  readonly floors?: ScaleFloors
  /** Scaled values are limited to ±clip; default no limit. */
  readonly clip?: number
}

/** Learned centre and scale of each column: plain data. */
export type ColumnScaler = {
  readonly kind: 'column_scaler'
  readonly stateVersion: 1
  readonly columnNames: readonly string[]
  readonly centres: Float64Array
  readonly scales: Float64Array
  readonly clip: number
}

/**
 * Learns to scale columns: z = (x − centre) / scale, limited to ±clip.
 * @param matrix rowCount × columns, no NaN
 * @throws TOO_FEW_ROWS without rows, NOT_FINITE, INVALID_OPTION
 * Cost O(cells).
 */
export function fitColumnScaler(matrix: FeatureMatrix, options: ScalerOptions = {}): ColumnScaler {
  const { method = 'standard', floors = {}, clip = Number.POSITIVE_INFINITY } = options
  if (!(clip > 0)) throw invalidOption('clip', '> 0', clip)
  requireRows('column scaler', matrix)
  requireFinite('column scaler fit', matrix)
  const { rowCount, columnNames } = matrix
  const columnCount = columnNames.length
  const centres = new Float64Array(columnCount)
  const scales = new Float64Array(columnCount).fill(1)
  const named = columnFloors(columnNames, floors)
  const scratch = new Float64Array(rowCount)
  const deviations = new Float64Array(rowCount)
  const result: CentreAndScale = { centre: 0, scale: 1 }
  for (let column = 0; column < columnCount && method !== 'none'; column++) {
    for (let row = 0; row < rowCount; row++) {
      scratch[row] = matrix.values[row * columnCount + column]!
    }
    const isNamed = Object.hasOwn(floors, columnNames[column] ?? '')
    const floor = isNamed ? named[column]! : 0
    if (method === 'robust') robustCentreAndScale(scratch, rowCount, deviations, floor, result)
    else standardCentreAndScale(scratch, rowCount, floor, result)
    centres[column] = result.centre
    scales[column] = result.scale > 0 ? result.scale : 1
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
 * Scales every cell.
 * @param out receives the scaled cells; default a new array; may be `matrix.values`
 * @returns rowCount × columns, row-major, without unit
 * @throws COLUMN_MISMATCH
 */
export function scaleColumns(
  scaler: ColumnScaler,
  matrix: FeatureMatrix,
  out: Float64Array = new Float64Array(matrix.values.length),
): Float64Array {
  requireColumns(scaler.columnNames, matrix)
  const columnCount = matrix.columnNames.length
  for (let row = 0; row < matrix.rowCount; row++) {
    scaleRow(scaler, matrix.values, row * columnCount, out, row * columnCount)
  }
  return out
}

/** Scales the row at `values[cells…]` into `out[outCells…]`. */
export function scaleRow(
  scaler: ColumnScaler,
  values: Float64Array,
  cells: number,
  out: Float64Array,
  outCells: number,
): void {
  const { centres, scales, clip } = scaler
  for (let column = 0; column < centres.length; column++) {
    const z = (values[cells + column]! - centres[column]!) / scales[column]!
    out[outCells + column] = z > clip ? clip : z < -clip ? -clip : z
  }
}

function standardCentreAndScale(
  values: Float64Array,
  count: number,
  floor: number,
  result: CentreAndScale,
): void {
  let sum = 0
  for (let i = 0; i < count; i++) sum += values[i]!
  result.centre = sum / count
  const std = standardDeviation(values, count)
  // Rounding of the mean leaves a constant column a spread of one part in 10¹⁶: that is no scale.
  const isConstant = std <= Math.abs(result.centre) * 1e-14
  result.scale = Math.max(isConstant ? 0 : std, floor)
}
