import { invalidOption } from '../errors.ts'
import {
  type FeatureMatrix,
  featureMatrix,
  outputFor,
  requireColumns,
  requireFinite,
  requireFiniteRows,
  requireRowIndices,
  requireRows,
} from '../feature-matrix.ts'
import { fitRidgeRegression } from '../linear/ridge-regression.ts'
import { fitColumnScaler, scaleRow } from '../statistics/column-scaler.ts'
import {
  type CentreAndScale,
  robustCentreAndScale,
  standardDeviation,
} from '../statistics/robust-scale.ts'

/** Options of the regression residual detector. */
export type RegressionResidualOptions = {
  /** Column to be explained by all others. */
  readonly target: string
  /**
   * Penalty on squared coefficients of standardised columns, in units of Σ residual²; default
   * 0.001 (HEA-25): keeps columns that determine each other apart, and else changes nothing.
   */
  readonly l2?: number
  /** Smallest residual scale in the target's unit, its resolution; default 1e-9. */
  readonly scaleFloor?: number
  /**
   * Centre and scale of the residual: median and 1.4826·MAD (`robust`, default), or mean and
   * population standard deviation (`standard`).
   */
  readonly scaling?: 'robust' | 'standard'
}

/** Learned state: target = intercept + Σ coefficient · column, and what it leaves. Plain data. */
export type RegressionResidual = {
  readonly kind: 'regression_residual'
  readonly stateVersion: 1
  readonly columnNames: readonly string[]
  /** Index of the target column. */
  readonly target: number
  readonly intercept: number
  /** Target units per column unit; 0 at the target. */
  readonly coefficients: Float64Array
  /** Training mean of each column: where contributions are 0. */
  readonly means: Float64Array
  readonly residualCentre: number
  readonly residualScale: number
}

/**
 * Learns what the other columns explain of one: heat energy from weather, current from load. A row
 * is odd if its target is not what the others let expect, however usual the value by itself.
 * @param matrix rowCount × at least two columns, no NaN and no infinite value
 * @throws TOO_FEW_ROWS with fewer than two rows, NOT_FINITE, INVALID_OPTION; NOT_CONVERGED if
 *   columns determine each other and l2 is 0
 * Cost O(rows · columns²). Source: HEA-25; scikit-learn's `Ridge(alpha=l2)` on standardised columns.
 */
export function fitRegressionResidual(
  matrix: FeatureMatrix,
  options: RegressionResidualOptions,
): RegressionResidual {
  const { l2 = 0.001, scaleFloor = 1e-9, scaling = 'robust' } = options
  const target = matrix.columnNames.indexOf(options.target)
  const columnCount = matrix.columnNames.length
  if (target < 0) throw invalidOption('target', `one of ${matrix.columnNames}`, options.target)
  if (columnCount < 2)
    throw invalidOption('columnNames', 'a column besides the target', columnCount)
  if (!(scaleFloor > 0)) throw invalidOption('scaleFloor', '> 0', scaleFloor)
  requireRows('regression residual', matrix, 2)
  requireFinite('regression residual fit', matrix)
  const { centres: means, scales } = fitColumnScaler(matrix)
  const { inputs, targets } = standardisedInputs(matrix, target)
  const ridge = fitRidgeRegression(inputs, targets, { l2 })
  const coefficients = new Float64Array(columnCount)
  let intercept = ridge.intercept
  for (let column = 0, input = 0; column < columnCount; column++) {
    if (column === target) continue
    coefficients[column] = ridge.coefficients[input]! / scales[column]!
    intercept -= coefficients[column]! * means[column]!
    input++
  }
  const line = { target, intercept, coefficients }
  const residuals = new Float64Array(matrix.rowCount)
  for (let row = 0; row < matrix.rowCount; row++) {
    residuals[row] = residualOf(line, matrix.values, row * columnCount)
  }
  const spread = spreadOf(residuals, scaling, scaleFloor)
  return {
    kind: 'regression_residual',
    stateVersion: 1,
    columnNames: [...matrix.columnNames],
    ...line,
    means,
    residualCentre: spread.centre,
    residualScale: spread.scale,
  }
}

/**
 * Distance of each row's residual from the usual one, in residual scales; ≥ 0.
 * @throws COLUMN_MISMATCH, NOT_FINITE, SHAPE_MISMATCH
 * Cost O(cells).
 */
