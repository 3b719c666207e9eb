/**
 * Grid on which one tree's gradients and hessians are rounded, so that their sums are exact.
 *
 * A float64 adds whole multiples of a unit without error while the sum stays below 2⁵³ units. With
 * sums exact, their order does not matter: threads change no byte, and the histogram of a child
 * subtracted from its parent's is exactly the histogram of the other child. The unit is small
 * against the mean row (2⁻³⁴ of it for gradients of 100,000 rows), far below what a split can see.
 *
 * A row's hessian is stored as `countUnit + hessian`, so that one sum holds rows and hessians:
 * `countUnit` is a power of two above any sum of hessians.
 */
export type FixedPoint = {
  /** Adding and subtracting it rounds a gradient to its grid. */
  readonly gradientRounder: number
  /** The same for hessians. */
  readonly hessianRounder: number
  /** What one row adds to a sum of packed hessians besides its hessian. */
  readonly countUnit: number
}

/** 1.5 · 2⁵²: a float64 of this size has no bits below 1. */
const ROUND_TO_ONE = 6755399441055744

/**
 * Chooses the grid for rows whose absolute gradients and hessians have the given sums.
 * @param rowCount < 2²⁶
 */
export function fixedPoint(
  absoluteGradientSum: number,
  hessianSum: number,
  rowCount: number,
): FixedPoint {
  const gradientUnit = powerOfTwoAbove(absoluteGradientSum) * 2 ** -51
  const countUnit = 2 * powerOfTwoAbove(hessianSum)
  const hessianUnit = countUnit * powerOfTwoAbove(rowCount + 1) * 2 ** -53
  return {
    gradientRounder: ROUND_TO_ONE * gradientUnit,
    hessianRounder: ROUND_TO_ONE * hessianUnit,
    countUnit,
  }
}

/** Sum of hessians in a packed sum. */
export function hessianOf(packed: number, countUnit: number): number {
  return packed - Math.floor(packed / countUnit) * countUnit
}

/** Smallest power of two ≥ a value, and not so small that its parts would underflow. */
function powerOfTwoAbove(given: number): number {
  const value = Math.max(given, 1e-200)
  let power = 1
  while (power < value) power *= 2
  while (power / 2 >= value) power /= 2
  return power
}
