import { quantileInPlace } from './quantile.ts'

/** MAD to standard deviation under a normal distribution: 1/Φ⁻¹(0.75). */
export const MAD_TO_STD = 1.4826

/** Interquartile range to standard deviation under a normal distribution. */
export const IQR_TO_STD = 1.349

/** Centre and scale of one sample, written by `robustCentreAndScale`. */
export type CentreAndScale = { centre: number; scale: number }

/**
 * Median, and the first positive of 1.4826·MAD, IQR/1.349 and the standard deviation, raised to
 * `floor`. `scratch[0, count)` is reordered, `deviations` overwritten. An empty sample gives NaN
 * for both.
 * Cost O(count) by selection; no allocation. Source: MOD-15; Rousseeuw & Croux 1993 for the MAD.
 */
export function robustCentreAndScale(
  scratch: Float64Array,
  count: number,
  deviations: Float64Array,
  floor: number,
  result: CentreAndScale,
): void {
  if (count === 0) {
    result.centre = Number.NaN
    result.scale = Number.NaN
    return
  }
  const median = quantileInPlace(scratch, 0, count, 0.5)
  for (let i = 0; i < count; i++) deviations[i] = Math.abs(scratch[i]! - median)
  let scale = MAD_TO_STD * quantileInPlace(deviations, 0, count, 0.5)
  if (!(scale > 0)) {
    const upper = quantileInPlace(scratch, 0, count, 0.75)
    scale = (upper - quantileInPlace(scratch, 0, count, 0.25)) / IQR_TO_STD
  }
  if (!(scale > 0)) scale = standardDeviation(scratch, count)
  result.centre = median
  result.scale = Math.max(scale, floor)
}

/** Population standard deviation of the first `count` values, two passes. */
export function standardDeviation(values: Float64Array, count: number): number {
  let sum = 0
  for (let i = 0; i < count; i++) sum += values[i]!
  const mean = sum / count
  let squares = 0
  for (let i = 0; i < count; i++) squares += (values[i]! - mean) * (values[i]! - mean)
  return Math.sqrt(squares / count)
}
