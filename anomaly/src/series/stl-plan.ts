import { tooFewRows } from '../errors.ts'
import { type LoessSmoother, loessSmoother } from './loess.ts'
import { loessKernel } from './loess-kernel.ts'
import { type StlOptions, type StlSettings, stlSettings } from './stl-options.ts'

/** Everything a decomposition needs that does not depend on the values: kernels and scratch. */
export type StlPlan = {
  readonly settings: StlSettings
  readonly length: number
  readonly trend: LoessSmoother
  readonly lowPass: LoessSmoother
  /** For the points of one phase of the season: `length mod period` phases have one point more. */
  readonly longPhase: LoessSmoother
  readonly shortPhase: LoessSmoother
  readonly scratch: StlScratch
}

/** Memory used within one decomposition; its contents mean nothing between two. */
export type StlScratch = {
  /** length values. */
  readonly detrended: Float64Array
  readonly lowPassed: Float64Array
  /** length + 2 · period values: the seasonal smooth with one season added at each end. */
  readonly cycles: Float64Array
  readonly averaged: Float64Array
  readonly averagedTwice: Float64Array
  /** One phase of the season: values, case weights, smooth with one point added at each end. */
  readonly phaseValues: Float64Array
  readonly phaseWeights: Float64Array
  readonly phaseSmooth: Float64Array
}

/**
 * Prepares decompositions of series of one length, to be reused over many series.
 * @throws INVALID_OPTION; TOO_FEW_ROWS with less than two seasons
 * Cost O(sum of the squared spans); memory about 10 numbers per point.
 */
export function stlPlan(length: number, options: StlOptions): StlPlan {
  const settings = stlSettings(options)
  const { period } = settings
  // One season would be its own seasonal component and leave no residual.
  if (length < 2 * period) throw tooFewRows('seasonal decomposition', 2 * period, length)
  const phaseLength = Math.ceil(length / period)
  const phase = (pointCount: number) =>
    loessSmoother(
      loessKernel(pointCount, settings.seasonalSpan, settings.seasonalDegree),
      settings.seasonalJump,
    )
  const padded = length + 2 * period
  return {
    settings,
    length,
    trend: loessSmoother(
      loessKernel(length, settings.trendSpan, settings.trendDegree),
      settings.trendJump,
    ),
    lowPass: loessSmoother(
      loessKernel(length, settings.lowPassSpan, settings.lowPassDegree),
      settings.lowPassJump,
    ),
    longPhase: phase(phaseLength),
    shortPhase: phase(Math.floor(length / period)),
    scratch: {
      detrended: new Float64Array(length),
      lowPassed: new Float64Array(length),
      cycles: new Float64Array(padded),
      averaged: new Float64Array(padded),
      averagedTwice: new Float64Array(padded),
      phaseValues: new Float64Array(phaseLength),
      phaseWeights: new Float64Array(phaseLength),
      phaseSmooth: new Float64Array(phaseLength + 2),
    },
  }
}
