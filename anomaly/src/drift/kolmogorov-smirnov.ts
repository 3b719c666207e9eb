import { tooFewRows } from '../errors.ts'
import { withoutMissing } from './psi.ts'

/** Two-sample Kolmogorov–Smirnov comparison. */
export type KolmogorovSmirnovResult = {
  /** D = sup |F_a − F_b| in [0, 1]: the effect size. */
  readonly statistic: number
  /** Asymptotic two-sided p-value; at fleet size nearly always small, so judge D first. */
  readonly pValue: number
  readonly countA: number
  readonly countB: number
}

/**
 * Compares two samples by the largest gap between their distribution functions.
 * @param a, b values; NaN is excluded
 * @throws TOO_FEW_ROWS if a sample has no value
 * Cost O(n log n). Source: MON-11; Stephens 1970 for the p-value.
 */
export function kolmogorovSmirnov(a: Float64Array, b: Float64Array): KolmogorovSmirnovResult {
  return kolmogorovSmirnovSorted(withoutMissing(a).sort(), withoutMissing(b).sort())
}

/** `kolmogorovSmirnov` of samples in ascending order without NaN; O(n). Keep references sorted. */
export function kolmogorovSmirnovSorted(a: Float64Array, b: Float64Array): KolmogorovSmirnovResult {
  if (a.length === 0) throw tooFewRows('Kolmogorov–Smirnov sample a', 1, 0)
  if (b.length === 0) throw tooFewRows('Kolmogorov–Smirnov sample b', 1, 0)
  let indexA = 0
  let indexB = 0
  let statistic = 0
  while (indexA < a.length && indexB < b.length) {
    // Both step over all copies of the smaller value before the gap is read.
    const value = Math.min(a[indexA]!, b[indexB]!)
    while (indexA < a.length && a[indexA]! <= value) indexA++
    while (indexB < b.length && b[indexB]! <= value) indexB++
    const gap = Math.abs(indexA / a.length - indexB / b.length)
    if (gap > statistic) statistic = gap
  }
  const effectiveCount = (a.length * b.length) / (a.length + b.length)
  return {
    statistic,
    pValue: kolmogorovPValue(statistic, effectiveCount),
    countA: a.length,
    countB: b.length,
  }
}

/**
 * p = 2 Σ_{k≥1} (−1)^(k−1) exp(−2k²λ²) with λ = (√Ne + 0.12 + 0.11/√Ne) D, Ne = nm/(n + m).
 */
export function kolmogorovPValue(statistic: number, effectiveCount: number): number {
  const root = Math.sqrt(effectiveCount)
  const lambda = (root + 0.12 + 0.11 / root) * statistic
  // Below 0.2 the alternating series cancels badly, and p is 1 to twelve digits.
  if (lambda < 0.2) return 1
  let sum = 0
  for (let k = 1; k <= 100; k++) {
    const term = Math.exp(-2 * k * k * lambda * lambda)
    sum += k % 2 === 1 ? term : -term
    if (term < 1e-17) break
  }
  return Math.min(1, Math.max(0, 2 * sum))
}
