import type { BoostedTrees } from './boosted-trees.ts'
import type { TreeNode } from './tree-growth.ts'

/** The part of the learned state that holds trees. */
export type PackedTrees = Pick<
  BoostedTrees,
  | 'treeOutputs'
  | 'treeRoots'
  | 'splitColumns'
  | 'splitThresholds'
  | 'missingGoesLeft'
  | 'children'
  | 'leafValues'
  | 'nodeCovers'
  | 'splitGains'
>

/** What packing reads of a node. */
export type PackableNode = Pick<
  TreeNode,
  'column' | 'threshold' | 'missingGoesLeft' | 'left' | 'right' | 'gain' | 'value' | 'cover'
>

/** Trees as one list of nodes; tree t belongs to output `outputOf(t)`. */
export function packTrees(
  trees: readonly (readonly PackableNode[])[],
  outputOf: (tree: number) => number,
): PackedTrees {
  let nodeCount = 0
  for (const nodes of trees) nodeCount += nodes.length
  const packed: PackedTrees = {
    treeOutputs: Uint16Array.from(trees, (_, tree) => outputOf(tree)),
    treeRoots: new Uint32Array(trees.length),
    splitColumns: new Uint16Array(nodeCount),
    splitThresholds: new Float64Array(nodeCount),
    missingGoesLeft: new Uint8Array(nodeCount),
    children: new Uint32Array(2 * nodeCount),
    leafValues: new Float64Array(nodeCount),
    nodeCovers: new Float64Array(nodeCount),
    splitGains: new Float64Array(nodeCount),
  }
  let root = 0
  for (const [tree, nodes] of trees.entries()) {
    packed.treeRoots[tree] = root
    for (const [index, node] of nodes.entries()) {
      const at = root + index
      const isLeaf = node.left === index
      packed.children[2 * at] = root + node.left
      packed.children[2 * at + 1] = root + node.right
      packed.nodeCovers[at] = node.cover
      if (isLeaf) {
        packed.leafValues[at] = node.value
        continue
      }
      packed.splitColumns[at] = node.column
      packed.splitThresholds[at] = node.threshold
      packed.missingGoesLeft[at] = node.missingGoesLeft ? 1 : 0
      packed.splitGains[at] = node.gain
    }
    root += nodes.length
  }
  return packed
}
