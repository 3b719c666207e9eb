import { choleskyInPlace, solveCholesky } from '../linear/cholesky.ts'

/** Points of the unit cube and what was measured there, centred. */
export type Observations = {
  readonly points: readonly Float64Array[]
  readonly values: Float64Array
}

/** Shape of a process: its variance follows from the observations. */
export type ProcessShape = {
  /** log of the distance per coordinate over which values change. */
  readonly logLengths: Float64Array
  /** log of noise variance per process variance. */
  readonly logNoise: number
}

/** A process given observations. */
export type GaussianProcess = {
  readonly observations: Observations
  readonly shape: ProcessShape
  /** Cholesky factor of the correlation matrix. */
  readonly factor: Float64Array
  /** Correlation matrix⁻¹ · values. */
  readonly weights: Float64Array
  readonly variance: number
  /** Log likelihood with the variance at its best, up to a constant. */
  readonly logLikelihood: number
}

/**
 * Conditions a process with Matérn 5/2 correlation on observations; undefined if the correlation
 * matrix is singular to working precision.
 * Cost O(n³). Source: Rasmussen & Williams 2006, algorithm 2.1; Snoek, Larochelle & Adams 2012 for
 * the kernel.
 */
export function conditionProcess(
  observations: Observations,
  shape: ProcessShape,
): GaussianProcess | undefined {
  const { points, values } = observations
  const size = points.length
  const lengths = shape.logLengths.map(Math.exp)
  const factor = new Float64Array(size * size)
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) factor[i * size + j] = correlation(points[i]!, points[j]!, lengths)
    factor[i * size + i] = 1 + Math.exp(shape.logNoise)
  }
  if (!choleskyInPlace(factor, size)) return undefined
  const weights = values.slice()
  solveCholesky(factor, size, weights)
  let fit = 0
  let logDeterminant = 0
  for (let i = 0; i < size; i++) {
    fit += values[i]! * weights[i]!
    logDeterminant += 2 * Math.log(factor[i * size + i]!)
  }
  const variance = Math.max(fit / size, 1e-12)
  const logLikelihood = -0.5 * (size * Math.log(variance) + logDeterminant)
  return { observations, shape, factor, weights, variance, logLikelihood }
}

/** Mean and standard deviation (without noise) of the process at a point. Cost O(n²). */
export function predictProcess(
  { observations, shape, factor, weights, variance }: GaussianProcess,
  point: Float64Array,
): { readonly mean: number; readonly deviation: number } {
  const { points } = observations
  const lengths = shape.logLengths.map(Math.exp)
  const correlations = Float64Array.from(points, (other) => correlation(point, other, lengths))
  let mean = 0
  for (let i = 0; i < points.length; i++) mean += correlations[i]! * weights[i]!
  const solved = correlations.slice()
  solveCholesky(factor, points.length, solved)
  let explained = 0
  for (let i = 0; i < points.length; i++) explained += correlations[i]! * solved[i]!
  return { mean, deviation: Math.sqrt(variance * Math.max(0, 1 - explained)) }
}

/** Matérn 5/2: values are twice differentiable. */
function correlation(a: Float64Array, b: Float64Array, lengths: Float64Array): number {
  let square = 0
  for (let c = 0; c < a.length; c++) {
    const difference = (a[c]! - b[c]!) / lengths[c]!
    square += difference * difference
  }
  const distance = Math.sqrt(5 * square)
  return (1 + distance + (5 / 3) * square) * Math.exp(-distance)
}
