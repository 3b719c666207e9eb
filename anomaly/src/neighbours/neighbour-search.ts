import {
  DENSE_QUERIES,
  type DenseSearch,
  findNearestDense,
  prepareDenseSearch,
} from './dense-search.ts'
import type { KdTree } from './kd-tree.ts'
import { findNearest, type NeighbourList, neighbourList } from './kd-tree-search.ts'

/** Queries answered at a time. */
export const BLOCK_QUERIES = DENSE_QUERIES

/** Fewer points than this are scanned as fast by the tree. */
const MIN_DENSE_POINTS = 1000

/** Fewer remaining queries do not repay preparing the matrix products. */
const MIN_DENSE_QUERIES = 256

/**
 * Share of the points that tree queries may look at before products with all points are cheaper:
 * measured, 15 to 20 ns per point looked at against 2.5 ns per product.
 */
const MAX_TREE_SHARE = 0.15

/**
 * Answers nearest-neighbour queries block by block, by the tree or by matrix products, whichever
 * the first block shows to be cheaper. Both give the same bits.
 */
export type NeighbourSearch = {
  readonly tree: KdTree
  /** Scratch: BLOCK_QUERIES × dimensions, for the caller to fill. */
  readonly queries: Float64Array
  /** The answers, one per query of the block. */
  readonly lists: readonly NeighbourList[]
  /** Queries still to come. */
  queriesLeft: number
  dense: DenseSearch | null
  isDecided: boolean
}

/** A search for `queryCount` queries in all. */
export function neighbourSearch(
  tree: KdTree,
  neighbourCount: number,
  queryCount: number,
): NeighbourSearch {
  const blockSize = Math.min(BLOCK_QUERIES, Math.max(1, queryCount))
  return {
    tree,
    queries: new Float64Array(blockSize * tree.dimensionCount),
    lists: Array.from({ length: blockSize }, () => neighbourList(neighbourCount)),
    queriesLeft: queryCount,
    dense: null,
    isDecided: tree.pointCount < MIN_DENSE_POINTS,
  }
}

/**
 * Fills the first `count` lists for the first `count` queries.
 * @param excludedStart position of the tree left out for the first query, the next for the next;
 *   −1 to leave out none
 */
export function answerBlock(search: NeighbourSearch, count: number, excludedStart: number): void {
  const { tree, queries, lists, dense } = search
  search.queriesLeft -= count
  if (dense !== null) {
    findNearestDense(dense, queries, count, excludedStart, lists)
    return
  }
  const { dimensionCount } = tree
  let lookedAt = 0
  for (let i = 0; i < count; i++) {
    const query = queries.subarray(i * dimensionCount, (i + 1) * dimensionCount)
    const list = lists[i]!
    findNearest(tree, query, excludedStart < 0 ? -1 : excludedStart + i, list)
    lookedAt += list.lookedAt
  }
  if (search.isDecided || search.queriesLeft < MIN_DENSE_QUERIES) return
  search.isDecided = true
  if (lookedAt > MAX_TREE_SHARE * count * tree.pointCount) search.dense = prepareDenseSearch(tree)
}

/** Answers for tree points [start, start + count), each without itself. */
export function askForPoints(search: NeighbourSearch, start: number, count: number): void {
  const { points, dimensionCount } = search.tree
  const first = start * dimensionCount
  for (let i = 0; i < count * dimensionCount; i++) search.queries[i] = points[first + i]!
  answerBlock(search, count, start)
}
