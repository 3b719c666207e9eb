import { createMatrixKernel, type MatrixKernel } from '../kernel/matrix-kernel.ts'
import type { KdTree } from './kd-tree.ts'
import { squaredDistance } from './kd-tree-distance.ts'
import { insertNeighbour, type NeighbourList } from './kd-tree-search.ts'

/** Queries multiplied at a time. */
export const DENSE_QUERIES = 32

/** Points multiplied at a time: 32 × 2,048 products of 4 bytes stay in the second-level cache. */
const CHUNK_POINTS = 2048

/** More than 32-bit products can lose per term where they become too small for the format. */
const UNDERFLOW_SLACK = 2 ** -120

/** Above this squared length 32-bit products could overflow. */
const MAX_SQUARED_LENGTH = 1e30

/** Points of a tree prepared for comparison with many queries at once. */
export type DenseSearch = {
  readonly tree: KdTree
  readonly kernel: MatrixKernel
  /** Mean of the points, subtracted from both sides: short vectors round less. */
  readonly centre: Float64Array
  /** Largest length of a centred point. */
  readonly reach: number
  readonly paddedPoints: number
  readonly queryStride: number
  /** Where squared lengths, coordinates by dimension, queries and products lie in the kernel. */
  readonly lengthsAt: number
  readonly pointsAt: number
  readonly queriesAt: number
  readonly productsAt: number
}

/**
 * Prepares an exhaustive search by matrix products; null where values are too large for it.
 * Cost O(points · dimensions) and 4 bytes per coordinate.
 */
export function prepareDenseSearch(tree: KdTree): DenseSearch | null {
  const { pointCount, dimensionCount, points } = tree
  const centre = meanOfPoints(tree)
  const paddedPoints = paddedTo4(pointCount)
  const queryStride = paddedTo4(dimensionCount)
  const pointsAt = paddedPoints
  const queriesAt = pointsAt + dimensionCount * paddedPoints
  const productsAt = queriesAt + DENSE_QUERIES * queryStride
  const kernel = createMatrixKernel(productsAt + DENSE_QUERIES * CHUNK_POINTS)
  const { floats } = kernel
  let largest = 0
  for (let position = 0; position < pointCount; position++) {
    let square = 0
    for (let d = 0; d < dimensionCount; d++) {
      const coordinate = points[position * dimensionCount + d]! - centre[d]!
      square += coordinate * coordinate
      floats[pointsAt + d * paddedPoints + position] = -2 * coordinate
    }
    floats[position] = square
    largest = Math.max(largest, square)
  }
  if (!(largest < MAX_SQUARED_LENGTH)) return null
  const layout = { lengthsAt: 0, pointsAt, queriesAt, productsAt, paddedPoints, queryStride }
  return { tree, kernel, centre, reach: Math.sqrt(largest), ...layout }
}

/**
 * What `findNearest` finds for up to 32 queries, to the bit. Products of 32-bit floats give
 * |p|² − 2 q·p to within a bound; only points that could be near enough are measured in 64 bits.
 * @param queries queryCount × dimensions, row-major
 * @param excludedStart position left out of the first query's answer, the next for the next query,
 *   and so on; −1 to leave out none
 */
export function findNearestDense(
  search: DenseSearch,
  queries: Float64Array,
  queryCount: number,
  excludedStart: number,
  lists: readonly NeighbourList[],
): void {
  const { kernel, tree, lengthsAt, pointsAt, queriesAt, productsAt } = search
  const { paddedPoints, queryStride } = search
  const { pointCount, dimensionCount } = tree
  const slacks = new Float64Array(queryCount)
  for (let i = 0; i < queryCount; i++) {
    slacks[i] = setQuery(search, queries, i)
    lists[i]!.count = 0
    lists[i]!.limit = Number.POSITIVE_INFINITY
  }
  for (let start = 0; start < pointCount; start += CHUNK_POINTS) {
    const width = Math.min(CHUNK_POINTS, paddedPoints - start)
    kernel.multiply(
      queriesAt,
      queryStride,
      1,
      pointsAt + start,
      paddedPoints,
      lengthsAt + start,
      0,
      productsAt,
      CHUNK_POINTS,
      queryCount,
      dimensionCount,
      width,
    )
    const end = Math.min(start + CHUNK_POINTS, pointCount)
    for (let i = 0; i < queryCount; i++) {
      const query = queries.subarray(i * dimensionCount, (i + 1) * dimensionCount)
      const excluded = excludedStart < 0 ? -1 : excludedStart + i
      const products = productsAt + i * CHUNK_POINTS
      measureNear(search, products, start, end, query, excluded, slacks[i]!, lists[i]!)
    }
  }
}

/**
 * Writes a centred query to the kernel. Returns by how much a product may be above the squared
 * distance limit: −|q|² plus the bound on rounding, (dimensions + 4) · 2⁻²³ · (r² + 2 r |q|) for
 * points no longer than r (Higham 2002, section 3.1, doubled); NaN to measure every point.
 */
function setQuery(search: DenseSearch, queries: Float64Array, index: number): number {
  const { kernel, centre, reach, queriesAt, queryStride } = search
  const dimensionCount = centre.length
  let square = 0
  for (let d = 0; d < dimensionCount; d++) {
    const coordinate = queries[index * dimensionCount + d]! - centre[d]!
    kernel.floats[queriesAt + index * queryStride + d] = coordinate
    square += coordinate * coordinate
  }
  if (!(square < MAX_SQUARED_LENGTH)) return Number.NaN
  const terms = reach * reach + 2 * reach * Math.sqrt(square)
  return (dimensionCount + 4) * (2 ** -23 * terms + UNDERFLOW_SLACK) - square
}

/** Measures the points of [start, end) whose product does not rule them out. */
function measureNear(
  { tree, kernel }: DenseSearch,
  products: number,
  start: number,
  end: number,
  query: Float64Array,
  excluded: number,
  slack: number,
  list: NeighbourList,
): void {
  const { floats } = kernel
  const at = products - start
  let bound = list.limit + slack
  // Nearly all points are ruled out: four at a time. Written so that NaN rules out nothing.
  let position = start
  for (; position + 4 <= end; position += 4) {
    if (
      floats[at + position]! > bound &&
      floats[at + position + 1]! > bound &&
      floats[at + position + 2]! > bound &&
      floats[at + position + 3]! > bound
    ) {
      continue
    }
    for (let i = position; i < position + 4; i++) {
      if (floats[at + i]! > bound || i === excluded) continue
      measurePoint(tree, i, query, list)
      bound = list.limit + slack
    }
  }
  for (; position < end; position++) {
    if (position !== excluded) measurePoint(tree, position, query, list)
  }
}

function measurePoint(
  { points, dimensionCount, originalIndices }: KdTree,
  position: number,
  query: Float64Array,
  list: NeighbourList,
): void {
  const first = position * dimensionCount
  const square = squaredDistance(points, dimensionCount, first, query, list.limit)
  if (square <= list.limit) insertNeighbour(originalIndices, list, square, position)
}

function meanOfPoints({ points, pointCount, dimensionCount }: KdTree): Float64Array {
  const mean = new Float64Array(dimensionCount)
  for (let at = 0; at < points.length; at += dimensionCount) {
    for (let d = 0; d < dimensionCount; d++) mean[d] = mean[d]! + points[at + d]! / pointCount
  }
  return mean
}

function paddedTo4(count: number): number {
  return Math.ceil(count / 4) * 4
}
