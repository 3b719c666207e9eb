import { invalidOption, shapeMismatch, tooFewRows } from '../errors.ts'

/** Kullback–Leibler divergence in both directions, natural logarithm. */
export type KullbackLeibler = {
  /** Σ p ln(p/q): what is lost when q stands for p. */
  readonly forward: number
  /** Σ q ln(q/p). */
  readonly backward: number
  /** The larger of the two, which counts (MON-13). */
  readonly larger: number
}

/** Added to every count, so that an empty bin stays finite. As PSI does it (MON-12). */
const SMOOTHING = 0.5

/**
 * Kullback–Leibler divergence of two histograms with the same bins.
 * @param countsP, countsQ counts per bin, ≥ 0
 * @param smoothing added to every count, default 0.5; with 0 an empty bin on one side gives ∞
 * @throws SHAPE_MISMATCH, INVALID_OPTION for a negative count, TOO_FEW_ROWS for a histogram
 *   without any count
 * Cost O(bins). Source: MON-13.
 */
export function kullbackLeibler(
  countsP: ArrayLike<number>,
  countsQ: ArrayLike<number>,
  smoothing: number = SMOOTHING,
): KullbackLeibler {
  const { p, q } = sharesOf(countsP, countsQ, smoothing)
  const forward = relativeEntropy(p, q)
  const backward = relativeEntropy(q, p)
  return { forward, backward, larger: Math.max(forward, backward) }
}

/**
 * Jensen–Shannon divergence of two histograms with the same bins: the mean divergence of both
 * from their mixture. Symmetric, finite without smoothing.
 * @param smoothing added to every count, default 0
 * @returns in bits, in [0, 1]; its square root is a metric, scipy's `jensenshannon(base=2)`
 * @throws as `kullbackLeibler`
 * Cost O(bins). Source: Lin 1991.
 */
export function jensenShannon(
  countsP: ArrayLike<number>,
  countsQ: ArrayLike<number>,
  smoothing = 0,
): number {
  const { p, q } = sharesOf(countsP, countsQ, smoothing)
  const mixture = p.map((share, bin) => (share + q[bin]!) / 2)
  const nats = (relativeEntropy(p, mixture) + relativeEntropy(q, mixture)) / 2
  return Math.min(1, Math.max(0, nats / Math.LN2))
}

/** Σ p ln(p/q), where 0 ln 0 is 0. */
function relativeEntropy(p: Float64Array, q: Float64Array): number {
  let sum = 0
  for (let bin = 0; bin < p.length; bin++) {
    if (p[bin]! > 0) sum += p[bin]! * Math.log(p[bin]! / q[bin]!)
  }
  return sum
}

function sharesOf(
  countsP: ArrayLike<number>,
  countsQ: ArrayLike<number>,
  smoothing: number,
): { readonly p: Float64Array; readonly q: Float64Array } {
  if (countsQ.length !== countsP.length) {
    throw shapeMismatch('bins of the second histogram', countsP.length, countsQ.length)
  }
  if (!(smoothing >= 0)) throw invalidOption('smoothing', '≥ 0', smoothing)
  return { p: normalised(countsP, smoothing), q: normalised(countsQ, smoothing) }
}

function normalised(counts: ArrayLike<number>, smoothing: number): Float64Array {
  let total = 0
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin]!
    if (!(count >= 0 && count < Number.POSITIVE_INFINITY)) {
      throw invalidOption(`counts[${bin}]`, 'finite and ≥ 0', count)
    }
    total += count
  }
  if (total === 0) throw tooFewRows('histogram', 1, 0)
  const whole = total + smoothing * counts.length
  return Float64Array.from(counts, (count) => (count + smoothing) / whole)
}
