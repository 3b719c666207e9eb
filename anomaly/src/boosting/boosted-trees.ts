import type { RANDOM_ALGORITHM } from '../statistics/random.ts'

/** What a model's margins mean. */
export type BoostedOutput = 'binary' | 'classes' | 'regression'

/**
 * Learned state of gradient-boosted trees: plain data.
 *
 * All trees share one list of nodes. A row goes to the left child if its value is below the
 * threshold, to the right if at or above, and to the side that `missingGoesLeft` names if the value
 * is NaN. A leaf is its own child on both sides. The margin of an output is its base margin plus
 * the values of the leaves that a row reaches in the output's trees.
 */
export type BoostedTrees = {
  readonly kind: 'boosted_trees'
  readonly stateVersion: 1
  readonly columnNames: readonly string[]
  /** `binary`: log-odds of class 1; `classes`: softmax logits; `regression`: the value. */
  readonly output: BoostedOutput
  /** Margins per row: the number of classes for `classes`, else 1. */
  readonly outputCount: number
  readonly baseMargins: Float64Array
  readonly seed: number
  readonly randomAlgorithm: typeof RANDOM_ALGORITHM
  readonly trainingRowCount: number
  /** Output that each tree adds to. */
  readonly treeOutputs: Uint16Array
  /** First node of each tree: its root. */
  readonly treeRoots: Uint32Array
  /** Per node: column split, 0 for leaves. */
  readonly splitColumns: Uint16Array
  /** Per node: threshold in the column's unit; +∞ parts values from missing cells; 0 for leaves. */
  readonly splitThresholds: Float64Array
  readonly missingGoesLeft: Uint8Array
  /** Left and right child of each node, interleaved. */
  readonly children: Uint32Array
  /** Leaf value after the learning rate; 0 for splits. */
  readonly leafValues: Float64Array
  /** Sum of hessians of the training rows in each node. */
  readonly nodeCovers: Float64Array
  /** What each split saved: the sum of G²/(H + λ) over children minus the node's; 0 for leaves. */
  readonly splitGains: Float64Array
}
