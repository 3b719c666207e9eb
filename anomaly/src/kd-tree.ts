/** Most points in a leaf: below this a straight scan is cheaper than another level. */
const LEAF_POINTS = 32

/**
 * Balanced k-d tree over a fixed point set: plain data, no pointers. Node n has the children
 * 2n + 1 and 2n + 2 and covers a range of `points` that follows from halving [0, pointCount) on
 * the way down; all leaves are on level `levelCount`.
 */
export type KdTree = {
  readonly dimensionCount: number
  readonly pointCount: number
  readonly levelCount: number
  /** pointCount × dimensions, row-major, in tree order. */
  readonly points: Float64Array
  /** Index of each point in the set the tree was built from. */
  readonly originalIndices: Uint32Array
  /** Per node: dimensions lower bounds, then dimensions upper bounds. */
  readonly boxes: Float64Array
}

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

/**
 * Builds the tree by halving the widest dimension at its median.
 * @param points pointCount × dimensionCount, row-major, finite; not changed
 * Cost O(n log² n). Source: Bentley 1975; bounding boxes after Arya & Mount 1993.
 */
export function buildKdTree(points: Float64Array, dimensionCount: number): KdTree {
  const pointCount = points.length / dimensionCount
  const levelCount = Math.max(0, Math.ceil(Math.log2(pointCount / LEAF_POINTS)))
  const nodeCount = 2 ** (levelCount + 1) - 1
  const order = new Uint32Array(pointCount)
  for (let i = 0; i < pointCount; i++) order[i] = i
  const boxes = new Float64Array(nodeCount * 2 * dimensionCount)
  halve(points, dimensionCount, order, boxes, 0, 0, pointCount, levelCount)
  const arranged = new Float64Array(points.length)
  for (let i = 0; i < pointCount; i++) {
    const from = order[i]! * dimensionCount
    arranged.set(points.subarray(from, from + dimensionCount), i * dimensionCount)
  }
  return {
    dimensionCount,
    pointCount,
    levelCount,
    points: arranged,
    originalIndices: order,
    boxes,
  }
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

function halve(
  points: Float64Array,
  dimensionCount: number,
  order: Uint32Array,
  boxes: Float64Array,
  node: number,
  start: number,
  end: number,
  levelsLeft: number,
): void {
  const widest = fillBox(points, dimensionCount, order, boxes, node, start, end)
  if (levelsLeft === 0) return
  order
    .subarray(start, end)
    .sort(
      (a, b) =>
        points[a * dimensionCount + widest]! - points[b * dimensionCount + widest]! || a - b,
    )
  const middle = (start + end) >>> 1
  const left = 2 * node + 1
  halve(points, dimensionCount, order, boxes, left, start, middle, levelsLeft - 1)
  halve(points, dimensionCount, order, boxes, left + 1, middle, end, levelsLeft - 1)
}

/** Writes the node's bounding box; returns its widest dimension. */
function fillBox(
  points: Float64Array,
  dimensionCount: number,
  order: Uint32Array,
  boxes: Float64Array,
  node: number,
  start: number,
  end: number,
): number {
  const lower = node * 2 * dimensionCount
  let widest = 0
  let widestExtent = -1
  for (let d = 0; d < dimensionCount; d++) {
    let minimum = Number.POSITIVE_INFINITY
    let maximum = Number.NEGATIVE_INFINITY
    for (let i = start; i < end; i++) {
      const value = points[order[i]! * dimensionCount + d]!
      if (value < minimum) minimum = value
      if (value > maximum) maximum = value
    }
    boxes[lower + d] = minimum
    boxes[lower + dimensionCount + d] = maximum
    if (maximum - minimum > widestExtent) {
      widestExtent = maximum - minimum
      widest = d
    }
  }
  return widest
}
