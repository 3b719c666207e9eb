import { invalidOption, shapeMismatch } from '../errors.ts'
import {
  type FeatureMatrix,
  requireColumns,
  requireFinite,
  requireRows,
} from '../feature-matrix.ts'
import {
  combinedWeights,
  type RowWeighting,
  requireTarget,
  type SupervisedTarget,
} from '../validation/supervised-target.ts'
import { choleskyInPlace, solveCholesky } from './cholesky.ts'
import { binaryLoss, type LogisticProblem, softmaxLoss } from './logistic-loss.ts'
import { linkMargins } from './margin-link.ts'
import { minimiseConvex, noMinimum } from './newton.ts'
import { centredMatrix, weightedMeans, weightedScales } from './weighted-gram.ts'

/** Labels of two or more classes. */
export type ClassTarget = Exclude<SupervisedTarget, { readonly kind: 'regression' }>

/** Options of a logistic regression. */
export type LogisticOptions = RowWeighting & {
  /** Penalty ½ · l2 · Σ coefficient², intercepts left out; 1/C of scikit-learn. Default 1. */
  readonly l2?: number
  /**
   * What is penalised: coefficients per standard deviation of the column (`'standard'`, default:
   * no column's unit matters), or as they stand (`'none'`, as scikit-learn on the same matrix).
   */
  readonly scaling?: 'standard' | 'none'
}

/** Learned state of a logistic regression. Plain data. */
export type LogisticRegression = {
  readonly kind: 'logistic_regression'
  readonly stateVersion: 1
  readonly columnNames: readonly string[]
  /** 1 for two classes: the log-odds of class 1; else one softmax logit per class. */
  readonly outputCount: number
  readonly l2: number
  readonly intercepts: Float64Array
  /** outputCount × columns, per unit of the column. */
  readonly coefficients: Float64Array
  /** Weighted mean of each column in training: where contributions are 0. */
  readonly means: Float64Array
}

/** Mean log loss that rows of classes which overlap never have. */
const SEPARATED_LOSS = 1e-9

/**
 * Fits a logistic regression (softmax for several classes) with L2 penalty to the last digit.
 * @param matrix rowCount × columns, any unit, no NaN and no infinite value
 * @throws TOO_FEW_ROWS, NOT_FINITE, SHAPE_MISMATCH, ONE_CLASS, INVALID_OPTION; NOT_CONVERGED without
 *   penalty where classes can be separated or columns determine each other
 * Cost about ten times O(rows · (columns · outputs)² / 2), one copy of the values.
 * Source: Newton's method; the minimum is that of scikit-learn's LogisticRegression(C = 1/l2).
 */
export function fitLogisticRegression(
  matrix: FeatureMatrix,
  target: ClassTarget,
  options: LogisticOptions = {},
): LogisticRegression {
  const { l2 = 1 } = options
  const { problem, means, scales } = logisticProblem(matrix, target, options)
  const outputCount = target.kind === 'binary' ? 1 : target.classCount
  const loss = outputCount === 1 ? binaryLoss(problem) : softmaxLoss(problem, outputCount)
  const parameters = new Float64Array(loss.size)
  minimiseConvex('logistic regression', loss, parameters)
  // Without penalty only separable classes bring the loss to 0, with coefficients that go to ∞.
  if (l2 === 0 && loss.value(parameters) < SEPARATED_LOSS * problem.weights.length) {
    throw noMinimum('logistic regression')
  }
  const columnCount = matrix.columnNames.length
  const coefficients = new Float64Array(outputCount * columnCount)
  const intercepts = new Float64Array(outputCount)
  for (let output = 0; output < outputCount; output++) {
    const at = output * (columnCount + 1)
    let intercept = parameters[at + columnCount]!
    for (let c = 0; c < columnCount; c++) {
      const coefficient = parameters[at + c]! / scales[c]!
      coefficients[output * columnCount + c] = coefficient
      intercept -= coefficient * means[c]!
    }
    intercepts[output] = intercept
  }
  return {
    kind: 'logistic_regression',
    stateVersion: 1,
    columnNames: [...matrix.columnNames],
    outputCount,
    l2,
    intercepts,
    coefficients,
    means,
  }
}

/**
 * Margins of each row: log-odds of class 1, or one softmax logit per class.
 * @param out receives rowCount × outputCount margins, row-major; default a new array
 * @throws COLUMN_MISMATCH, NOT_FINITE, SHAPE_MISMATCH
 * Cost O(cells · outputs).
 */
export function logisticMargins(
  model: LogisticRegression,
  matrix: FeatureMatrix,
  out?: Float64Array,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  requireFinite('logistic regression predict', matrix)
  const margins = out ?? new Float64Array(matrix.rowCount * model.outputCount)
  if (margins.length !== matrix.rowCount * model.outputCount) {
    throw shapeMismatch('out.length', matrix.rowCount * model.outputCount, margins.length)
  }
  writeLogisticMargins(model, matrix.values, 0, matrix.rowCount, margins)
  return margins
}

