import type { KdTree } from './kd-tree.ts'
import { askForPoints, BLOCK_QUERIES, neighbourSearch } from './neighbour-search.ts'

/** The neighbours of every point of a tree, itself left out; all in tree order. */
export type PointNeighbours = {
  readonly neighbourCount: number
  /** points × neighbourCount positions, nearest first. */
  readonly positions: Int32Array
  /** points × neighbourCount distances. */
  readonly distances: Float64Array
  /** Distance to the last neighbour of each point. */
  readonly lastDistances: Float64Array
}

/** Asks the tree for the neighbours of each of its points. Neighbouring queries share leaves. */
export function neighboursOfPoints(tree: KdTree, neighbourCount: number): PointNeighbours {
  const { pointCount } = tree
  const positions = new Int32Array(pointCount * neighbourCount)
  const distances = new Float64Array(pointCount * neighbourCount)
  const lastDistances = new Float64Array(pointCount)
  const search = neighbourSearch(tree, neighbourCount, pointCount)
  for (let start = 0; start < pointCount; start += BLOCK_QUERIES) {
    const count = Math.min(BLOCK_QUERIES, pointCount - start)
    askForPoints(search, start, count)
    for (let i = 0; i < count; i++) {
      const { squaredDistances, positions: found } = search.lists[i]!
      const first = (start + i) * neighbourCount
      for (let n = 0; n < neighbourCount; n++) {
        positions[first + n] = found[n]!
        distances[first + n] = Math.sqrt(squaredDistances[n]!)
      }
      lastDistances[start + i] = distances[first + neighbourCount - 1]!
    }
  }
  return { neighbourCount, positions, distances, lastDistances }
}
