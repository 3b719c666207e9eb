import type { KdTree } from './kd-tree.ts'
import {
  addSquares,
  squaredBoxDistance,
  squaredDistance,
  WIDE_DIMENSIONS,
} from './kd-tree-distance.ts'

/** Positions found by a radius query, in tree order; grows to the largest answer. */
export type PositionList = { count: number; positions: Uint32Array }

/** An empty list. */
export function positionList(): PositionList {
  return { count: 0, positions: new Uint32Array(64) }
}

/**
 * Whether at least `wanted` points of the tree lie within the radius of `query`, borders included.
 * Stops at the leaf in which the answer is known.
 * @param found scratch
 */
export function hasWithin(
  tree: KdTree,
  query: Float64Array,
  squaredRadius: number,
  wanted: number,
  found: PositionList,
): boolean {
  found.count = 0
  visitUntil(tree, query, squaredRadius, wanted, found, 0, 0, tree.pointCount, 0)
  return found.count >= wanted
}

/** The nearer half first: a dense place answers before the rest is looked at. */
function visitUntil(
  tree: KdTree,
  query: Float64Array,
  squaredRadius: number,
  wanted: number,
  found: PositionList,
  node: number,
  start: number,
  end: number,
  level: number,
): void {
  if (level === tree.levelCount) {
    scan(tree, query, squaredRadius, found, start, end)
    return
  }
  const middle = (start + end) >>> 1
  const left = 2 * node + 1
  const leftDistance = squaredBoxDistance(tree, query, left)
  const rightDistance = squaredBoxDistance(tree, query, left + 1)
  const isLeftFirst = leftDistance <= rightDistance
  for (let turn = 0; turn < 2 && found.count < wanted; turn++) {
    const isLeft = isLeftFirst === (turn === 0)
    if ((isLeft ? leftDistance : rightDistance) > squaredRadius) continue
    const child = isLeft ? left : left + 1
    const from = isLeft ? start : middle
    const to = isLeft ? middle : end
    visitUntil(tree, query, squaredRadius, wanted, found, child, from, to, level + 1)
  }
}

/**
 * Finds all points within the radius of `query`, borders included, at positions below `endPosition`
 * (half of all pairs is enough where both sides ask).
 */
export function findWithin(
  tree: KdTree,
  query: Float64Array,
  squaredRadius: number,
  endPosition: number,
  found: PositionList,
): void {
  found.count = 0
  visitAll(tree, query, squaredRadius, endPosition, found, 0, 0, tree.pointCount, 0)
}

function visitAll(
  tree: KdTree,
  query: Float64Array,
  squaredRadius: number,
  endPosition: number,
  found: PositionList,
  node: number,
  start: number,
  end: number,
  level: number,
): void {
  if (start >= endPosition || squaredBoxDistance(tree, query, node) > squaredRadius) return
  if (level === tree.levelCount) {
    scan(tree, query, squaredRadius, found, start, Math.min(end, endPosition))
    return
  }
  const middle = (start + end) >>> 1
  const left = 2 * node + 1
  visitAll(tree, query, squaredRadius, endPosition, found, left, start, middle, level + 1)
  visitAll(tree, query, squaredRadius, endPosition, found, left + 1, middle, end, level + 1)
}

function scan(
  tree: KdTree,
  query: Float64Array,
  squaredRadius: number,
  found: PositionList,
  start: number,
  end: number,
): void {
  if (found.count + end - start > found.positions.length) grow(found, end - start)
  const { points, dimensionCount } = tree
  if (dimensionCount >= WIDE_DIMENSIONS) {
    scanWide(points, dimensionCount, query, squaredRadius, found, start, end)
    return
  }
  const { positions } = found
  let { count } = found
  for (let position = start; position < end; position++) {
    const first = position * dimensionCount
    const square = squaredDistance(points, dimensionCount, first, query, squaredRadius)
    // Written always, kept only if near: no branch.
    positions[count] = position
    count += Number(square <= squaredRadius)
  }
  found.count = count
}

/** `scan` for eight or more dimensions, the first eight of the query kept in registers. */
function scanWide(
  points: Float64Array,
  dimensionCount: number,
  query: Float64Array,
  squaredRadius: number,
  found: PositionList,
  start: number,
  end: number,
): void {
  const isWider = dimensionCount > WIDE_DIMENSIONS
  const { positions } = found
  let { count } = found
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
    if (isWider && square <= squaredRadius) {
      square = addSquares(points, dimensionCount, at, query, squaredRadius, WIDE_DIMENSIONS, square)
    }
    positions[count] = position
    count += Number(square <= squaredRadius)
  }
  found.count = count
}

function grow(found: PositionList, more: number): void {
  const larger = new Uint32Array(2 * (found.count + more))
  larger.set(found.positions.subarray(0, found.count))
  found.positions = larger
}
