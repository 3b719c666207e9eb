import type { IsolationForest } from '../forest/isolation-forest.ts'

/**
 * One isolation tree prepared for exact Shapley values: its edges in breadth-first order, with
 * everything that does not depend on the explained row.
 *
 * For a set S of known columns, path-dependent expectation makes each leaf a product game
 * v(S) = value · Π_j (j ∈ S ? o_j : r_j) over the columns on its path, with r_j the share of
 * training rows kept by the splits on j and o_j = 1 if the row passes all of them, else 0. The
 * Shapley value of a product game is (o_j − r_j) ∫₀¹ Π_{i≠j} (o_i t + r_i (1 − t)) dt. The
 * integrand is a polynomial of degree below the height limit, so Gauss–Legendre quadrature with
 * half as many points is exact.
 *
 * Edge 0 stands for the root: nothing is split there and every row passes it, so no loop has to ask
 * whether an edge has a parent or an earlier split on its column.
 *
 * Per-point tables hold one block of points for each state of an edge (see `edgeStates`), at index
 * `(edge * 3 + state) * pointCount + point`: a loop over edges picks a block instead of branching.
 */
export type TreeGame = {
  /** Edges, the root included. */
  readonly edgeCount: number
  /** Column split at the top of each edge, and the split's threshold. */
  readonly columns: Uint16Array
  readonly thresholds: Float64Array
  /** 1 if the edge leads to the right child. */
  readonly isRight: Uint8Array
  /** Edge above; 0 below the root. */
  readonly parents: Int32Array
  /** Nearest edge above with the same column; 0 if none. */
  readonly previousSame: Int32Array
  /** Path length if the edge ends in a leaf, else 0. */
  readonly leafValues: Float64Array
  /** Factor of the edge on the path product, by state. */
  readonly factors: Float64Array
  /**
   * Weight of the edge's column for the leaves below it, by state. Below a repeated column the
   * weight of its earlier edge is taken back.
   */
  readonly weights: Float64Array
  /** Mean path length over the training rows: the value of the empty set. */
  readonly expectedDepth: number
}

/** What a row does at an edge: it failed an earlier split on the column, fails here, or passes. */
export const edgeStates = { failedBefore: 0, fails: 1, passes: 2 } as const

/** Gauss–Legendre points t in (0, 1) and weights, summing to 1. */
export type Quadrature = { readonly points: Float64Array; readonly weights: Float64Array }

/** Prepares tree `tree` of a forest. Cost O(nodes · points). */
export function treeGame(forest: IsolationForest, tree: number, quadrature: Quadrature): TreeGame {
  const { heightLimit } = forest
  const splitCount = 2 ** heightLimit - 1
  const nodeCount = 2 * splitCount + 1
  const counts = forest.nodeRowCounts.subarray(tree * nodeCount, (tree + 1) * nodeCount)
  const nodes = existingNodes(counts)
  const edgeOfNode = new Int32Array(nodeCount)
  for (let edge = 0; edge < nodes.length; edge++) edgeOfNode[nodes[edge]!] = edge
  const game = emptyGame(nodes.length, quadrature.points.length)
  const keptOnColumn = new Float64Array(nodes.length).fill(1)
  let expectedDepth = 0
  for (let edge = 0; edge < nodes.length; edge++) {
    const node = nodes[edge]!
    game.leafValues[edge] = leafValue(forest, tree, counts, node)
    expectedDepth += game.leafValues[edge]! * (counts[node]! / counts[0]!)
    if (edge === 0) continue
    const parent = (node - 1) >>> 1
    const column = forest.splitColumns[tree * splitCount + parent]!
    game.columns[edge] = column
    game.thresholds[edge] = forest.splitThresholds[tree * splitCount + parent]!
    game.isRight[edge] = node === 2 * parent + 2 ? 1 : 0
    game.parents[edge] = edgeOfNode[parent]!
    let previous = edgeOfNode[parent]!
    while (previous > 0 && game.columns[previous] !== column) previous = game.parents[previous]!
    game.previousSame[edge] = previous
    const keptBefore = keptOnColumn[previous]!
    const keptShare = counts[node]! / counts[parent]!
    keptOnColumn[edge] = keptBefore * keptShare
    fillPoints(game, edge, quadrature.points, keptBefore, keptShare)
  }
  return { ...game, expectedDepth }
}

