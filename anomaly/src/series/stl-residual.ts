import { invalidOption, tooFewRows } from '../errors.ts'
import { type CentreAndScale, robustCentreAndScale } from '../statistics/robust-scale.ts'
import { gapLengths } from './series-gap.ts'
import { decomposeStl } from './stl.ts'
import { type StlOptions, type StlSettings, stlSettings } from './stl-options.ts'

/** Options of the decomposition residual detector. */
export type StlResidualOptions = StlOptions & {
  /** Smallest residual scale in the value's unit, its resolution; default 1e-9. */
  readonly scaleFloor?: number
  /** Points kept as history, default 28 seasons; new points are decomposed together with them. */
  readonly historyLength?: number
  /**
   * Longest run of missing points whose neighbours are still judged; default a quarter of the
   * period. Within a longer run the fit is a guess, and so is the point right after it.
   */
  readonly maxGap?: number
}

/** Learned state: the newest history and how to take it apart. Plain data. */
export type StlResidualModel = {
  readonly kind: 'stl_residual'
  readonly stateVersion: 1
  readonly settings: StlSettings
  readonly scaleFloor: number
  readonly maxGap: number
  /** NaN where missing. */
  readonly history: Float64Array
}

/** What each new point is made of, and how far it lies off. */
export type StlResidualScores = {
  /** |residual − median| in robust scales, ≥ 0; NaN where the point is missing or in a long gap. */
  readonly scores: Float64Array
  /** value = trend + seasonal + residual: the explanation. */
  readonly trend: Float64Array
  readonly seasonal: Float64Array
  readonly residual: Float64Array
}

/**
 * Keeps the history against which new points of the same series are judged.
 * @param values history, equally spaced, oldest first; NaN = missing
 * @throws TOO_FEW_ROWS with less than two seasons, INVALID_OPTION
 * Cost O(n).
 */
export function fitStlResidual(
  values: Float64Array,
  options: StlResidualOptions,
): StlResidualModel {
  const settings = stlSettings({ isRobust: true, ...options })
  const { period } = settings
  const { scaleFloor = 1e-9, historyLength = 28 * period } = options
  const { maxGap = Math.floor(period / 4) } = options
  if (!(scaleFloor > 0)) throw invalidOption('scaleFloor', '> 0', scaleFloor)
  if (!(historyLength >= 2 * period)) {
    throw invalidOption('historyLength', `at least ${2 * period}`, historyLength)
  }
  if (!(maxGap >= 0)) throw invalidOption('maxGap', '≥ 0', maxGap)
  if (values.length < 2 * period) throw tooFewRows('stl residual', 2 * period, values.length)
  return {
    kind: 'stl_residual',
    stateVersion: 1,
    settings,
    scaleFloor,
    maxGap,
    history: values.slice(Math.max(0, values.length - historyLength)),
  }
}

/**
 * Takes history and new points apart together and judges the new ones by the robust spread of all
 * residuals. With robust weights an odd point hardly bends its own trend and season.
 * @param values the points right after the history; NaN = missing
 * @throws TOO_FEW_ROWS, NOT_FINITE on ±∞
 * Cost of one decomposition of history and new points. Source: HEA-24.
 */
export function scoreStlResidual(model: StlResidualModel, values: Float64Array): StlResidualScores {
  const { history, settings, scaleFloor, maxGap } = model
  const all = new Float64Array(history.length + values.length)
  all.set(history)
  all.set(values, history.length)
  const { trend, seasonal, residual } = decomposeStl(all, settings)
  const present = residual.filter((value) => !Number.isNaN(value))
  const spread: CentreAndScale = { centre: 0, scale: 1 }
  robustCentreAndScale(
    present,
    present.length,
    new Float64Array(present.length),
    scaleFloor,
    spread,
  )
  const gaps = gapLengths(all)
  const scores = new Float64Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const at = history.length + i
    const isGuess = at > 0 && gaps[at - 1]! > maxGap
    scores[i] = isGuess ? Number.NaN : Math.abs(residual[at]! - spread.centre) / spread.scale
  }
  const newest = (component: Float64Array) => component.slice(history.length)
  return { scores, trend: newest(trend), seasonal: newest(seasonal), residual: newest(residual) }
}
