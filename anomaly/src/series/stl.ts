import { shapeMismatch } from '../errors.ts'
import { selectInPlace } from '../statistics/quantile.ts'
import { fittedAt, smoothInto } from './loess.ts'
import { windowStart } from './loess-kernel.ts'
import { missingPoints, withLinesOverGaps } from './series-gap.ts'
import type { StlOptions } from './stl-options.ts'
import { type StlPlan, stlPlan } from './stl-plan.ts'

/**
 * Residuals below this share of the largest value are rounding: weights made of them would be
 * noise, and all points count alike. The reference does so only at exactly zero.
 */
const ROUNDING_SHARE = 1e-13

/** A series taken apart: value = trend + seasonal + residual at every present point. */
export type StlDecomposition = {
  readonly trend: Float64Array
  readonly seasonal: Float64Array
  /** NaN where the value is missing. */
  readonly residual: Float64Array
  /** Weight of each point in [0, 1]: low for outliers if robust, 0 where missing, else 1. */
  readonly weights: Float64Array
}

/**
 * Seasonal-trend decomposition by local regression (STL).
 * @param values equally spaced in time; NaN = missing: such a point has no weight, its trend and
 *   seasonal come from its neighbours
 * @param plan options, or a plan from `stlPlan` when many series have one length
 * @throws INVALID_OPTION; TOO_FEW_ROWS with less than two seasons or two present points;
 *   NOT_FINITE on ±∞; SHAPE_MISMATCH if the plan is for another length
 * Cost per round O(n · (spans)). Source: Cleveland, Cleveland, McRae & Terpenning 1990; equal to
 * statsmodels 0.15 `STL(...).fit()` on series without gaps.
 */
export function decomposeStl(values: Float64Array, plan: StlOptions | StlPlan): StlDecomposition {
  const prepared = 'scratch' in plan ? plan : stlPlan(values.length, plan)
  const { length, settings } = prepared
  if (values.length !== length) throw shapeMismatch('values.length', length, values.length)
  const isMissing = missingPoints('seasonal decomposition', values)
  const filled = isMissing === undefined ? values : withLinesOverGaps(values)
  const trend = new Float64Array(length)
  const seasonal = new Float64Array(length)
  const weights = new Float64Array(length).fill(1)
  if (isMissing !== undefined) clearMissing(weights, isMissing)
  for (let round = 0; round <= settings.outerRounds; round++) {
    const caseWeights = round > 0 || isMissing !== undefined ? weights : undefined
    for (let inner = 0; inner < settings.innerRounds; inner++) {
      smoothOnce(prepared, filled, caseWeights, trend, seasonal)
    }
    if (round < settings.outerRounds) {
      weighResiduals(filled, trend, seasonal, isMissing, prepared.scratch.detrended, weights)
    }
  }
  const residual = new Float64Array(length)
  for (let i = 0; i < length; i++) residual[i] = values[i]! - seasonal[i]! - trend[i]!
  return { trend, seasonal, residual, weights }
}

/** One pass of the inner loop: a new seasonal component, then a new trend. */
function smoothOnce(
  plan: StlPlan,
  values: Float64Array,
  caseWeights: Float64Array | undefined,
  trend: Float64Array,
  seasonal: Float64Array,
): void {
  const { length, settings, scratch } = plan
  const { period } = settings
  const { detrended, cycles, averaged, averagedTwice, lowPassed } = scratch
  for (let i = 0; i < length; i++) detrended[i] = values[i]! - trend[i]!
  smoothPhases(plan, detrended, caseWeights, cycles)
  movingAverage(cycles, length + 2 * period, period, averaged)
  movingAverage(averaged, length + period + 1, period, averagedTwice)
  movingAverage(averagedTwice, length + 2, 3, averaged)
  smoothInto(plan.lowPass, averaged, undefined, lowPassed, 0)
  for (let i = 0; i < length; i++) {
    seasonal[i] = cycles[period + i]! - lowPassed[i]!
    detrended[i] = values[i]! - seasonal[i]!
  }
  smoothInto(plan.trend, detrended, caseWeights, trend, 0)
}

/** Smooths each phase of the season by itself and continues it by one season at each end. */
function smoothPhases(
  { settings, length, longPhase, shortPhase, scratch }: StlPlan,
  detrended: Float64Array,
  caseWeights: Float64Array | undefined,
  cycles: Float64Array,
): void {
  const { period } = settings
  const { phaseValues, phaseWeights, phaseSmooth } = scratch
  const longCount = length % period
  for (let phase = 0; phase < period; phase++) {
    const smoother = phase < longCount ? longPhase : shortPhase
    const { pointCount } = smoother.kernel
    for (let i = 0; i < pointCount; i++) phaseValues[i] = detrended[i * period + phase]!
    if (caseWeights !== undefined) {
      for (let i = 0; i < pointCount; i++) phaseWeights[i] = caseWeights[i * period + phase]!
    }
    const weights = caseWeights === undefined ? undefined : phaseWeights
    smoothInto(smoother, phaseValues, weights, phaseSmooth, 1)
    const before = fittedAt(smoother, -1, 0, phaseValues, weights)
    phaseSmooth[0] = Number.isNaN(before) ? phaseSmooth[1]! : before
    const lastStart = windowStart(smoother.kernel, pointCount - 1)
    const behind = fittedAt(smoother, pointCount, lastStart, phaseValues, weights)
    phaseSmooth[pointCount + 1] = Number.isNaN(behind) ? phaseSmooth[pointCount]! : behind
    for (let i = 0; i < pointCount + 2; i++) cycles[i * period + phase] = phaseSmooth[i]!
  }
}

/** Means of `span` neighbours: `count − span + 1` of them. */
function movingAverage(
  values: Float64Array,
  count: number,
  span: number,
  averages: Float64Array,
): void {
  const share = 1 / span
  let sum = 0
  for (let i = 0; i < span; i++) sum += values[i]!
  averages[0] = sum * share
  const end = count - span + 1
  for (let i = 1; i < end; i++) {
    sum += values[i + span - 1]! - values[i - 1]!
    averages[i] = sum * share
  }
}

/** Bisquare weights of the residuals, with six times their median size as the bound. */
function weighResiduals(
  values: Float64Array,
  trend: Float64Array,
  seasonal: Float64Array,
  isMissing: Uint8Array | undefined,
  scratch: Float64Array,
  weights: Float64Array,
): void {
  let count = 0
  let largest = 0
  for (let i = 0; i < values.length; i++) {
    largest = Math.max(largest, Math.abs(values[i]!))
    const size = Math.abs(values[i]! - (trend[i]! + seasonal[i]!))
    weights[i] = size
    if (isMissing?.[i] === 1) continue
    scratch[count] = size
    count++
  }
  const middle = Math.floor(count / 2)
  const upper = selectInPlace(scratch, 0, count, middle)
  const lower = selectInPlace(scratch, 0, count, count - middle - 1)
  const bound = 3 * (lower + upper)
  const isExact = bound <= ROUNDING_SHARE * largest
  for (let i = 0; i < weights.length; i++) weights[i] = isExact ? 1 : bisquare(weights[i]!, bound)
  if (isMissing !== undefined) clearMissing(weights, isMissing)
}

function bisquare(size: number, bound: number): number {
  if (size <= 0.001 * bound) return 1
  if (size > 0.999 * bound) return 0
  const rest = 1 - (size / bound) * (size / bound)
  return rest * rest
}

function clearMissing(weights: Float64Array, isMissing: Uint8Array): void {
  for (let i = 0; i < weights.length; i++) if (isMissing[i] === 1) weights[i] = 0
}
