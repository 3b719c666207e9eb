import { hessianOf } from './fixed-point.ts'
import {
  COLUMNS_PER_WORD,
  type GrowthMemory,
  NODE_NUMBERS,
  nodeAt,
  taskAt,
} from './growth-memory.ts'
import { boundedGain, boundedLeafValue } from './monotone-search.ts'

/** What limits a tree, see `BoostingOptions`. */
export type TreeLimits = {
  readonly maxLeaves: number
  readonly maxDepth: number
  readonly minLeafRows: number
  readonly minChildWeight: number
  readonly l2: number
  readonly gamma: number
  readonly learningRate: number
}

/** Gradients of the rows a tree is grown from. */
export type TreeRows = {
  /** The rows; reordered so that every leaf's rows lie together. */
  readonly rows: Uint32Array
  /** Gradient and packed hessian of every row of the matrix, on the grid of `FixedPoint`. */
  readonly pairs: Float64Array
  readonly countUnit: number
  /** Room for as many row numbers as `rows` has. */
  readonly scratch: Uint32Array
}

/** A leaf that may be split, and the best split found for it. */
export type Leaf = {
  readonly node: number
  readonly depth: number
  readonly slot: number
  readonly gradient: number
  readonly packed: number
  readonly lowerBound: number
  readonly upperBound: number
  /** Best split found: what it saves beyond the leaf itself, and where it stands in `found`. */
  improvement: number
  column: number
  bin: number
  missingSide: number
  leftGradient: number
  leftPacked: number
}

/** Writes what the searches of one tree share. */
export function writeLimits(memory: GrowthMemory, countUnit: number, limits: TreeLimits): void {
  memory.task[taskAt.countUnit] = countUnit
  memory.task[taskAt.l2] = limits.l2
  memory.task[taskAt.minLeafRows] = limits.minLeafRows
  memory.task[taskAt.minChildWeight] = limits.minChildWeight
}

/** Writes the node with index 0 or 1 of a task; a node that is not open is not searched. */
export function writeNode(memory: GrowthMemory, index: number, leaf: Leaf, open: boolean): void {
  const at = taskAt.firstNode + index * NODE_NUMBERS
  memory.task[at + nodeAt.gradient] = leaf.gradient
  memory.task[at + nodeAt.packed] = leaf.packed
  memory.task[at + nodeAt.lowerBound] = leaf.lowerBound
  memory.task[at + nodeAt.upperBound] = leaf.upperBound
  memory.task[at + nodeAt.isOpen] = open ? 1 : 0
}

/** Copies the node's rows and their pairs together, where the histogram loop reads them in order. */
export function gatherRows(
  memory: GrowthMemory,
  treeRows: TreeRows,
  start: number,
  end: number,
): void {
  const { rows, pairs } = treeRows
  for (let i = start; i < end; i++) {
    const row = rows[i]!
    const to = i - start
    memory.rows[to] = row
    memory.pairs[2 * to] = pairs[2 * row]!
    memory.pairs[2 * to + 1] = pairs[2 * row + 1]!
  }
  memory.task[taskAt.rowCount] = end - start
}

/** Takes the best column's split of a searched node; ties go to the lower column. */
export function readBest(
  memory: GrowthMemory,
  index: number,
  leaf: Leaf,
  limits: TreeLimits,
): void {
  const { found, columnCount } = memory
  const first = index * memory.wordCount * COLUMNS_PER_WORD
  let best = first
  for (let at = first + 1; at < first + columnCount; at++) {
    if (found.gains[at]! > found.gains[best]!) best = at
  }
  const weight = hessianOf(leaf.packed, memory.task[taskAt.countUnit]!)
  const { gradient, lowerBound, upperBound } = leaf
  const value = boundedLeafValue(gradient, weight, limits.l2, lowerBound, upperBound)
  leaf.improvement = found.gains[best]! - boundedGain(gradient, weight, limits.l2, value)
  leaf.column = best - first
  leaf.bin = found.bins[best]!
  leaf.missingSide = found.missingSides[best]!
  leaf.leftGradient = found.leftGradients[best]!
  leaf.leftPacked = found.leftPacked[best]!
}
