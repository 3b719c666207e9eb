import {
  type FeatureMatrix,
  outputFor,
  requireColumns,
  requireFinite,
  requireRowIndices,
  selectRows,
} from '../feature-matrix.ts'
import { scaleRow } from '../statistics/column-scaler.ts'
import type { PrincipalComponentsModel, PrincipalStatistic } from './principal-components.ts'

/** Both statistics of monitored rows. */
export type PrincipalStatistics = {
  /** Hotelling's T²: Σ over components of coordinate² / variance, ≥ 0. */
  readonly t2: Float64Array
  /** Q or SPE: squared length of what the components do not explain, ≥ 0, in scaled units. */
  readonly q: Float64Array
}

/**
 * The model's statistic of each row: ≥ 0, higher is more abnormal; under 'combined' it is
 * T² / limit + Q / limit, so that 1 is the order of a single limit reached.
 * @throws COLUMN_MISMATCH, NOT_FINITE, SHAPE_MISMATCH
 * Cost O(rows · components · columns).
 */
export function scorePrincipalComponents(
  model: PrincipalComponentsModel,
  matrix: FeatureMatrix,
  out?: Float64Array,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  const scores = outputFor(matrix, out)
  requireFinite('principal components score', matrix)
  scorePrincipalRows(model, matrix.values, 0, matrix.rowCount, scores)
  return scores
}

/**
 * T² and Q of each row, to be compared with the model's `t2Limit` and `qLimit`.
 * @throws COLUMN_MISMATCH, NOT_FINITE
 */
export function principalStatistics(
  model: PrincipalComponentsModel,
  matrix: FeatureMatrix,
): PrincipalStatistics {
  requireColumns(model.columnNames, matrix)
  requireFinite('principal components score', matrix)
  const scratch = principalScratch(model)
  const t2 = new Float64Array(matrix.rowCount)
  const q = new Float64Array(matrix.rowCount)
  for (let row = 0; row < matrix.rowCount; row++) {
    splitRow(model, matrix.values, row * matrix.columnNames.length, scratch)
    t2[row] = hotelling(model, scratch)
    q[row] = squaredError(scratch)
  }
  return { t2, q }
}

/**
 * Coordinates of rows along the kept components; scikit-learn's `transform`.
 * @returns rowCount × componentCount, row-major
 * @throws COLUMN_MISMATCH, NOT_FINITE
 */
export function projectPrincipalComponents(
  model: PrincipalComponentsModel,
  matrix: FeatureMatrix,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  requireFinite('principal components projection', matrix)
  const scratch = principalScratch(model)
  const coordinates = new Float64Array(matrix.rowCount * model.componentCount)
  for (let row = 0; row < matrix.rowCount; row++) {
    splitRow(model, matrix.values, row * matrix.columnNames.length, scratch)
    coordinates.set(scratch.coordinates, row * model.componentCount)
  }
  return coordinates
}

/**
 * Exact parts of a statistic: for Q the squared residual of each column, ≥ 0; for T² the complete
 * decomposition x_j · (P Λ⁻¹ Pᵀ x)_j, which may be negative where a column makes the row less
 * unusual; for 'combined' both in units of their limits. A row's parts sum to its statistic.
 * @param statistic default the model's
 * @returns rowIndices.length × columns, row-major
 * @throws as `scorePrincipalComponents`; INVALID_OPTION for an index outside the matrix
 * Source: Alcala & Qin 2009 for the decompositions.
 */
export function explainPrincipalComponents(
  model: PrincipalComponentsModel,
  matrix: FeatureMatrix,
  rowIndices: ArrayLike<number>,
  statistic: PrincipalStatistic = model.statistic,
): Float64Array {
  requireColumns(model.columnNames, matrix)
  requireRowIndices(matrix, rowIndices)
  const rows = selectRows(matrix, rowIndices)
  requireFinite('principal components explain', rows)
  const columnCount = matrix.columnNames.length
  const { components, variances, componentCount } = model
  const t2Unit = statistic === 'q' ? 0 : statistic === 't2' ? 1 : 1 / model.t2Limit
  const qUnit = statistic === 't2' ? 0 : statistic === 'q' ? 1 : 1 / model.qLimit
  const scratch = principalScratch(model)
  const contributions = new Float64Array(rows.values.length)
  for (let row = 0; row < rows.rowCount; row++) {
    splitRow(model, rows.values, row * columnCount, scratch)
    const { centred, coordinates, residual } = scratch
    for (let column = 0; column < columnCount; column++) {
      let weighted = 0
      for (let a = 0; a < componentCount; a++) {
        weighted += (components[a * columnCount + column]! * coordinates[a]!) / variances[a]!
      }
      contributions[row * columnCount + column] =
        t2Unit * centred[column]! * weighted + qUnit * residual[column]! * residual[column]!
    }
  }
  return contributions
}

/** Scores rows [rowStart, rowEnd) into `out` at the same indices. Inputs were checked. */
export function scorePrincipalRows(
  model: PrincipalComponentsModel,
  values: Float64Array,
  rowStart: number,
  rowEnd: number,
  out: Float64Array,
): void {
  const { statistic, t2Limit, qLimit } = model
  const columnCount = model.columnNames.length
  const scratch = principalScratch(model)
  for (let row = rowStart; row < rowEnd; row++) {
    splitRow(model, values, row * columnCount, scratch)
    if (statistic === 't2') out[row] = hotelling(model, scratch)
    else if (statistic === 'q') out[row] = squaredError(scratch)
    else out[row] = hotelling(model, scratch) / t2Limit + squaredError(scratch) / qLimit
  }
}

/** One row as coordinates along the components, and what they leave unexplained. */
type PrincipalScratch = {
  readonly centred: Float64Array
  readonly coordinates: Float64Array
  readonly residual: Float64Array
}

function principalScratch(model: PrincipalComponentsModel): PrincipalScratch {
  const columnCount = model.columnNames.length
  return {
    centred: new Float64Array(columnCount),
    coordinates: new Float64Array(model.componentCount),
    residual: new Float64Array(columnCount),
  }
}

function splitRow(
  { scaler, means, components, componentCount }: PrincipalComponentsModel,
  values: Float64Array,
  cells: number,
  { centred, coordinates, residual }: PrincipalScratch,
): void {
  const columnCount = means.length
  scaleRow(scaler, values, cells, centred, 0)
  for (let column = 0; column < columnCount; column++) {
    centred[column] = centred[column]! - means[column]!
    residual[column] = centred[column]!
  }
  for (let a = 0; a < componentCount; a++) {
    const first = a * columnCount
    let coordinate = 0
    for (let column = 0; column < columnCount; column++) {
      coordinate += components[first + column]! * centred[column]!
    }
    coordinates[a] = coordinate
    for (let column = 0; column < columnCount; column++) {
      residual[column] = residual[column]! - coordinate * components[first + column]!
    }
  }
}

function hotelling(
  { variances }: PrincipalComponentsModel,
  { coordinates }: PrincipalScratch,
): number {
  let sum = 0
  for (let a = 0; a < variances.length; a++) {
    sum += (coordinates[a]! * coordinates[a]!) / variances[a]!
  }
  return sum
}

function squaredError({ residual }: PrincipalScratch): number {
  let sum = 0
  for (let column = 0; column < residual.length; column++) {
    sum += residual[column]! * residual[column]!
  }
  return sum
}
