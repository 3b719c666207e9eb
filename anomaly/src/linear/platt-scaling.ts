import { shapeMismatch } from '../errors.ts'
import { featureMatrix, requireFinite } from '../feature-matrix.ts'
import { combinedWeights, requireTarget } from '../validation/supervised-target.ts'
import { minimiseConvex } from './newton.ts'

/** A sigmoid that turns a margin into a probability: 1 / (1 + e^(slope · margin + offset)). */
export type PlattScaling = {
  readonly kind: 'platt_scaling'
  readonly stateVersion: 1
  /** A of Platt's paper: negative where higher margins mean class 1. */
  readonly slope: number
  /** B of Platt's paper. */
  readonly offset: number
}

/**
 * Fits Platt's sigmoid to margins on rows that the model was not fitted on. Labels are softened to
 * (n₁ + 1)/(n₁ + 2) and 1/(n₀ + 2), so that separable margins give no certainty.
 * @param margins any real scale, finite
 * @param labels 1 or 0, one per margin
 * @param rowWeights one weight ≥ 0 per margin, default 1
 * @throws SHAPE_MISMATCH, ONE_CLASS, NOT_FINITE, INVALID_OPTION, TOO_FEW_ROWS
 * Cost O(n), about ten passes. Source: Platt 1999; Lin, Lin & Weng 2007 for the form of the loss.
 */
export function fitPlattScaling(
  margins: Float64Array,
  labels: ArrayLike<number>,
  rowWeights?: ArrayLike<number>,
): PlattScaling {
  const target = { kind: 'binary', labels } as const
  requireTarget(target, margins.length)
  requireFinite('Platt scaling', featureMatrix(margins, ['margin']))
  const weights = combinedWeights(
    target,
    margins.length,
    rowWeights === undefined ? {} : { rowWeights },
  )
  const goals = softLabels(labels, weights)
  const { centre, scale } = spreadOf(margins, weights)
  const parameters = Float64Array.of(0, startOffset(goals, weights))
  minimiseConvex('Platt scaling', plattLoss(margins, goals, weights, centre, scale), parameters)
  const slope = parameters[0]! / scale
  return {
    kind: 'platt_scaling',
    stateVersion: 1,
    slope: 0 - slope,
    offset: slope * centre - parameters[1]!,
  }
}

/**
 * Probability of class 1 for each margin; NaN stays NaN.
 * @param out receives one probability per margin; may be `margins` itself
 * @throws SHAPE_MISMATCH
 */
export function evaluatePlatt(
  { slope, offset }: PlattScaling,
  margins: Float64Array,
  out: Float64Array = new Float64Array(margins.length),
): Float64Array {
  if (out.length !== margins.length) throw shapeMismatch('out.length', margins.length, out.length)
  for (let i = 0; i < margins.length; i++) {
    out[i] = 1 / (1 + Math.exp(slope * margins[i]! + offset))
  }
  return out
}

/** Weighted log loss of goals in [0, 1] by slope and intercept on centred margins. */
function plattLoss(
  margins: Float64Array,
  goals: Float64Array,
  weights: Float64Array,
  centre: number,
  scale: number,
) {
  const marginAt = (parameters: Float64Array, i: number) =>
    (parameters[0]! * (margins[i]! - centre)) / scale + parameters[1]!
  return {
    size: 2,
    value: (parameters: Float64Array) => {
      let loss = 0
      for (let i = 0; i < margins.length; i++) {
        const margin = marginAt(parameters, i)
        const softplus = Math.max(margin, 0) + Math.log1p(Math.exp(-Math.abs(margin)))
        loss += weights[i]! * (softplus - goals[i]! * margin)
      }
      return loss
    },
    derivatives: (parameters: Float64Array, gradient: Float64Array, hessian: Float64Array) => {
      gradient.fill(0)
      hessian.fill(0)
      for (let i = 0; i < margins.length; i++) {
        const x = (margins[i]! - centre) / scale
        const share = 1 / (1 + Math.exp(-marginAt(parameters, i)))
        const slope = weights[i]! * (share - goals[i]!)
        const curvature = weights[i]! * share * (1 - share)
        gradient[0] = gradient[0]! + slope * x
        gradient[1] = gradient[1]! + slope
        hessian[0] = hessian[0]! + curvature * x * x
        hessian[2] = hessian[2]! + curvature * x
        hessian[3] = hessian[3]! + curvature
      }
      // Without spread the slope says nothing; this keeps it at 0.
      if (scale === 1 && hessian[0] === 0) hessian[0] = 1
    },
  }
}

function softLabels(labels: ArrayLike<number>, weights: Float64Array): Float64Array {
  const counts = [0, 0]
  for (let i = 0; i < weights.length; i++) {
    counts[labels[i]!] = counts[labels[i]!]! + weights[i]!
  }
  const [zeros = 0, ones = 0] = counts
  const soft = [1 / (zeros + 2), (ones + 1) / (ones + 2)]
  return Float64Array.from(weights, (_, i) => soft[labels[i]!]!)
}

function spreadOf(margins: Float64Array, weights: Float64Array): { centre: number; scale: number } {
  let total = 0
  let sum = 0
  for (let i = 0; i < margins.length; i++) {
    total += weights[i]!
    sum += weights[i]! * margins[i]!
  }
  const centre = sum / total
  let squares = 0
  for (let i = 0; i < margins.length; i++) squares += weights[i]! * (margins[i]! - centre) ** 2
  const scale = Math.sqrt(squares / total)
  return { centre, scale: scale > 10 * Number.EPSILON * Math.abs(centre) ? scale : 1 }
}

function startOffset(goals: Float64Array, weights: Float64Array): number {
  let total = 0
  let sum = 0
  for (let i = 0; i < goals.length; i++) {
    total += weights[i]!
    sum += weights[i]! * goals[i]!
  }
  return Math.log(sum / (total - sum))
}