export function scoreRegressionResidual(
  model: RegressionResidual,
  matrix: FeatureMatrix,
  out?: Float64Array,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  const scores = outputFor(matrix, out)
  requireFinite('regression residual score', matrix)
  scoreResidualRows(model, matrix.values, 0, matrix.rowCount, scores)
  return scores
}

/**
 * Part of each column in the score: how far it moves the residual from where all columns are at
 * their training mean, signed so that the parts of a row sum to its score.
 * @returns rowIndices.length × columns, row-major
 * @throws as `scoreRegressionResidual`; INVALID_OPTION for an index outside the matrix
 */
export function explainRegressionResidual(
  model: RegressionResidual,
  matrix: FeatureMatrix,
  rowIndices: ArrayLike<number>,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  requireRowIndices(matrix, rowIndices)
  requireFiniteRows('regression residual explain', matrix, rowIndices)
  const { target, coefficients, means, residualScale } = model
  const columnCount = model.columnNames.length
  const parts = new Float64Array(rowIndices.length * columnCount)
  for (let i = 0; i < rowIndices.length; i++) {
    const cells = rowIndices[i]! * columnCount
    const signed = standardResidual(model, matrix.values, cells)
    const unit = (signed < 0 ? -1 : 1) / residualScale
    let rest = Math.abs(signed)
    for (let column = 0; column < columnCount; column++) {
      if (column === target) continue
      const part = -coefficients[column]! * (matrix.values[cells + column]! - means[column]!) * unit
      parts[i * columnCount + column] = part
      rest -= part
    }
    parts[i * columnCount + target] = rest
  }
  return parts
}

/** Scores rows [rowStart, rowEnd) into `out` at the same indices. Inputs were checked. */
export function scoreResidualRows(
  model: RegressionResidual,
  values: Float64Array,
  rowStart: number,
  rowEnd: number,
  out: Float64Array,
): void {
  const columnCount = model.columnNames.length
  for (let row = rowStart; row < rowEnd; row++) {
    out[row] = Math.abs(standardResidual(model, values, row * columnCount))
  }
}

/** Signed residual of the row at `values[cells…]`, centred and scaled. */
export function standardResidual(
  model: RegressionResidual,
  values: Float64Array,
  cells: number,
): number {
  return (residualOf(model, values, cells) - model.residualCentre) / model.residualScale
}

function residualOf(
  {
    target,
    intercept,
    coefficients,
  }: Pick<RegressionResidual, 'target' | 'intercept' | 'coefficients'>,
  values: Float64Array,
  cells: number,
): number {
  let residual = values[cells + target]! - intercept
  for (let column = 0; column < coefficients.length; column++) {
    if (column !== target) residual -= coefficients[column]! * values[cells + column]!
  }
  return residual
}

function standardisedInputs(
  matrix: FeatureMatrix,
  target: number,
): { readonly inputs: FeatureMatrix; readonly targets: Float64Array } {
  const columnCount = matrix.columnNames.length
  const inputNames = matrix.columnNames.filter((_, column) => column !== target)
  const raw = new Float64Array(matrix.rowCount * inputNames.length)
  const targets = new Float64Array(matrix.rowCount)
  for (let row = 0, at = 0; row < matrix.rowCount; row++) {
    for (let column = 0; column < columnCount; column++) {
      const value = matrix.values[row * columnCount + column]!
      if (column === target) targets[row] = value
      else raw[at++] = value
    }
  }
  const inputs = featureMatrix(raw, inputNames)
  const scaler = fitColumnScaler(inputs)
  for (let row = 0; row < matrix.rowCount; row++) {
    scaleRow(scaler, raw, row * inputNames.length, raw, row * inputNames.length)
  }
  return { inputs, targets }
}

function spreadOf(
  residuals: Float64Array,
  scaling: 'robust' | 'standard',
  floor: number,
): CentreAndScale {
  const count = residuals.length
  if (scaling === 'robust') {
    const spread = { centre: 0, scale: 1 }
    robustCentreAndScale(residuals, count, new Float64Array(count), floor, spread)
    return spread
  }
  let sum = 0
  for (let row = 0; row < count; row++) sum += residuals[row]!
  return { centre: sum / count, scale: Math.max(standardDeviation(residuals, count), floor) }
}
