import type { KdTree } from './kd-tree.ts'

/** Dimensions whose squares are added without a branch between them; see `scanWide`. */
export const WIDE_DIMENSIONS = 8

/**
 * Squared distance from `query` to the point whose first coordinate is `points[first]`, or some
 * number above `limit` as soon as it is known to exceed it. Eight dimensions are added without a
 * branch, which costs less than a branch that mispredicts.
 */
export function squaredDistance(
  points: Float64Array,
  dimensionCount: number,
  first: number,
  query: Float64Array,
  limit: number,
): number {
  return addSquares(points, dimensionCount, first, query, limit, 0, 0)
}

/** Adds dimensions [dimension, dimensionCount) to `sum`; stops once it is above `limit`. */
export function addSquares(
  points: Float64Array,
  dimensionCount: number,
  first: number,
  query: Float64Array,
  limit: number,
  dimension: number,
  sum: number,
): number {
  let total = sum
  let d = dimension
  for (; d + WIDE_DIMENSIONS <= dimensionCount; d += WIDE_DIMENSIONS) {
    const at = first + d
    const a = query[d]! - points[at]!
    const b = query[d + 1]! - points[at + 1]!
    const c = query[d + 2]! - points[at + 2]!
    const e = query[d + 3]! - points[at + 3]!
    const f = query[d + 4]! - points[at + 4]!
    const g = query[d + 5]! - points[at + 5]!
    const h = query[d + 6]! - points[at + 6]!
    const i = query[d + 7]! - points[at + 7]!
    total += a * a + b * b + (c * c + e * e) + (f * f + g * g + (h * h + i * i))
    if (total > limit) return total
  }
  for (; d < dimensionCount; d++) {
    const difference = query[d]! - points[first + d]!
    total += difference * difference
  }
  return total
}

/**
 * Squared distance from the query to a node's box. Never above the distance to a point inside,
 * also in floating point: every term is at most the point's, and they are added in the order of
 * `squaredDistance`.
 */
export function squaredBoxDistance(tree: KdTree, query: Float64Array, node: number): number {
  const { boxes, dimensionCount } = tree
  const lower = node * 2 * dimensionCount
  const upper = lower + dimensionCount
  let sum = 0
  let d = 0
  for (; d + WIDE_DIMENSIONS <= dimensionCount; d += WIDE_DIMENSIONS) {
    const low = lower + d
    const high = upper + d
    const a = outside(query[d]!, boxes[low]!, boxes[high]!)
    const b = outside(query[d + 1]!, boxes[low + 1]!, boxes[high + 1]!)
    const c = outside(query[d + 2]!, boxes[low + 2]!, boxes[high + 2]!)
    const e = outside(query[d + 3]!, boxes[low + 3]!, boxes[high + 3]!)
    const f = outside(query[d + 4]!, boxes[low + 4]!, boxes[high + 4]!)
    const g = outside(query[d + 5]!, boxes[low + 5]!, boxes[high + 5]!)
    const h = outside(query[d + 6]!, boxes[low + 6]!, boxes[high + 6]!)
    const i = outside(query[d + 7]!, boxes[low + 7]!, boxes[high + 7]!)
    sum += a * a + b * b + (c * c + e * e) + (f * f + g * g + (h * h + i * i))
  }
  for (; d < dimensionCount; d++) {
    const distance = outside(query[d]!, boxes[lower + d]!, boxes[upper + d]!)
    sum += distance * distance
  }
  return sum
}

/**
 * How far a value lies outside [lower, upper]. At most one gap is positive; |g| + g is 2g for it
 * and 0 for the other, exactly, and needs no branch.
 */
function outside(value: number, lower: number, upper: number): number {
  const below = lower - value
  const above = value - upper
  return 0.5 * (Math.abs(below) + below + (Math.abs(above) + above))
}

/** Adds the squared difference per dimension from the query to one point to `out[cells…]`. */
export function addSquaredGaps(
  tree: KdTree,
  query: Float64Array,
  position: number,
  out: Float64Array,
  cells: number,
): void {
  const { points, dimensionCount } = tree
  const first = position * dimensionCount
  for (let d = 0; d < dimensionCount; d++) {
    const gap = query[d]! - points[first + d]!
    out[cells + d] = out[cells + d]! + gap * gap
  }
}
