import { AnomalyError, invalidOption } from '../errors.ts'

/** Mean and standard deviation of the process in control, known or from healthy data. */
export type ProcessInControl = { readonly mean: number; readonly deviation: number }

/** Options of the EWMA chart. */
export type EwmaOptions = ProcessInControl & {
  /** λ: weight of the newest value in (0, 1], default 0.2 (Lucas & Saccucci 1990). */
  readonly weight?: number
  /** L: control limits in deviations of the average, default 2.962: in control 500 values. */
  readonly limit?: number
}

/** State of the EWMA chart. Plain data. */
export type EwmaChart = {
  readonly kind: 'ewma_chart'
  readonly options: Required<EwmaOptions>
  average: number
  valueCount: number
}

/**
 * An exponentially weighted moving average chart: sees small lasting shifts.
 * @throws INVALID_OPTION
 */
export function emptyEwmaChart(options: EwmaOptions): EwmaChart {
  const { mean, deviation, weight = 0.2, limit = 2.962 } = options
  requireProcess(options)
  if (!(weight > 0 && weight <= 1)) throw invalidOption('weight', 'in (0, 1]', weight)
  if (!(limit > 0)) throw invalidOption('limit', '> 0', limit)
  return {
    kind: 'ewma_chart',
    options: { mean, deviation, weight, limit },
    average: mean,
    valueCount: 0,
  }
}

/**
 * Adds a value.
 * @returns distance of the average from the mean as a share of the control limit: out of control
 *   above 1; positive is high, negative low
 * @throws NOT_FINITE
 * Cost O(1). Source: Roberts 1959, with the exact limits σ·L·√(λ(1 − (1 − λ)^2t)/(2 − λ)).
 */
export function updateEwmaChart(chart: EwmaChart, value: number): number {
  requireValue('ewma chart', value)
  const { mean, deviation, weight, limit } = chart.options
  chart.average = weight * value + (1 - weight) * chart.average
  chart.valueCount += 1
  const started = 1 - (1 - weight) ** (2 * chart.valueCount)
  return (chart.average - mean) / (limit * deviation * Math.sqrt((weight / (2 - weight)) * started))
}

/** Options of the CUSUM chart. */
export type CusumOptions = ProcessInControl & {
  /** k: half the shift to be found, in deviations; default 0.5 (Montgomery 2009, section 9.1). */
  readonly slack?: number
  /** h: sum that is out of control, in deviations; default 5: in control 465 values. */
  readonly limit?: number
}

/** State of the two-sided tabular CUSUM. Plain data. */
export type CusumChart = {
  readonly kind: 'cusum_chart'
  readonly options: Required<CusumOptions>
  high: number
  low: number
  /** Values since each sum was last 0: the shift began that long ago. */
  highCount: number
  lowCount: number
}

/**
 * A cumulative sum chart: sees small lasting shifts and says when they began.
 * @throws INVALID_OPTION
 */
export function emptyCusumChart(options: CusumOptions): CusumChart {
  const { mean, deviation, slack = 0.5, limit = 5 } = options
  requireProcess(options)
  if (!(slack >= 0)) throw invalidOption('slack', '≥ 0', slack)
  if (!(limit > 0)) throw invalidOption('limit', '> 0', limit)
  return {
    kind: 'cusum_chart',
    options: { mean, deviation, slack, limit },
    high: 0,
    low: 0,
    highCount: 0,
    lowCount: 0,
  }
}

/**
 * Adds a value.
 * @returns the larger of both sums as a share of the limit: out of control above 1; negative if
 *   the lower sum is the larger
 * @throws NOT_FINITE
 * Cost O(1). Source: Page 1954; Montgomery 2009, equations 9.2 and 9.3.
 */
export function updateCusumChart(chart: CusumChart, value: number): number {
  requireValue('cusum chart', value)
  const { mean, deviation, slack, limit } = chart.options
  const z = (value - mean) / deviation
  chart.high = Math.max(0, chart.high + z - slack)
  chart.low = Math.max(0, chart.low - z - slack)
  chart.highCount = chart.high > 0 ? chart.highCount + 1 : 0
  chart.lowCount = chart.low > 0 ? chart.lowCount + 1 : 0
  return (chart.high >= chart.low ? chart.high : -chart.low) / limit
}

function requireProcess({ mean, deviation }: ProcessInControl): void {
  if (!Number.isFinite(mean)) throw invalidOption('mean', 'a finite number', mean)
  if (!(deviation > 0 && Number.isFinite(deviation))) {
    throw invalidOption('deviation', 'a finite number > 0', deviation)
  }
}

function requireValue(what: string, value: number): void {
  if (Number.isFinite(value)) return
  throw new AnomalyError('NOT_FINITE', `${what}: value is ${value}, expected a finite number`, {
    found: value,
  })
}
