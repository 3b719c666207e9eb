import { hessianOf } from './fixed-point.ts'
import type { GrowthCrew } from './growth-crew.ts'
import { EDGE_STRIDE, type GrowthMemory, missingSides, taskAt, taskKinds } from './growth-memory.ts'
import { boundedLeafValue } from './monotone-search.ts'
import {
  gatherRows,
  type Leaf,
  readBest,
  type TreeLimits,
  type TreeRows,
  writeLimits,
  writeNode,
} from './node-task.ts'
import { partRows } from './row-parting.ts'

/** A node of a growing tree. Children are indices; a leaf is its own child. */
export type TreeNode = {
  column: number
  bin: number
  threshold: number
  missingGoesLeft: boolean
  left: number
  right: number
  gain: number
  readonly value: number
  readonly cover: number
  /** Its rows: [start, end) of `TreeRows.rows` while it is a leaf. */
  readonly start: number
  readonly end: number
}

/**
 * Grows one tree, always splitting the leaf that saves most (leaf-wise), until `maxLeaves` or until
 * no split saves more than `gamma`.
 *
 * Only the child with fewer rows is summed; the other's histogram is its parent's minus that.
 * @returns nodes in order of creation, the root first
 * Cost: see `buildHistogram`, for at most half of the rows per level.
 * Source: Ke et al. 2017 (LightGBM) for leaf-wise growth and histogram subtraction.
 */
export function growTree(crew: GrowthCrew, treeRows: TreeRows, limits: TreeLimits): TreeNode[] {
  const { memory } = crew
  const nodes: TreeNode[] = []
  const root = rootLeaf(treeRows, limits, nodes)
  writeLimits(memory, treeRows.countUnit, limits)
  memory.task[taskAt.kind] = taskKinds.searchRoot
  memory.task[taskAt.builtSlot] = 0
  writeNode(memory, 0, root, isOpen(nodes, root, limits))
  gatherRows(memory, treeRows, 0, treeRows.rows.length)
  crew.run()
  readBest(memory, 0, root, limits)
  const leaves = [root]
  while (leaves.length < limits.maxLeaves) {
    const chosen = bestLeaf(leaves)
    const leaf = leaves[chosen]!
    if (!(leaf.improvement > limits.gamma)) break
    const [left, right] = splitLeaf(memory, treeRows, limits, nodes, leaf, leaves.length)
    leaves[chosen] = left
    leaves.push(right)
    if (leaves.length < limits.maxLeaves) searchChildren(crew, treeRows, limits, nodes, left, right)
  }
  return nodes
}

function rootLeaf(treeRows: TreeRows, limits: TreeLimits, nodes: TreeNode[]): Leaf {
  const { rows, pairs } = treeRows
  let gradient = 0
  let packed = 0
  for (let i = 0; i < rows.length; i++) {
    gradient += pairs[2 * rows[i]!]!
    packed += pairs[2 * rows[i]! + 1]!
  }
  const range = { start: 0, end: rows.length, depth: 0, slot: 0 }
  const bounds = { lowerBound: Number.NEGATIVE_INFINITY, upperBound: Number.POSITIVE_INFINITY }
  return newLeaf(nodes, treeRows, limits, { ...range, ...bounds, gradient, packed })
}

type LeafStart = Pick<
  Leaf,
  'depth' | 'slot' | 'gradient' | 'packed' | 'lowerBound' | 'upperBound'
> &
  Pick<TreeNode, 'start' | 'end'>

/** Adds a leaf's node and returns the leaf, without a split so far. */
function newLeaf(
  nodes: TreeNode[],
  treeRows: TreeRows,
  limits: TreeLimits,
  { start, end, ...leaf }: LeafStart,
): Leaf {
  const node = nodes.length
  const { gradient, lowerBound, upperBound } = leaf
  const cover = hessianOf(leaf.packed, treeRows.countUnit)
  const value = boundedLeafValue(gradient, cover, limits.l2, lowerBound, upperBound)
  nodes.push({
    column: 0,
    bin: 0,
    threshold: 0,
    missingGoesLeft: false,
    left: node,
    right: node,
    gain: 0,
    value: value * limits.learningRate,
    cover,
    start,
    end,
  })
  return {
    ...leaf,
    node,
    improvement: Number.NEGATIVE_INFINITY,
    column: 0,
    bin: 0,
    missingSide: missingSides.unseen,
    leftGradient: 0,
    leftPacked: 0,
  }
}

