import type { BoostedTrees } from '../boosting/boosted-trees.ts'
import { edgeStates, gaussLegendre, type Quadrature } from './tree-shap-game.ts'

/**
 * One boosted tree prepared for exact Shapley values, see `TreeGame` for the mathematics: every leaf
 * is a product over the columns on its path, and the Shapley value of a product game is an integral
 * that a Gauss–Legendre rule solves exactly. Edges are numbered by the node they lead to; edge 0
 * stands for the root, which every row passes.
 *
 * Tables by state hold one block of points per state of an edge, at index
 * `(edge * 3 + state) * pointCount + point`.
 */
export type BoostedTreeGame = {
  readonly edgeCount: number
  /** Exact for this tree's longest path, padded to a multiple of `LANES` with points of weight 0. */
  readonly quadrature: Quadrature
  /** Per node: column, threshold and side of missing cells of its split. */
  readonly columns: Uint16Array
  readonly thresholds: Float64Array
  readonly missingGoesRight: Uint8Array
  /** 1 if the node is a leaf. */
  readonly isLeaf: Uint8Array
  /** Per edge: column of the split above, 1 if it leads right, edge above. */
  readonly edgeColumns: Uint16Array
  readonly isRight: Uint8Array
  readonly parents: Uint32Array
  /** Nearest edge above with the same column; 0 if none. */
  readonly previousSame: Uint32Array
  readonly leafValues: Float64Array
  /** Factor of the edge on the path product, by state. */
  readonly factors: Float64Array
  /** Weight of the edge's column for the leaves below it, by state. */
  readonly weights: Float64Array
  /** Mean margin over the training rows: the value of knowing nothing. */
  readonly expectation: number
}

/** Points that the loops over a game take at a time, written out. */
export const LANES = 4

/** Prepares tree `tree` of a model. Cost O(nodes · points). */
export function boostedTreeGame(model: BoostedTrees, tree: number): BoostedTreeGame {
  const root = model.treeRoots[tree]!
  const edgeCount = (model.treeRoots[tree + 1] ?? model.leafValues.length) - root
  const isLeaf = new Uint8Array(edgeCount)
  const edges = {
    edgeColumns: new Uint16Array(edgeCount),
    isRight: new Uint8Array(edgeCount),
    parents: new Uint32Array(edgeCount),
    previousSame: new Uint32Array(edgeCount),
  }
  // Shares of training rows that the split above keeps, and that all splits on the column keep.
  const keptShares = new Float64Array(edgeCount).fill(1)
  const keptOnColumn = new Float64Array(edgeCount).fill(1)
  const reach = new Float64Array(edgeCount).fill(1)
  const pathColumns = new Uint32Array(edgeCount)
  let expectation = 0
  let longestPath = 1
  for (let node = 0; node < edgeCount; node++) {
    const column = model.splitColumns[root + node]!
    for (let side = 0; side < 2; side++) {
      const child = model.children[2 * (root + node) + side]! - root
      if (child === node) {
        isLeaf[node] = 1
        break
      }
      edges.edgeColumns[child] = column
      edges.isRight[child] = side
      edges.parents[child] = node
      const previous = nearestSame(edges.edgeColumns, edges.parents, node, column)
      edges.previousSame[child] = previous
      keptShares[child] = coverShare(model.nodeCovers, root + node, root + child)
      keptOnColumn[child] = keptOnColumn[previous]! * keptShares[child]!
      reach[child] = reach[node]! * keptShares[child]!
      pathColumns[child] = pathColumns[node]! + (previous === 0 ? 1 : 0)
    }
    expectation += reach[node]! * model.leafValues[root + node]!
    longestPath = Math.max(longestPath, pathColumns[node]!)
  }
  const quadrature = inLanes(gaussLegendre(Math.ceil(longestPath / 2)))
  return {
    edgeCount,
    quadrature,
    columns: model.splitColumns.subarray(root, root + edgeCount),
    thresholds: model.splitThresholds.subarray(root, root + edgeCount),
    missingGoesRight: model.missingGoesLeft
      .subarray(root, root + edgeCount)
      .map((isLeft) => 1 - isLeft),
    isLeaf,
    ...edges,
    leafValues: model.leafValues.subarray(root, root + edgeCount),
    ...pointTables(edges.previousSame, keptShares, keptOnColumn, quadrature.points),
    expectation,
  }
}

function nearestSame(
  columns: Uint16Array,
  parents: Uint32Array,
  node: number,
  column: number,
): number {
  let edge = node
  while (edge > 0 && columns[edge] !== column) edge = parents[edge]!
  return edge
}

/** Share of a child in its parent's cover; halves where an imported model says nothing. */
function coverShare(covers: Float64Array, parent: number, child: number): number {
  return covers[parent]! > 0 ? covers[child]! / covers[parent]! : 0.5
}

function inLanes({ points, weights }: Quadrature): Quadrature {
  const count = Math.ceil(points.length / LANES) * LANES
  const padded = { points: new Float64Array(count).fill(0.5), weights: new Float64Array(count) }
  padded.points.set(points)
  padded.weights.set(weights)
  return padded
}

function pointTables(
  previousSame: Uint32Array,
  keptShares: Float64Array,
  keptOnColumn: Float64Array,
  points: Float64Array,
): Pick<BoostedTreeGame, 'factors' | 'weights'> {
  const { failedBefore, fails, passes } = edgeStates
  const edgeCount = keptShares.length
  const factors = new Float64Array(edgeCount * 3 * points.length)
  const weights = new Float64Array(edgeCount * 3 * points.length)
  for (let edge = 1; edge < edgeCount; edge++) {
    const isRepeated = previousSame[edge]! > 0
    const keptBefore = keptOnColumn[previousSame[edge]!]!
    const kept = keptOnColumn[edge]!
    const at = (state: number) => (edge * 3 + state) * points.length
    for (let point = 0; point < points.length; point++) {
      const t = points[point]!
      const passed = t + kept * (1 - t)
      // A repeated column replaces its earlier factor in the product instead of adding one.
      const earlier = isRepeated ? t + keptBefore * (1 - t) : 1
      const earlierWeight = isRepeated ? (1 - keptBefore) / earlier : 0
      factors[at(failedBefore) + point] = keptShares[edge]!
      factors[at(fails) + point] = (kept * (1 - t)) / earlier
      factors[at(passes) + point] = passed / earlier
      // A column that had failed keeps its weight.
      weights[at(failedBefore) + point] = 0
      weights[at(fails) + point] = -1 / (1 - t) - earlierWeight
      weights[at(passes) + point] = (1 - kept) / passed - earlierWeight
    }
  }
  return { factors, weights }
}
