/**
 * Expected amount by which a normally distributed value falls below `best`.
 * Source: Jones, Schonlau & Welch 1998, eq. 15.
 */
export function expectedImprovement(mean: number, deviation: number, best: number): number {
  if (deviation <= 0) return Math.max(0, best - mean)
  const z = (best - mean) / deviation
  return Math.max(0, (best - mean) * normalShare(z) + deviation * normalDensity(z))
}

function normalDensity(z: number): number {
  return Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI)
}

/** Share of the standard normal below z, within 1e-7. Source: Abramowitz & Stegun 1964, 26.2.17. */
function normalShare(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z))
  const polynomial =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  const tail = normalDensity(z) * polynomial
  return z > 0 ? 1 - tail : tail
}
