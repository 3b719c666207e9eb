import type { ScaleFloors } from '../baseline/group-statistics.ts'
import { invalidOption } from '../errors.ts'
import { type FeatureMatrix, requireRows } from '../feature-matrix.ts'
import {
  type ColumnScaler,
  fitColumnScaler,
  type ScalingMethod,
  scaleColumns,
} from '../statistics/column-scaler.ts'
import { symmetricEigen } from '../statistics/symmetric-eigen.ts'
import { covariance } from '../statistics/whitening.ts'
import { controlLimits } from './control-limits.ts'

/** Variances below this share of the largest are rounding, not a direction of the data. */
const RANK_TOLERANCE = 1e-10

/** What the score of a row is. */
export type PrincipalStatistic =
  /** Hotelling's T²: unusual within the relations the columns keep. */
  | 't2'
  /** Q, the squared prediction error (SPE): a broken relation. */
  | 'q'
  /** T² and Q, each in units of its control limit, added. */
  | 'combined'

/** Options of principal component monitoring. */
export type PrincipalComponentsOptions = {
  /** Components kept; fewer where the data have fewer directions. Default by `explainedShare`. */
  readonly componentCount?: number
  /** Keep the fewest components whose share of the variance exceeds this; default 0.9. */
  readonly explainedShare?: number
  /** Default 'combined': Q alone misses large ordinary moves, T² alone broken relations. */
  readonly statistic?: PrincipalStatistic
  /** Probability under which the control limits hold for normal data; default 0.99. */
  readonly limitProbability?: number
  /** How columns are brought to one unit; default 'standard' (correlations decide). */
  readonly scaling?: ScalingMethod
  /** Smallest scale per column, in its unit. */
  readonly floors?: ScaleFloors
}

/** Learned state of principal component monitoring. Plain data. */
export type PrincipalComponentsModel = {
  readonly kind: 'principal_components'
  readonly stateVersion: 1
  readonly columnNames: readonly string[]
  readonly statistic: PrincipalStatistic
  readonly trainingRowCount: number
  readonly scaler: ColumnScaler
  /** Mean of each scaled column. */
  readonly means: Float64Array
  readonly componentCount: number
  /** componentCount × columns, row-major, orthonormal; largest entry of each positive. */
  readonly components: Float64Array
  /** Variance (divided by n − 1) along each kept component, falling. */
  readonly variances: Float64Array
  /** Variances along all directions, as many as columns, falling. */
  readonly allVariances: Float64Array
  /** Control limit of T² and of Q. */
  readonly t2Limit: number
  readonly qLimit: number
}

/**
 * Learns the few directions in which healthy rows vary together. A new row is unusual if it lies
 * far out along them (T²) or off them (Q): the classical monitor of plants with many correlated
 * sensors.
 * @param matrix rowCount × columns, unscaled, no NaN and no infinite value
 * @throws TOO_FEW_ROWS with fewer than 2 rows, NOT_FINITE, INVALID_OPTION
 * Cost O(rows · columns² + 10 · columns³). Memory: one scaled copy of the rows.
 * Source: Jackson & Mudholkar 1979; Kresta, MacGregor & Marlin 1991; combined statistic after
 * Yue & Qin 2001. With `scaling: 'none'`, components and variances equal scikit-learn's PCA, with
 * its sign convention since 1.5: the entry of largest size is positive.
 */
export function fitPrincipalComponents(
  matrix: FeatureMatrix,
  options: PrincipalComponentsOptions = {},
): PrincipalComponentsModel {
  const { scaling = 'standard', floors = {}, statistic = 'combined' } = options
  const { limitProbability = 0.99 } = options
  if (!(limitProbability > 0.5 && limitProbability < 1)) {
    throw invalidOption('limitProbability', 'in (0.5, 1)', limitProbability)
  }
  if (!['t2', 'q', 'combined'].includes(statistic)) {
    throw invalidOption('statistic', "'t2', 'q' or 'combined'", statistic)
  }
  requireRows('principal components', matrix, 2)
  const columnCount = matrix.columnNames.length
  const { rowCount } = matrix
  const scaler = fitColumnScaler(matrix, { method: scaling, floors })
  const scaled = scaleColumns(scaler, matrix)
  const { eigenvalues, eigenvectors } = symmetricEigen(covariance(scaled, columnCount), columnCount)
  const allVariances = eigenvalues.map((value) => Math.max(0, value) * (rowCount / (rowCount - 1)))
  const componentCount = countComponents(allVariances, options)
  const { t2Limit, qLimit } = controlLimits(allVariances, componentCount, limitProbability)
  return {
    kind: 'principal_components',
    stateVersion: 1,
    columnNames: [...matrix.columnNames],
    statistic,
    trainingRowCount: rowCount,
    scaler,
    means: columnMeans(scaled, columnCount),
    componentCount,
    components: eigenvectors.slice(0, componentCount * columnCount),
    variances: allVariances.slice(0, componentCount),
    allVariances,
    t2Limit,
    qLimit,
  }
}

function countComponents(variances: Float64Array, options: PrincipalComponentsOptions): number {
  const { componentCount, explainedShare = 0.9 } = options
  if (!(explainedShare > 0 && explainedShare <= 1)) {
    throw invalidOption('explainedShare', 'in (0, 1]', explainedShare)
  }
  const rank = variances.filter((variance) => variance > variances[0]! * RANK_TOLERANCE).length
  if (componentCount !== undefined) {
    if (!Number.isInteger(componentCount) || componentCount < 1) {
      throw invalidOption('componentCount', 'an integer ≥ 1', componentCount)
    }
    return Math.min(componentCount, rank)
  }
  const total = variances.reduce((sum, variance) => sum + variance, 0)
  let explained = 0
  for (let count = 1; count <= rank; count++) {
    explained += variances[count - 1]!
    if (explained > explainedShare * total) return count
  }
  return rank
}

function columnMeans(values: Float64Array, columnCount: number): Float64Array {
  const means = new Float64Array(columnCount)
  for (let cells = 0; cells < values.length; cells += columnCount) {
    for (let d = 0; d < columnCount; d++) means[d] = means[d]! + values[cells + d]!
  }
  const rowCount = values.length / columnCount
  return means.map((sum) => sum / rowCount)
}
