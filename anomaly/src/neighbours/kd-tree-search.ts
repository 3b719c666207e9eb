import type { KdTree } from './kd-tree.ts'
import {
  addSquares,
  squaredBoxDistance,
  squaredDistance,
  WIDE_DIMENSIONS,
} from './kd-tree-distance.ts'

/** The nearest points found by a query, nearest first; reused from query to query. */
export type NeighbourList = {
  readonly capacity: number
  /** How many were found. */
  count: number
  /** Squared distance beyond which no point can enter the list any more. */
  limit: number
  /** Points that the query was compared with: what it cost. */
  lookedAt: number
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
    limit: Number.POSITIVE_INFINITY,
    lookedAt: 0,
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
  found.limit = Number.POSITIVE_INFINITY
  found.lookedAt = 0
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
    found.lookedAt += end - start
    if (tree.dimensionCount < WIDE_DIMENSIONS) scan(tree, query, excluded, found, start, end)
    else scanWide(tree, query, excluded, found, start, end)
    return
  }
  const middle = (start + end) >>> 1
  const left = 2 * node + 1
  const leftDistance = squaredBoxDistance(tree, query, left)
  const rightDistance = squaredBoxDistance(tree, query, left + 1)
  // A box as far as the worst neighbour may still hold one of equal distance and lower index.
  if (leftDistance <= rightDistance) {
    if (leftDistance <= found.limit) {
      visit(tree, query, excluded, found, left, start, middle, level + 1)
    }
    if (rightDistance <= found.limit) {
      visit(tree, query, excluded, found, left + 1, middle, end, level + 1)
    }
  } else {
    if (rightDistance <= found.limit) {
      visit(tree, query, excluded, found, left + 1, middle, end, level + 1)
    }
    if (leftDistance <= found.limit) {
      visit(tree, query, excluded, found, left, start, middle, level + 1)
    }
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
  for (let position = start; position < end; position++) {
    const first = position * dimensionCount
    const square = squaredDistance(points, dimensionCount, first, query, found.limit)
    if (square <= found.limit && position !== excluded) {
      insertNeighbour(tree.originalIndices, found, square, position)
    }
  }
}

/**
 * `scan` for eight or more dimensions, the first eight of the query kept in registers: the same
 * sums in three quarters of the time.
 */
function scanWide(
  tree: KdTree,
  query: Float64Array,
  excluded: number,
  found: NeighbourList,
  start: number,
  end: number,
): void {
  const { points, dimensionCount, originalIndices } = tree
  const isWider = dimensionCount > WIDE_DIMENSIONS
  let limit = found.limit
  const q0 = query[0]!
  const q1 = query[1]!
  const q2 = query[2]!
  const q3 = query[3]!
  const q4 = query[4]!
  const q5 = query[5]!
  const q6 = query[6]!
  const q7 = query[7]!
  for (let position = start; position < end; position++) {
    const at = position * dimensionCount
    const a = q0 - points[at]!
    const b = q1 - points[at + 1]!
    const c = q2 - points[at + 2]!
    const e = q3 - points[at + 3]!
    const f = q4 - points[at + 4]!
    const g = q5 - points[at + 5]!
    const h = q6 - points[at + 6]!
    const i = q7 - points[at + 7]!
    let square = a * a + b * b + (c * c + e * e) + (f * f + g * g + (h * h + i * i))
    if (isWider && square <= limit) {
      square = addSquares(points, dimensionCount, at, query, limit, WIDE_DIMENSIONS, square)
    }
    if (square <= limit && position !== excluded) {
      insertNeighbour(originalIndices, found, square, position)
      limit = found.limit
    }
  }
}

/** Puts a point no farther than the limit into its place; the last one falls out of a full list. */
export function insertNeighbour(
  originalIndices: Uint32Array,
  found: NeighbourList,
  square: number,
  position: number,
): void {
  const { squaredDistances, positions, capacity } = found
  const index = originalIndices[position]!
  let at = found.count
  if (at === capacity) {
    at--
    const isBehind = square === squaredDistances[at] && index > originalIndices[positions[at]!]!
    if (isBehind) return
  } else {
    found.count = at + 1
  }
  while (at > 0) {
    const before = squaredDistances[at - 1]!
    if (before < square) break
    if (before === square && originalIndices[positions[at - 1]!]! < index) break
    squaredDistances[at] = before
    positions[at] = positions[at - 1]!
    at--
  }
  squaredDistances[at] = square
  positions[at] = position
  if (found.count === capacity) found.limit = squaredDistances[capacity - 1]!
}
