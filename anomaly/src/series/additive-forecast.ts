import { AnomalyError, invalidOption, shapeMismatch, tooFewRows } from '../errors.ts'
import { choleskyInPlace, solveCholesky } from '../linear/cholesky.ts'
import { quantile } from '../statistics/quantile.ts'
import { standardDeviation } from '../statistics/robust-scale.ts'
import {
  type AdditiveDesign,
  type DesignColumn,
  type FourierSeason,
  fillDesignRow,
  type Holiday,
  type Regressors,
  requireRegressors,
} from './additive-design.ts'

const DAY_MS = 86_400_000
/** Rounds in which noise and coefficients are fitted in turn; they settle within three or four. */
const NOISE_ROUNDS = 5
/** Scale of level and slope, with the series in units of its largest size: Prophet's priors. */
const TREND_PRIOR_SCALE = 5

/** Options of the additive forecast. Prior scales are in units of the largest |value|. */
export type AdditiveOptions = {
  /** Default daily (order 4) and weekly (order 3). */
  readonly seasons?: readonly FourierSeason[]
  readonly holidays?: readonly Holiday[]
  /** Columns known for past and future, such as outside temperature. */
  readonly regressors?: Regressors
  /** Places where the slope may change, evenly spread; default 10. */
  readonly changePointCount?: number
  /** Share of the training span, from its start, that holds them; default 0.8. */
  readonly changePointRange?: number
  /** Prior scale of a change of slope, default 0.05: smaller makes a stiffer trend. */
  readonly changePointScale?: number
  /** Prior scale of seasons, holidays and regressors, default 10: hardly held back. */
  readonly seasonScale?: number
  /** Share of training values inside the interval, default 0.8. */
  readonly intervalWidth?: number
}

/** Learned state. Plain data. */
export type AdditiveModel = {
  readonly kind: 'additive_forecast'
  readonly stateVersion: 1
  readonly design: AdditiveDesign
  /** Per design column, in the value's unit. */
  readonly coefficients: Float64Array
  /** Half width of the interval from noise alone, in the value's unit; > 0. */
  readonly noiseHalfWidth: number
  readonly intervalWidth: number
  /** Mean |change of slope| per change-point, in the value's unit per training span. */
  readonly slopeChangeScale: number
}

/**
 * Fits value = trend + seasons + holidays + regressors + noise by regularised least squares: the
 * Gaussian posterior mode with the noise estimated from the data. The trend is a line whose slope
 * may change at fixed places; the changes have a ridge prior (Prophet's is Laplace: sparser, and
 * needs an optimiser; the fitted curve hardly differs).
 * @param times milliseconds, ascending
 * @param values any unit; NaN = missing, left out
 * @throws TOO_FEW_ROWS with fewer than two present values, SHAPE_MISMATCH, NOT_FINITE,
 *   INVALID_OPTION
 * Cost O(rows · columns² + columns³). Source: Taylor & Letham 2018; defaults of HEA-29.
 */
export function fitAdditiveForecast(
  times: Float64Array,
  values: Float64Array,
  options: AdditiveOptions = {},
): AdditiveModel {
  const { intervalWidth = 0.8, regressors = {} } = options
  if (!(intervalWidth > 0 && intervalWidth < 1)) {
    throw invalidOption('intervalWidth', 'in (0, 1)', intervalWidth)
  }
  requireTimes(times, values)
  const rows = presentRows(values)
  const design = createDesign(times, rows, options)
  requireRegressors(design.regressorNames, regressors, times.length)
  let largest = 0
  for (const row of rows) largest = Math.max(largest, Math.abs(values[row]!))
  const unit = largest > 0 ? largest : 1
  const columnCount = design.columns.length
  const { gram, moments } = normalEquations(design, times, values, rows, regressors, unit)
  let noise = 0.5
  let scaled = new Float64Array(columnCount)
  const residuals = new Float64Array(rows.length)
  for (let round = 0; round < NOISE_ROUNDS; round++) {
    scaled = solvePosterior(gram, moments, design.columns, noise)
    fillResiduals(design, times, values, rows, regressors, scaled, unit, residuals)
    const squares = residuals.reduce((sum, residual) => sum + residual * residual, 0)
    // A noiseless series would make the priors vanish and the equations singular.
    noise = Math.max(Math.sqrt(squares / rows.length), 1e-6)
  }
  const coefficients = scaled.map((coefficient) => coefficient * unit)
  const halfWidth = quantile(residuals.map(Math.abs), intervalWidth) * unit
  let slopeChange = 0
  const { changePoints } = design
  for (let i = 0; i < changePoints.length; i++) slopeChange += Math.abs(coefficients[2 + i]!)
  return {
    kind: 'additive_forecast',
    stateVersion: 1,
    design,
    coefficients,
    noiseHalfWidth: Math.max(halfWidth, 1e-9 * unit),
    intervalWidth,
    slopeChangeScale: changePoints.length > 0 ? slopeChange / changePoints.length : 0,
  }
}

