import type { BoostedTrees } from './boosted-trees.ts'

/** How much a model uses each column, over all trees. */
export type BoostedImportance = {
  /** Sum of what the column's splits saved, the usual importance. */
  readonly gain: Float64Array
  /** Sum of hessians of the training rows that its splits parted. */
  readonly cover: Float64Array
  /** Number of its splits. */
  readonly splitCount: Uint32Array
}

/**
 * Importance of each column from the splits alone, in column order; xgboost's `total_gain`,
 * `total_cover` and `weight`. Gain favours columns with many distinct values; permutation
 * importance on unseen rows does not.
 * Cost O(nodes).
 */
export function boostedImportance(model: BoostedTrees): BoostedImportance {
  const columnCount = model.columnNames.length
  const gain = new Float64Array(columnCount)
  const cover = new Float64Array(columnCount)
  const splitCount = new Uint32Array(columnCount)
  for (let node = 0; node < model.leafValues.length; node++) {
    if (model.children[2 * node] === node) continue
    const column = model.splitColumns[node]!
    gain[column] = gain[column]! + model.splitGains[node]!
    cover[column] = cover[column]! + model.nodeCovers[node]!
    splitCount[column] = splitCount[column]! + 1
  }
  return { gain, cover, splitCount }
}
