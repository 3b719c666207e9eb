import {
  type FeatureMatrix,
  featureMatrix,
  outputFor,
  requireColumns,
  requireFinite,
  requireRowIndices,
  selectRows,
} from '../feature-matrix.ts'
import {
  fitLocalOutlierFactor,
  type LocalOutlierFactorModel,
} from '../neighbours/local-outlier-factor.ts'
import {
  explainLocalOutlierFactor,
  scoreFactorRows,
} from '../neighbours/local-outlier-factor-score.ts'
import { type ColumnScaler, fitColumnScaler, scaleRow } from '../statistics/column-scaler.ts'
import {
  fitRegressionResidual,
  type RegressionResidual,
  standardResidual,
} from './regression-residual.ts'

/** Options of the local outlier factor on a regression residual. */
export type RegressionLofOptions = {
  /** Column to be explained by all others. */
  readonly target: string
  /** As in `fitRegressionResidual`, default 0.001; 0 is plain linear regression. */
  readonly l2?: number
  /** Neighbours, default 20. */
  readonly neighbourCount?: number
  /** Reference rows kept, drawn with the seed; default as of the local outlier factor. */
  readonly maxReferenceRows?: number
  /** Default 42. */
  readonly seed?: number
}

/** Learned state: a regression, a scaler and the neighbours of both. Plain data. */
export type RegressionLof = {
  readonly kind: 'regression_lof'
  readonly stateVersion: 1
  readonly columnNames: readonly string[]
  readonly regression: RegressionResidual
  readonly scaler: ColumnScaler
  /** On the standardised residual, then the scaled columns. */
  readonly factor: LocalOutlierFactorModel
}

/**
 * Learns a linear regression of one column on the others, and local densities of its standardised
 * residual beside all columns (mean 0, population standard deviation 1): unexplained, and unlike
 * the rows of the same surroundings.
 * @throws TOO_FEW_ROWS with fewer than two rows, NOT_FINITE, INVALID_OPTION, NOT_CONVERGED
 * Cost as `fitLocalOutlierFactor`. Source: HEA-27 (`LR_LOF`); with l2 0 equal to scikit-learn's
 * `LinearRegression` and `LocalOutlierFactor(novelty=True)`.
 */
export function fitRegressionLof(
  matrix: FeatureMatrix,
  options: RegressionLofOptions,
): RegressionLof {
  const { target, l2 = 0.001, ...reference } = options
  const regression = fitRegressionResidual(matrix, { target, l2, scaling: 'standard' })
  const scaler = fitColumnScaler(matrix)
  const widened = widenedRows(regression, scaler, matrix.values, 0, matrix.rowCount)
  const names = [`residual of ${target}`, ...matrix.columnNames]
  const factor = fitLocalOutlierFactor(featureMatrix(widened, names), {
    ...reference,
    scaling: 'none',
  })
  return {
    kind: 'regression_lof',
    stateVersion: 1,
    columnNames: [...matrix.columnNames],
    regression,
    scaler,
    factor,
  }
}

/**
 * Local outlier factor of each row: > 0, about 1 for usual rows. Rises with abnormality.
 * @throws COLUMN_MISMATCH, NOT_FINITE, SHAPE_MISMATCH
 * Cost as `scoreLocalOutlierFactor`.
 */
export function scoreRegressionLof(
  model: RegressionLof,
  matrix: FeatureMatrix,
  out?: Float64Array,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  const scores = outputFor(matrix, out)
  requireFinite('regression lof score', matrix)
  scoreRegressionLofRows(model, matrix.values, 0, matrix.rowCount, scores)
  return scores
}

/** Scores rows [rowStart, rowEnd) into `out` at the same indices. Inputs were checked. */
export function scoreRegressionLofRows(
  model: RegressionLof,
  values: Float64Array,
  rowStart: number,
  rowEnd: number,
  out: Float64Array,
): void {
  const widened = widenedRows(model.regression, model.scaler, values, rowStart, rowEnd)
  const scores = new Float64Array(rowEnd - rowStart)
  scoreFactorRows(model.factor, widened, 0, scores.length, scores)
  out.set(scores, rowStart)
}

/**
 * Part of each column in the score, ≥ 0, summing to it: the factor's contributions, with those of
 * the residual added to the target.
 * @returns rowIndices.length × columns, row-major
 * @throws as `scoreRegressionLof`; INVALID_OPTION for an index outside the matrix
 */
export function explainRegressionLof(
  model: RegressionLof,
  matrix: FeatureMatrix,
  rowIndices: ArrayLike<number>,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  requireRowIndices(matrix, rowIndices)
  const rows = selectRows(matrix, rowIndices)
  requireFinite('regression lof explain', rows)
  const { regression, scaler, factor } = model
  const widened = widenedRows(regression, scaler, rows.values, 0, rows.rowCount)
  const every = Uint32Array.from({ length: rows.rowCount }, (_, row) => row)
  const wide = explainLocalOutlierFactor(factor, featureMatrix(widened, factor.columnNames), every)
  const columnCount = model.columnNames.length
  const parts = new Float64Array(rows.values.length)
  for (let row = 0; row < rows.rowCount; row++) {
    const start = row * (columnCount + 1)
    for (let column = 0; column < columnCount; column++) {
      parts[row * columnCount + column] = wide[start + 1 + column]!
    }
    const at = row * columnCount + regression.target
    parts[at] = parts[at]! + wide[start]!
  }
  return parts
}

/** Rows of [standardised residual, scaled columns]. */
function widenedRows(
  regression: RegressionResidual,
  scaler: ColumnScaler,
  values: Float64Array,
  rowStart: number,
  rowEnd: number,
): Float64Array {
  const columnCount = regression.columnNames.length
  const widened = new Float64Array((rowEnd - rowStart) * (columnCount + 1))
  for (let row = rowStart, at = 0; row < rowEnd; row++, at += columnCount + 1) {
    widened[at] = standardResidual(regression, values, row * columnCount)
    scaleRow(scaler, values, row * columnCount, widened, at + 1)
  }
  return widened
}