function createDesign(
  times: Float64Array,
  rows: Uint32Array,
  options: AdditiveOptions,
): AdditiveDesign {
  const {
    seasons = [
      { name: 'daily', periodMs: DAY_MS, order: 4 },
      { name: 'weekly', periodMs: 7 * DAY_MS, order: 3 },
    ],
    holidays = [],
    regressors = {},
    changePointCount = 10,
    changePointRange = 0.8,
    changePointScale = 0.05,
    seasonScale = 10,
  } = options
  if (!(Number.isInteger(changePointCount) && changePointCount >= 0)) {
    throw invalidOption('changePointCount', 'an integer ≥ 0', changePointCount)
  }
  if (!(changePointRange > 0 && changePointRange <= 1)) {
    throw invalidOption('changePointRange', 'in (0, 1]', changePointRange)
  }
  for (const [name, scale] of Object.entries({ changePointScale, seasonScale })) {
    if (!(scale > 0)) throw invalidOption(name, '> 0', scale)
  }
  const columns: DesignColumn[] = [
    { component: 'trend', priorScale: TREND_PRIOR_SCALE },
    { component: 'trend', priorScale: TREND_PRIOR_SCALE },
  ]
  for (let i = 0; i < changePointCount; i++) {
    columns.push({ component: 'trend', priorScale: changePointScale })
  }
  for (const { name, periodMs, order } of seasons) {
    if (!(periodMs > 0 && Number.isInteger(order) && order >= 1)) {
      throw invalidOption(`seasons.${name}`, 'a period > 0 and an order ≥ 1', order)
    }
    for (let i = 0; i < 2 * order; i++) columns.push({ component: name, priorScale: seasonScale })
  }
  const regressorNames = Object.keys(regressors)
  for (const name of [...holidays.map((holiday) => holiday.name), ...regressorNames]) {
    columns.push({ component: name, priorScale: seasonScale })
  }
  const first = times[rows[0]!]!
  const last = times[rows[rows.length - 1]!]!
  const { means, scales } = regressorScaling(regressorNames, regressors, rows)
  return {
    startMs: first,
    spanMs: Math.max(last - first, 1),
    changePoints: Float64Array.from(
      { length: changePointCount },
      (_, i) => (changePointRange * (i + 1)) / (changePointCount + 1),
    ),
    seasons,
    holidays,
    regressorNames,
    regressorMeans: means,
    regressorScales: scales,
    columns,
  }
}

function regressorScaling(names: readonly string[], regressors: Regressors, rows: Uint32Array) {
  const means = new Float64Array(names.length)
  const scales = new Float64Array(names.length).fill(1)
  for (const [i, name] of names.entries()) {
    const known = Float64Array.from(rows, (row) => regressors[name]?.[row] ?? 0)
    means[i] = known.reduce((sum, value) => sum + value, 0) / known.length
    const deviation = standardDeviation(known, known.length)
    if (deviation > Math.abs(means[i]!) * 1e-14) scales[i] = deviation
  }
  return { means, scales }
}

/** XᵀX and Xᵀy over the present rows, values in units of the largest. */
function normalEquations(
  design: AdditiveDesign,
  times: Float64Array,
  values: Float64Array,
  rows: Uint32Array,
  regressors: Regressors,
  unit: number,
) {
  const size = design.columns.length
  const gram = new Float64Array(size * size)
  const moments = new Float64Array(size)
  const cells = new Float64Array(size)
  for (const row of rows) {
    fillDesignRow(design, times[row]!, row, regressors, cells)
    const value = values[row]! / unit
    for (let i = 0; i < size; i++) {
      const cell = cells[i]!
      if (cell === 0) continue
      moments[i] = moments[i]! + cell * value
      for (let j = 0; j <= i; j++) gram[i * size + j] = gram[i * size + j]! + cell * cells[j]!
    }
  }
  return { gram, moments }
}

/** Posterior mode: (XᵀX + diag(noise² / priorScale²))⁻¹ Xᵀy. */
function solvePosterior(
  gram: Float64Array,
  moments: Float64Array,
  columns: readonly DesignColumn[],
  noise: number,
): Float64Array<ArrayBuffer> {
  const size = columns.length
  const matrix = gram.slice()
  for (let i = 0; i < size; i++) {
    matrix[i * size + i] = matrix[i * size + i]! + (noise / columns[i]!.priorScale) ** 2 + 1e-10
  }
  if (!choleskyInPlace(matrix, size)) {
    throw new AnomalyError(
      'NOT_CONVERGED',
      'additive forecast: components determine each other; drop a regressor or a season',
      { columnCount: size },
    )
  }
  const solution = new Float64Array(moments)
  solveCholesky(matrix, size, solution)
  return solution
}

function fillResiduals(
  design: AdditiveDesign,
  times: Float64Array,
  values: Float64Array,
  rows: Uint32Array,
  regressors: Regressors,
  scaled: Float64Array,
  unit: number,
  residuals: Float64Array,
): void {
  const cells = new Float64Array(scaled.length)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    fillDesignRow(design, times[row]!, row, regressors, cells)
    let fitted = 0
    for (let c = 0; c < cells.length; c++) fitted += scaled[c]! * cells[c]!
    residuals[i] = values[row]! / unit - fitted
  }
}

function presentRows(values: Float64Array): Uint32Array {
  const rows: number[] = []
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (Number.isNaN(value)) continue
    if (!Number.isFinite(value)) {
      throw new AnomalyError(
        'NOT_FINITE',
        `additive forecast: row ${i} is ${value}, expected a finite number, or NaN where missing`,
        { row: i },
      )
    }
    rows.push(i)
  }
  if (rows.length < 2) throw tooFewRows('additive forecast (present values)', 2, rows.length)
  return Uint32Array.from(rows)
}

function requireTimes(times: Float64Array, values: Float64Array): void {
  if (times.length !== values.length) {
    throw shapeMismatch('times.length', values.length, times.length)
  }
  for (let i = 0; i < times.length; i++) {
    if (!(Number.isFinite(times[i]!) && (i === 0 || times[i]! >= times[i - 1]!))) {
      throw invalidOption(`times[${i}]`, 'finite and not before the one above', times[i])
    }
  }
}
