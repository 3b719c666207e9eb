import { normalQuantile } from '../statistics/normal-quantile.ts'

/** Smallest Q limit, as a share of the total variance: residuals below it are rounding. */
const Q_LIMIT_FLOOR = 1e-6

/**
 * Limits that T² and Q of normal data exceed with probability 1 − `probability`: χ² with as many
 * degrees of freedom as components, and g·χ²(h) with the first two moments of the left-out
 * variances, g = θ₂/θ₁ and h = θ₁²/θ₂ (Box 1954; Nomikos & MacGregor 1995). Where all variance is
 * kept, Q gets a small floor instead of 0. Both are positive.
 */
export function controlLimits(
  variances: Float64Array,
  componentCount: number,
  probability: number,
): { readonly t2Limit: number; readonly qLimit: number } {
  let theta1 = 0
  let theta2 = 0
  for (let i = componentCount; i < variances.length; i++) {
    theta1 += variances[i]!
    theta2 += variances[i]! * variances[i]!
  }
  const total = variances.reduce((sum, variance) => sum + variance, 0)
  const floor = total > 0 ? Q_LIMIT_FLOOR * total : 1
  const residual =
    theta2 > 0 ? (theta2 / theta1) * chiSquareQuantile((theta1 * theta1) / theta2, probability) : 0
  return {
    t2Limit: componentCount > 0 ? chiSquareQuantile(componentCount, probability) : 1,
    qLimit: Math.max(residual, floor),
  }
}

/**
 * Quantile of χ² with any number of degrees of freedom > 0, to about 1 % above the median.
 * Source: Wilson & Hilferty 1931.
 */
export function chiSquareQuantile(degrees: number, probability: number): number {
  const share = 2 / (9 * degrees)
  const root = Math.max(0, 1 - share + normalQuantile(probability) * Math.sqrt(share))
  return degrees * root * root * root
}