/**
 * Gauss–Legendre rule with `pointCount` points on [0, 1], exact for polynomials up to degree
 * 2·pointCount − 1. Source: Newton's method on the Legendre recurrence (Golub & Welsch 1969 give
 * the same values).
 */
export function gaussLegendre(pointCount: number): Quadrature {
  const points = new Float64Array(pointCount)
  const weights = new Float64Array(pointCount)
  for (let i = 0; i < pointCount; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (pointCount + 0.5))
    let slope = 1
    for (let step = 0; step < 100; step++) {
      let current = 1
      let previous = 0
      for (let n = 1; n <= pointCount; n++) {
        const next = ((2 * n - 1) * x * current - (n - 1) * previous) / n
        previous = current
        current = next
      }
      slope = (pointCount * (x * current - previous)) / (x * x - 1)
      const change = current / slope
      x -= change
      if (Math.abs(change) < 1e-16) break
    }
    points[i] = (1 + x) / 2
    weights[i] = 1 / ((1 - x * x) * slope * slope)
  }
  return { points, weights }
}

function fillPoints(
  game: TreeGame,
  edge: number,
  points: Float64Array,
  keptBefore: number,
  keptShare: number,
): void {
  const { failedBefore, fails, passes } = edgeStates
  const isRepeated = game.previousSame[edge]! > 0
  const kept = keptBefore * keptShare
  const at = (state: number) => (edge * 3 + state) * points.length
  for (let point = 0; point < points.length; point++) {
    const t = points[point]!
    const passed = t + kept * (1 - t)
    // A repeated column replaces its earlier factor in the product instead of adding one.
    const earlier = isRepeated ? t + keptBefore * (1 - t) : 1
    const earlierWeight = isRepeated ? (1 - keptBefore) / earlier : 0
    game.factors[at(failedBefore) + point] = keptShare
    game.factors[at(fails) + point] = (kept * (1 - t)) / earlier
    game.factors[at(passes) + point] = passed / earlier
    // A column that had failed keeps its weight.
    game.weights[at(failedBefore) + point] = 0
    game.weights[at(fails) + point] = -1 / (1 - t) - earlierWeight
    game.weights[at(passes) + point] = (1 - kept) / passed - earlierWeight
  }
}

function leafValue(
  forest: IsolationForest,
  tree: number,
  counts: Uint32Array,
  node: number,
): number {
  const leafCount = 2 ** forest.heightLimit
  const left = 2 * node + 1
  if (left < counts.length && counts[left]! > 0) return 0
  let arrival = node
  while (arrival < leafCount - 1) arrival = 2 * arrival + 1
  return forest.leafPathLengths[tree * leafCount + arrival - (leafCount - 1)]!
}

/** Nodes that training rows reached, the root first. */
function existingNodes(counts: Uint32Array): Uint32Array {
  const nodes = new Uint32Array(counts.length)
  let found = 1
  for (let node = 1; node < counts.length; node++) {
    if (counts[node]! > 0) {
      nodes[found] = node
      found++
    }
  }
  return nodes.subarray(0, found)
}

function emptyGame(edgeCount: number, pointCount: number): TreeGame {
  return {
    edgeCount,
    columns: new Uint16Array(edgeCount),
    thresholds: new Float64Array(edgeCount),
    isRight: new Uint8Array(edgeCount),
    parents: new Int32Array(edgeCount),
    previousSame: new Int32Array(edgeCount),
    leafValues: new Float64Array(edgeCount),
    factors: new Float64Array(edgeCount * 3 * pointCount),
    weights: new Float64Array(edgeCount * 3 * pointCount),
    expectedDepth: 0,
  }
}
