import { AnomalyError, invalidOption } from '../errors.ts'
import {
  type FeatureMatrix,
  outputFor,
  requireColumns,
  requireFinite,
  requireRows,
} from '../feature-matrix.ts'
import type { ModelState } from '../model-file/model-file.ts'
import {
  readColumnNames,
  readFloats,
  readLiteral,
  readNumber,
  readObject,
} from '../model-file/model-state-reader.ts'
import { combinedWeights, requireTarget } from '../validation/supervised-target.ts'
import { choleskyInPlace, solveCholesky } from './cholesky.ts'
import { addWeightedGram, centredMatrix, weightedMeans } from './weighted-gram.ts'

/** Options of a ridge regression. */
export type RidgeOptions = {
  /**
   * α: penalty on the squared coefficients, in the units of Σ residual², as scikit-learn's
   * `Ridge(alpha)`. Default 1; 0 is least squares. The intercept is not penalised. Coefficients of
   * unscaled columns are penalised unequally: scale first where that matters.
   */
  readonly l2?: number
  /** Without an intercept the plane passes through the origin. Default true. */
  readonly hasIntercept?: boolean
  /** One weight ≥ 0 per row, default 1. */
  readonly rowWeights?: ArrayLike<number>
}

/** Learned state of a linear regression: value = intercept + Σ coefficient · cell. Plain data. */
export type RidgeRegression = {
  readonly kind: 'ridge_regression'
  readonly stateVersion: 1
  readonly columnNames: readonly string[]
  readonly l2: number
  readonly intercept: number
  /** In units of the target per unit of the column. */
  readonly coefficients: Float64Array
  /** Weighted mean of each column in training: where contributions are 0. */
  readonly means: Float64Array
}

/**
 * Fits a linear regression with L2 penalty in closed form.
 * @param matrix rowCount × columns, no NaN and no infinite value
 * @param targets one finite value per row
 * @throws TOO_FEW_ROWS, NOT_FINITE, SHAPE_MISMATCH, INVALID_OPTION; NOT_CONVERGED if columns
 *   determine each other and l2 is 0
 * Cost O(rows · columns² / 2 + columns³ / 3), one copy of the values.
 * Source: Hoerl & Kennard 1970; normal equations on centred columns by Cholesky factors.
 */
export function fitRidgeRegression(
  matrix: FeatureMatrix,
  targets: ArrayLike<number>,
  options: RidgeOptions = {},
): RidgeRegression {
  const { l2 = 1, hasIntercept = true, rowWeights } = options
  if (!(l2 >= 0 && l2 < Number.POSITIVE_INFINITY)) {
    throw invalidOption('l2', 'a finite number ≥ 0', l2)
  }
  requireRows('ridge regression', matrix)
  requireFinite('ridge regression fit', matrix)
  const target = { kind: 'regression', values: targets } as const
  requireTarget(target, matrix.rowCount)
  const weights = combinedWeights(
    target,
    matrix.rowCount,
    rowWeights === undefined ? {} : { rowWeights },
  )
  const size = matrix.columnNames.length
  const means = weightedMeans(matrix, weights)
  const centres = hasIntercept ? means : new Float64Array(size)
  const centred = centredMatrix(matrix, centres, new Float64Array(size).fill(1))
  const targetMean = hasIntercept ? weightedMeanOf(targets, weights) : 0
  const coefficients = momentsWithTarget(centred, targets, targetMean, weights)
  const gram = new Float64Array(size * size)
  addWeightedGram(centred, weights, gram)
  for (let c = 0; c < size; c++) gram[c * size + c] = gram[c * size + c]! + l2
  solveScaled(gram, size, coefficients)
  let intercept = targetMean
  for (let c = 0; c < size; c++) intercept -= coefficients[c]! * centres[c]!
  const columnNames = [...matrix.columnNames]
  return {
    kind: 'ridge_regression',
    stateVersion: 1,
    columnNames,
    l2,
    intercept,
    coefficients,
    means,
  }
}

/**
 * Predicted value of each row.
 * @param out receives rowCount values; default a new array
 * @throws COLUMN_MISMATCH, NOT_FINITE, SHAPE_MISMATCH
 * Cost O(cells).
 */
export function predictRidgeRegression(
  { columnNames, intercept, coefficients }: RidgeRegression,
  matrix: FeatureMatrix,
  out?: Float64Array,
): Float64Array {
  requireColumns(columnNames, matrix)
  const predictions = outputFor(matrix, out)
  requireFinite('ridge regression predict', matrix)
  const size = coefficients.length
  for (let row = 0; row < matrix.rowCount; row++) {
    let value = intercept
    for (let c = 0; c < size; c++) value += coefficients[c]! * matrix.values[row * size + c]!
    predictions[row] = value
  }
  return predictions
}

/**
 * Turns decoded data into a ridge regression.
 * @throws MODEL_FILE_INVALID naming the field
 */
export function parseRidgeRegression(value: ModelState): RidgeRegression {
  const state = readObject(value, 'ridge regression')
  const columnNames = readColumnNames(state)
  return {
    kind: readLiteral(state, 'kind', ['ridge_regression']),
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    l2: readNumber(state, 'l2'),
    intercept: readNumber(state, 'intercept'),
    coefficients: readFloats(state, 'coefficients', columnNames.length),
    means: readFloats(state, 'means', columnNames.length),
  }
}

function weightedMeanOf(values: ArrayLike<number>, weights: Float64Array): number {
  let sum = 0
  let total = 0
  for (let row = 0; row < weights.length; row++) {
    sum += weights[row]! * values[row]!
    total += weights[row]!
  }
  return sum / total
}

/** Σ_rows w · x · (y − mean) per column. */
function momentsWithTarget(
  { values, rowCount, columnNames }: FeatureMatrix,
  targets: ArrayLike<number>,
  targetMean: number,
  weights: Float64Array,
): Float64Array {
  const size = columnNames.length
  const moments = new Float64Array(size)
  for (let row = 0; row < rowCount; row++) {
    const difference = weights[row]! * (targets[row]! - targetMean)
    for (let c = 0; c < size; c++) {
      moments[c] = moments[c]! + difference * values[row * size + c]!
    }
  }
  return moments
}

/** Solves gram · x = vector in place, with columns brought to unit length first for accuracy. */
function solveScaled(gram: Float64Array, size: number, vector: Float64Array): void {
  const lengths = new Float64Array(size)
  for (let c = 0; c < size; c++) lengths[c] = Math.sqrt(gram[c * size + c]!) || 1
  for (let row = 0; row < size; row++) {
    for (let c = 0; c <= row; c++) {
      gram[row * size + c] = gram[row * size + c]! / (lengths[row]! * lengths[c]!)
    }
    vector[row] = vector[row]! / lengths[row]!
  }
  if (!choleskyInPlace(gram, size)) {
    throw new AnomalyError(
      'NOT_CONVERGED',
      'ridge regression: a column is constant or determined by others; drop it or set l2 above 0',
      { columnCount: size },
    )
  }
  solveCholesky(gram, size, vector)
  for (let c = 0; c < size; c++) vector[c] = vector[c]! / lengths[c]!
}