/** Parts the leaf's rows and makes both children; the one with fewer rows gets `freeSlot`. */
function splitLeaf(
  memory: GrowthMemory,
  treeRows: TreeRows,
  limits: TreeLimits,
  nodes: TreeNode[],
  leaf: Leaf,
  freeSlot: number,
): [Leaf, Leaf] {
  const node = nodes[leaf.node]!
  const { start, end } = node
  const middle = partRows(memory, treeRows, leaf, start, end)
  node.column = leaf.column
  node.bin = leaf.bin
  node.threshold = memory.edges[leaf.column * EDGE_STRIDE + leaf.bin]!
  // Without a missing row to learn from, missing cells go where more rows go.
  node.missingGoesLeft =
    leaf.missingSide === missingSides.unseen
      ? middle - start > end - middle
      : leaf.missingSide === missingSides.left
  node.gain = leaf.improvement
  node.left = nodes.length
  node.right = nodes.length + 1
  const isLeftSmall = middle - start <= end - middle
  const depth = leaf.depth + 1
  const [leftBounds, rightBounds] = childBounds(memory, treeRows, limits, leaf)
  const left = newLeaf(nodes, treeRows, limits, {
    start,
    end: middle,
    depth,
    slot: isLeftSmall ? freeSlot : leaf.slot,
    gradient: leaf.leftGradient,
    packed: leaf.leftPacked,
    ...leftBounds,
  })
  const right = newLeaf(nodes, treeRows, limits, {
    start: middle,
    end,
    depth,
    slot: isLeftSmall ? leaf.slot : freeSlot,
    gradient: leaf.gradient - leaf.leftGradient,
    packed: leaf.packed - leaf.leftPacked,
    ...rightBounds,
  })
  return [left, right]
}

type Bounds = Pick<Leaf, 'lowerBound' | 'upperBound'>

/** A split on a monotone column keeps all values of one side below, of the other above its middle. */
function childBounds(
  memory: GrowthMemory,
  treeRows: TreeRows,
  { l2 }: TreeLimits,
  leaf: Leaf,
): [Bounds, Bounds] {
  const { lowerBound, upperBound } = leaf
  const direction = memory.monotone[leaf.column]!
  if (direction === 0)
    return [
      { lowerBound, upperBound },
      { lowerBound, upperBound },
    ]
  const childValue = (gradient: number, packed: number) =>
    boundedLeafValue(gradient, hessianOf(packed, treeRows.countUnit), l2, lowerBound, upperBound)
  const left = childValue(leaf.leftGradient, leaf.leftPacked)
  const right = childValue(leaf.gradient - leaf.leftGradient, leaf.packed - leaf.leftPacked)
  const middle = left / 2 + right / 2
  const below = { lowerBound, upperBound: middle }
  const above = { lowerBound: middle, upperBound }
  return direction > 0 ? [below, above] : [above, below]
}

function searchChildren(
  crew: GrowthCrew,
  treeRows: TreeRows,
  limits: TreeLimits,
  nodes: TreeNode[],
  left: Leaf,
  right: Leaf,
): void {
  const { memory } = crew
  const isLeftSmall = left.slot > right.slot
  const small = isLeftSmall ? left : right
  const large = isLeftSmall ? right : left
  const isSmallOpen = isOpen(nodes, small, limits)
  const isLargeOpen = isOpen(nodes, large, limits)
  if (!isSmallOpen && !isLargeOpen) return
  memory.task[taskAt.kind] = taskKinds.searchChildren
  memory.task[taskAt.builtSlot] = small.slot
  memory.task[taskAt.parentSlot] = large.slot
  writeNode(memory, 0, small, isSmallOpen)
  writeNode(memory, 1, large, isLargeOpen)
  const { start, end } = nodes[small.node]!
  gatherRows(memory, treeRows, start, end)
  crew.run()
  readBest(memory, 0, small, limits)
  readBest(memory, 1, large, limits)
}

function isOpen(nodes: readonly TreeNode[], leaf: Leaf, limits: TreeLimits): boolean {
  const { start, end } = nodes[leaf.node]!
  return leaf.depth < limits.maxDepth && end - start >= 2 * limits.minLeafRows
}

/** Leaf with the most to save; ties go to the earlier place. */
function bestLeaf(leaves: readonly Leaf[]): number {
  let best = 0
  for (let i = 1; i < leaves.length; i++) {
    if (leaves[i]!.improvement > leaves[best]!.improvement) best = i
  }
  return best
}
