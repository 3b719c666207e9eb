import type { KdTree } from './kd-tree.ts'

/** The nearest points found by a query, nearest first; reused from query to query. */
export type NeighbourList = {
  readonly capacity: number
  /** How many were found. */
  count: number
  /** Squared distances. */
  readonly squaredDistances: Float64Array
  /** Positions in tree order. */
  readonly positions: Int32Array
}

/** An empty list for up to `capacity` neighbours. */
export function neighbourList(capacity: number): NeighbourList {
  return {
    capacity,
    count: 0,
    squaredDistances: new Float64Array(capacity),
    positions: new Int32Array(capacity),
  }
}

/**
 * Finds the exact nearest points to `query` by Euclidean distance. Equal distances are ordered by
 * original index, so that the answer does not depend on the shape of the tree.
 * @param excluded position left out, to ask for the neighbours of a point of the set; −1 for none
 */
export function findNearest(
  tree: KdTree,
  query: Float64Array,
  excluded: number,
  found: NeighbourList,
): void {
  found.count = 0
  visit(tree, query, excluded, found, 0, 0, tree.pointCount, 0)
}

function visit(
  tree: KdTree,
  query: Float64Array,
  excluded: number,
  found: NeighbourList,
  node: number,
  start: number,
  end: number,
  level: number,
): void {
  if (level === tree.levelCount) {
    scan(tree, query, excluded, found, start, end)
    return
  }
  const middle = (start + end) >>> 1
  const left = 2 * node + 1
  const leftDistance = squaredBoxDistance(tree, query, left)
  const rightDistance = squaredBoxDistance(tree, query, left + 1)
  const leftFirst = leftDistance <= rightDistance
  const near = leftFirst ? leftDistance : rightDistance
  const far = leftFirst ? rightDistance : leftDistance
  // A box as far as the worst neighbour may still hold one of equal distance and lower index.
  if (near <= worst(found)) {
    if (leftFirst) visit(tree, query, excluded, found, left, start, middle, level + 1)
    else visit(tree, query, excluded, found, left + 1, middle, end, level + 1)
  }
  if (far <= worst(found)) {
    if (leftFirst) visit(tree, query, excluded, found, left + 1, middle, end, level + 1)
    else visit(tree, query, excluded, found, left, start, middle, level + 1)
  }
}

function scan(
  tree: KdTree,
  query: Float64Array,
  excluded: number,
  found: NeighbourList,
  start: number,
  end: number,
): void {
  const { points, dimensionCount } = tree
  let limit = worst(found)
  for (let position = start; position < end; position++) {
    const first = position * dimensionCount
    const last = first + dimensionCount
    let sum = 0
    let at = first
    // Four dimensions at a time, then give up on a point already too far: half of the work.
    for (; at + 4 <= last && sum <= limit; at += 4) {
      const a = query[at - first]! - points[at]!
      const b = query[at - first + 1]! - points[at + 1]!
      const c = query[at - first + 2]! - points[at + 2]!
      const d = query[at - first + 3]! - points[at + 3]!
      sum += a * a + b * b + (c * c + d * d)
    }
    if (sum > limit) continue
    for (; at < last; at++) {
      const difference = query[at - first]! - points[at]!
      sum += difference * difference
    }
    if (sum <= limit && position !== excluded) {
      insert(tree, found, sum, position)
      limit = worst(found)
    }
  }
}

function worst(found: NeighbourList): number {
  return found.count < found.capacity
    ? Number.POSITIVE_INFINITY
    : found.squaredDistances[found.capacity - 1]!
}

function insert(
  tree: KdTree,
  found: NeighbourList,
  squaredDistance: number,
  position: number,
): void {
  const { squaredDistances, positions } = found
  const isFull = found.count === found.capacity
  const last = found.capacity - 1
  if (isFull && !isNearer(tree, found, squaredDistance, position, last)) return
  let at = isFull ? last : found.count
  while (at > 0 && isNearer(tree, found, squaredDistance, position, at - 1)) {
    squaredDistances[at] = squaredDistances[at - 1]!
    positions[at] = positions[at - 1]!
    at--
  }
  squaredDistances[at] = squaredDistance
  positions[at] = position
  if (!isFull) found.count++
}

function isNearer(
  tree: KdTree,
  found: NeighbourList,
  squaredDistance: number,
  position: number,
  other: number,
): boolean {
  const otherDistance = found.squaredDistances[other]!
  if (squaredDistance !== otherDistance) return squaredDistance < otherDistance
  return tree.originalIndices[position]! < tree.originalIndices[found.positions[other]!]!
}

/**
 * Squared distance from the query to a node's box. Never above the distance to a point inside,
 * also in floating point: every term is at most the point's, and `scan` adds them in this order.
 */
function squaredBoxDistance(tree: KdTree, query: Float64Array, node: number): number {
  const { boxes, dimensionCount } = tree
  const lower = node * 2 * dimensionCount
  const upper = lower + dimensionCount
  let sum = 0
  let d = 0
  for (; d + 4 <= dimensionCount; d += 4) {
    const a = outside(query[d]!, boxes[lower + d]!, boxes[upper + d]!)
    const b = outside(query[d + 1]!, boxes[lower + d + 1]!, boxes[upper + d + 1]!)
    const c = outside(query[d + 2]!, boxes[lower + d + 2]!, boxes[upper + d + 2]!)
    const e = outside(query[d + 3]!, boxes[lower + d + 3]!, boxes[upper + d + 3]!)
    sum += a * a + b * b + (c * c + e * e)
  }
  for (; d < dimensionCount; d++) {
    const distance = outside(query[d]!, boxes[lower + d]!, boxes[upper + d]!)
    sum += distance * distance
  }
  return sum
}

function outside(value: number, lower: number, upper: number): number {
  return value < lower ? lower - value : value > upper ? value - upper : 0
}
