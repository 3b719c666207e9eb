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
