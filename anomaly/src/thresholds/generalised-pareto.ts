/** A generalised Pareto distribution of excesses over a threshold. */
export type GeneralisedPareto = {
  /** γ: above 0 heavy tails, 0 exponential, below 0 bounded ones. */
  readonly shape: number
  /** σ > 0, in the unit of the excesses. */
  readonly scale: number
}

/** Below it the likelihood has no regular maximum (Smith 1985). */
const LOWEST_SHAPE = -0.5

/** Steps that halve the bracket far below double precision. */
const GOLDEN_STEPS = 80

const GOLDEN = (Math.sqrt(5) - 1) / 2

/**
 * Fits excesses by maximum likelihood. With θ = γ/σ the likelihood has one free variable:
 * γ(θ) is the mean of ln(1 + θx), and −ln(γ/θ) − γ − 1 is to be largest. Its region is found on
 * the grid of Zhang & Stephens, then the best point refined by golden section.
 * @param excesses > 0, at least 2
 * Cost O(n · 100). Source: Grimshaw 1993; Zhang & Stephens 2009 for the grid.
 */
export function fitGeneralisedPareto(excesses: Float64Array): GeneralisedPareto {
  const thetas = candidateThetas(excesses)
  let best = 0
  for (let i = 1; i < thetas.length; i++) {
    if (profile(excesses, thetas[i]!) > profile(excesses, thetas[best]!)) best = i
  }
  let low = thetas[Math.max(0, best - 1)]!
  let high = thetas[Math.min(thetas.length - 1, best + 1)]!
  for (let step = 0; step < GOLDEN_STEPS; step++) {
    const left = high - GOLDEN * (high - low)
    const right = low + GOLDEN * (high - low)
    if (profile(excesses, left) >= profile(excesses, right)) high = right
    else low = left
  }
  return distributionAt(excesses, (low + high) / 2)
}

/**
 * Excess exceeded with the given chance, for chances in (0, 1].
 */
export function paretoExcess({ shape, scale }: GeneralisedPareto, chance: number): number {
  // Near γ = 0 the power form loses all digits; its limit is the exponential one.
  if (Math.abs(shape) < 1e-9) return -scale * Math.log(chance)
  return (scale / shape) * Math.expm1(-shape * Math.log(chance))
}

/** Ascending values of θ that cover every plausible shape, θ > −1/max. */
function candidateThetas(excesses: Float64Array): Float64Array {
  const sorted = excesses.slice().sort()
  const largest = sorted[sorted.length - 1]!
  const quartile = sorted[Math.floor(sorted.length / 4 + 0.5)]!
  const count = 20 + Math.floor(Math.sqrt(sorted.length))
  const thetas: number[] = []
  for (let i = 1; i <= count; i++) {
    const negative = 1 / largest + (1 - Math.sqrt(count / (i - 0.5))) / (3 * quartile)
    // The last points come near −1/max, where the likelihood grows without bound.
    thetas.push(-Math.min(negative, (1 - 1e-9) / largest))
  }
  return Float64Array.from(thetas).sort()
}

/** Log-likelihood per excess at θ, and −∞ where the shape is below −0.5. */
function profile(excesses: Float64Array, theta: number): number {
  const { shape, scale } = distributionAt(excesses, theta)
  return shape < LOWEST_SHAPE || !(scale > 0)
    ? Number.NEGATIVE_INFINITY
    : -Math.log(scale) - shape - 1
}

function distributionAt(excesses: Float64Array, theta: number): GeneralisedPareto {
  let sum = 0
  if (theta === 0) {
    for (let i = 0; i < excesses.length; i++) sum += excesses[i]!
    return { shape: 0, scale: sum / excesses.length }
  }
  for (let i = 0; i < excesses.length; i++) sum += Math.log1p(theta * excesses[i]!)
  const shape = sum / excesses.length
  return { shape, scale: shape / theta }
}
