import { buildKdTree, type KdTree } from '../neighbours/kd-tree.ts'
import { findWithin, hasWithin, positionList } from '../neighbours/kd-tree-radius.ts'

/** Label of a row that belongs to no cluster. */
export const NOISE = -1

/** Clusters of a point set. */
export type DensityClusters = {
  readonly clusterCount: number
  /** Cluster of each point, from 0; NOISE for none. */
  readonly labels: Int32Array
  /** Points with enough neighbours to carry a cluster, ascending. */
  readonly corePoints: Uint32Array
  /** k-d tree of the core points, whose indices refer to `corePoints`; null if there is none. */
  readonly coreTree: KdTree | null
}

/**
 * DBSCAN: points with at least `minSamples` points (itself included) within the radius are core;
 * core points within the radius of each other share a cluster; other points join a cluster that
 * has a core point within the radius, the lowest-numbered if there are several. Clusters are
 * numbered by their first core point. That is what scikit-learn does with rows in this order.
 * Cost two tree queries per point; memory O(points), whatever the number of neighbours.
 * Source: Ester, Kriegel, Sander & Xu 1996; union of core points after Patwary et al. 2012.
 */
export function findDensityClusters(
  points: Float64Array,
  columnCount: number,
  radius: number,
  minSamples: number,
): DensityClusters {
  const corePoints = findCorePoints(points, columnCount, radius, minSamples)
  const labels = new Int32Array(points.length / columnCount).fill(NOISE)
  if (corePoints.length === 0) return { clusterCount: 0, labels, corePoints, coreTree: null }
  const corePositions = new Float64Array(corePoints.length * columnCount)
  for (const [i, point] of corePoints.entries()) {
    const from = point * columnCount
    for (let d = 0; d < columnCount; d++) corePositions[i * columnCount + d] = points[from + d]!
  }
  const coreTree = buildKdTree(corePositions, columnCount)
  const clusterOfCore = new Int32Array(corePoints.length)
  const clusterCount = joinCorePoints(coreTree, radius, clusterOfCore)
  for (const [i, point] of corePoints.entries()) labels[point] = clusterOfCore[i]!
  labelBorderPoints(points, coreTree, radius, clusterOfCore, labels)
  return { clusterCount, labels, corePoints, coreTree }
}

function findCorePoints(
  points: Float64Array,
  columnCount: number,
  radius: number,
  minSamples: number,
): Uint32Array {
  const tree = buildKdTree(points, columnCount)
  const query = new Float64Array(columnCount)
  const found = positionList()
  const isCore = new Uint8Array(tree.pointCount)
  let coreCount = 0
  for (let position = 0; position < tree.pointCount; position++) {
    const at = position * columnCount
    for (let d = 0; d < columnCount; d++) query[d] = tree.points[at + d]!
    if (hasWithin(tree, query, radius * radius, minSamples, found)) {
      isCore[tree.originalIndices[position]!] = 1
      coreCount++
    }
  }
  const corePoints = new Uint32Array(coreCount)
  let next = 0
  for (let point = 0; point < isCore.length; point++) {
    if (isCore[point] === 1) corePoints[next++] = point
  }
  return corePoints
}

/** Writes the cluster of each core point, by its index; returns the number of clusters. */
function joinCorePoints(tree: KdTree, radius: number, clusterOfCore: Int32Array): number {
  const { pointCount, dimensionCount, originalIndices } = tree
  const parents = new Uint32Array(pointCount)
  const query = new Float64Array(dimensionCount)
  const found = positionList()
  for (let position = 0; position < pointCount; position++) {
    parents[position] = position
    const at = position * dimensionCount
    for (let d = 0; d < dimensionCount; d++) query[d] = tree.points[at + d]!
    // Each pair once: the later position asks.
    findWithin(tree, query, radius * radius, position, found)
    let root = position
    for (let i = 0; i < found.count; i++) {
      const other = rootOf(parents, found.positions[i]!)
      if (other === root) continue
      parents[Math.max(root, other)] = Math.min(root, other)
      root = Math.min(root, other)
    }
  }
  const rootOfCore = new Uint32Array(pointCount)
  for (let position = 0; position < pointCount; position++) {
    rootOfCore[originalIndices[position]!] = rootOf(parents, position)
  }
  return numberByFirst(rootOfCore, clusterOfCore)
}

/** Root of a point's set; halves the path on the way. */
function rootOf(parents: Uint32Array, position: number): number {
  let at = position
  while (parents[at] !== at) {
    parents[at] = parents[parents[at]!]!
    at = parents[at]!
  }
  return at
}

/** Numbers roots in the order of their first point. */
function numberByFirst(rootOfCore: Uint32Array, clusterOfCore: Int32Array): number {
  const numberOfRoot = new Int32Array(rootOfCore.length).fill(NOISE)
  let clusterCount = 0
  for (let core = 0; core < rootOfCore.length; core++) {
    const root = rootOfCore[core]!
    if (numberOfRoot[root] === NOISE) numberOfRoot[root] = clusterCount++
    clusterOfCore[core] = numberOfRoot[root]!
  }
  return clusterCount
}

function labelBorderPoints(
  points: Float64Array,
  coreTree: KdTree,
  radius: number,
  clusterOfCore: Int32Array,
  labels: Int32Array,
): void {
  const { dimensionCount, pointCount, originalIndices } = coreTree
  const query = new Float64Array(dimensionCount)
  const found = positionList()
  for (let point = 0; point < labels.length; point++) {
    if (labels[point] !== NOISE) continue
    const at = point * dimensionCount
    for (let d = 0; d < dimensionCount; d++) query[d] = points[at + d]!
    findWithin(coreTree, query, radius * radius, pointCount, found)
    let lowest = NOISE
    for (let i = 0; i < found.count; i++) {
      const cluster = clusterOfCore[originalIndices[found.positions[i]!]!]!
      if (lowest === NOISE || cluster < lowest) lowest = cluster
    }
    labels[point] = lowest
  }
}
