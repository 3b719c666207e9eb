import { shapeMismatch } from '../errors.ts'
import { fillDesignRow, type Regressors, requireRegressors } from './additive-design.ts'
import type { AdditiveModel } from './additive-forecast.ts'

/** What the model expects at each time, and what it is made of. */
export type AdditiveForecast = {
  readonly expected: Float64Array
  readonly lower: Float64Array
  readonly upper: Float64Array
  /** By name: `trend`, each season, holiday and regressor; they sum to `expected`. */
  readonly components: Readonly<Record<string, Float64Array>>
}

/**
 * Expected values with intervals. Inside the training span the interval is that of the noise;
 * beyond it widens as slopes may go on changing as often and as much as they did (Laplace changes
 * at the rate of the past: variance rate · 2 b² · h³/3 at distance h).
 * @param times milliseconds, any order
 * @param regressors as in the fit, for these times
 * @throws INVALID_OPTION, SHAPE_MISMATCH, NOT_FINITE
 * Cost O(rows · columns). Source: Taylor & Letham 2018, section 3.1.4, in closed form.
 */
export function forecastAdditive(
  model: AdditiveModel,
  times: Float64Array,
  regressors: Regressors = {},
): AdditiveForecast {
  const { design, coefficients, noiseHalfWidth } = model
  requireRegressors(design.regressorNames, regressors, times.length)
  const components: Record<string, Float64Array> = {}
  const arrays = design.columns.map(({ component }) => {
    components[component] ??= new Float64Array(times.length)
    return components[component]
  })
  const expected = new Float64Array(times.length)
  const lower = new Float64Array(times.length)
  const upper = new Float64Array(times.length)
  const cells = new Float64Array(coefficients.length)
  for (let row = 0; row < times.length; row++) {
    fillDesignRow(design, times[row]!, row, regressors, cells)
    let sum = 0
    for (let c = 0; c < cells.length; c++) {
      const part = coefficients[c]! * cells[c]!
      const component = arrays[c]!
      component[row] = component[row]! + part
      sum += part
    }
    const half = Math.hypot(noiseHalfWidth, trendHalfWidth(model, times[row]!))
    expected[row] = sum
    lower[row] = sum - half
    upper[row] = sum + half
  }
  return { expected, lower, upper, components }
}

/**
 * Distance of each value from the expected one, in half widths of its interval: above 1 outside
 * it; ≥ 0, NaN where the value is missing. The components of `forecastAdditive` explain it.
 * @throws as `forecastAdditive`
 */
export function scoreAdditive(
  model: AdditiveModel,
  times: Float64Array,
  values: Float64Array,
  regressors: Regressors = {},
): Float64Array {
  if (times.length !== values.length) {
    throw shapeMismatch('times.length', values.length, times.length)
  }
  const { expected, upper } = forecastAdditive(model, times, regressors)
  return values.map((value, row) => {
    return Math.abs(value - expected[row]!) / (upper[row]! - expected[row]!)
  })
}

function trendHalfWidth(
  { design, slopeChangeScale, intervalWidth }: AdditiveModel,
  timeMs: number,
): number {
  const ahead = (timeMs - design.startMs) / design.spanMs - 1
  const { changePoints } = design
  if (!(ahead > 0) || changePoints.length === 0) return 0
  const range = changePoints[changePoints.length - 1]!
  const rate = changePoints.length / Math.max(range, 1e-9)
  const variance = (rate * 2 * slopeChangeScale ** 2 * ahead ** 3) / 3
  return normalHalfWidth(intervalWidth) * Math.sqrt(variance)
}

/**
 * z with P(|Z| < z) = share for a standard normal Z, to 4.5e-4.
 * Source: Abramowitz & Stegun 1964, 26.2.23.
 */
function normalHalfWidth(share: number): number {
  const t = Math.sqrt(-2 * Math.log((1 - share) / 2))
  const top = 2.515517 + t * (0.802853 + t * 0.010328)
  return t - top / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
}