/**
 * Probability of class 1, or of every class, per row.
 * @param out receives rowCount × outputCount probabilities, row-major; default a new array
 * @throws and cost as `logisticMargins`
 */
export function predictLogisticRegression(
  model: LogisticRegression,
  matrix: FeatureMatrix,
  out?: Float64Array,
): Float64Array {
  const probabilities = logisticMargins(model, matrix, out)
  linkMargins(model.outputCount, probabilities, 0, matrix.rowCount)
  return probabilities
}

/** Margins of rows [rowStart, rowEnd) of checked values, at the same rows of `margins`. */
export function writeLogisticMargins(
  { columnNames, outputCount, intercepts, coefficients }: LogisticRegression,
  values: Float64Array,
  rowStart: number,
  rowEnd: number,
  margins: Float64Array,
): void {
  const columnCount = columnNames.length
  for (let row = rowStart; row < rowEnd; row++) {
    const cells = row * columnCount
    for (let output = 0; output < outputCount; output++) {
      let margin = intercepts[output]!
      for (let c = 0; c < columnCount; c++) {
        margin += coefficients[output * columnCount + c]! * values[cells + c]!
      }
      margins[row * outputCount + output] = margin
    }
  }
}

/** Uncertainty of a two-class model's parameters. */
export type LogisticErrors = {
  /** Standard error of each coefficient, per unit of the column. */
  readonly coefficients: Float64Array
  readonly intercept: number
}

/**
 * Standard errors of a two-class model from the curvature of its loss at the minimum. Without
 * penalty and with plain weights these are the textbook's (statsmodels `Logit.bse`); with a
 * penalty they are those of the penalised curvature, and too small as confidence.
 * @param matrix, target, options those of the fit
 * @throws as `fitLogisticRegression`; INVALID_OPTION for a model of several classes
 * Cost O(rows · columns²) once.
 */
export function logisticStandardErrors(
  model: LogisticRegression,
  matrix: FeatureMatrix,
  target: ClassTarget,
  options: LogisticOptions = {},
): LogisticErrors {
  if (model.outputCount !== 1) throw invalidOption('model', 'of two classes', model.outputCount)
  requireColumns(model.columnNames, matrix)
  const { problem, means, scales } = logisticProblem(matrix, target, options)
  const columnCount = means.length
  const size = columnCount + 1
  const parameters = new Float64Array(size)
  let margin = model.intercepts[0]!
  for (let c = 0; c < columnCount; c++) {
    parameters[c] = model.coefficients[c]! * scales[c]!
    margin += model.coefficients[c]! * means[c]!
  }
  parameters[columnCount] = margin
  const hessian = new Float64Array(size * size)
  binaryLoss(problem).derivatives(parameters, new Float64Array(size), hessian)
  if (!choleskyInPlace(hessian, size)) {
    throw invalidOption('matrix', 'columns that do not determine each other', 'dependent columns')
  }
  const errorOf = (direction: Float64Array) => {
    const solved = direction.slice()
    solveCholesky(hessian, size, solved)
    return Math.sqrt(solved.reduce((sum, value, i) => sum + value * direction[i]!, 0))
  }
  // A raw parameter is a linear form of the scaled ones; its variance is the form's.
  const atOrigin = Float64Array.from({ length: size }, (_, c) =>
    c < columnCount ? -means[c]! / scales[c]! : 1,
  )
  const coefficients = scales.map((scale, c) => errorOf(unit(size, c)) / scale)
  return { coefficients, intercept: errorOf(atOrigin) }
}

function logisticProblem(
  matrix: FeatureMatrix,
  target: ClassTarget,
  options: LogisticOptions,
): { problem: LogisticProblem; means: Float64Array; scales: Float64Array } {
  const { l2 = 1, scaling = 'standard' } = options
  if (!(l2 >= 0 && l2 < Number.POSITIVE_INFINITY)) {
    throw invalidOption('l2', 'a finite number ≥ 0', l2)
  }
  if (scaling !== 'standard' && scaling !== 'none') {
    throw invalidOption('scaling', "'standard' or 'none'", scaling)
  }
  requireRows('logistic regression', matrix)
  requireFinite('logistic regression fit', matrix)
  requireTarget(target, matrix.rowCount)
  const weights = combinedWeights(target, matrix.rowCount, options)
  const means = weightedMeans(matrix, weights)
  const scales = weightedScales(matrix, weights, means)
  const centred = centredMatrix(matrix, means, scales)
  const penalties = scales.map((scale) => (scaling === 'standard' ? l2 : l2 / (scale * scale)))
  return { problem: { matrix: centred, labels: target.labels, weights, penalties }, means, scales }
}

function unit(size: number, index: number): Float64Array {
  const vector = new Float64Array(size)
  vector[index] = 1
  return vector
}
