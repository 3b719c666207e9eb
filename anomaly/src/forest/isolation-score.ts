import { type FeatureMatrix, outputFor, requireColumns, requireFinite } from '../feature-matrix.ts'
import type { IsolationForest } from './isolation-forest.ts'
import { averagePathLength } from './path-length.ts'

/** Rows walked through one tree before the next tree: their cells stay in the nearest cache. */
const BLOCK_ROWS = 64

/**
 * Raw anomaly score 2^(−E[h]/c(ψ)) of each row: in (0, 1], about 0.5 for ordinary rows, towards 1
 * for rows isolated early.
 * @param matrix the forest's columns in its order, no NaN and no infinite value
 * @param out receives rowCount scores; default a new array
 * @throws COLUMN_MISMATCH, NOT_FINITE, SHAPE_MISMATCH
 * Cost O(rowCount · treeCount · heightLimit); the score of a row depends on that row only.
 * Source: Liu, Ting & Zhou 2008, eq. 2.
 */
export function scoreIsolationForest(
  forest: IsolationForest,
  matrix: FeatureMatrix,
  out?: Float64Array,
): Float64Array {
  requireColumns(forest.columnNames, matrix)
  const scores = outputFor(matrix, out)
  requireFinite('isolation forest score', matrix)
  scoreForestRows(forest, matrix.values, 0, matrix.rowCount, scores)
  return scores
}

/** Scores rows [rowStart, rowEnd) into `out` at the same indices. Inputs were checked. */
export function scoreForestRows(
  forest: IsolationForest,
  values: Float64Array,
  rowStart: number,
  rowEnd: number,
  out: Float64Array,
): void {
  forestDepths(forest, values, rowStart, rowEnd, out)
  const depthUnit = averagePathLength(forest.sampleSize)
  // 2^x is written with `exp`, which V8 carries itself: `pow` may come from the platform's C
  // library and differ in the last bit. A forest grown from one row has no depth: 2^0.
  const exponent = depthUnit > 0 ? -Math.LN2 / depthUnit : 0
  for (let row = rowStart; row < rowEnd; row++) out[row] = Math.exp(out[row]! * exponent)
}

/** Mean path length over the trees for rows [rowStart, rowEnd), written to `out`. */
export function forestDepths(
  forest: IsolationForest,
  values: Float64Array,
  rowStart: number,
  rowEnd: number,
  out: Float64Array,
): void {
  out.fill(0, rowStart, rowEnd)
  for (let start = rowStart; start < rowEnd; start += BLOCK_ROWS) {
    const end = Math.min(start + BLOCK_ROWS, rowEnd)
    const quadEnd = start + ((end - start) & ~3)
    for (let tree = 0; tree < forest.treeCount && quadEnd > start; tree++) {
      addDepthsOfFourRows(forest, tree, values, start, quadEnd, out)
    }
    for (let row = quadEnd; row < end; row++) out[row] = sumOfDepths(forest, values, row)
  }
  for (let row = rowStart; row < rowEnd; row++) out[row] = out[row]! / forest.treeCount
}

/**
 * Walks four rows at a time: their loads overlap, and `Number(comparison)` compiles to a
 * conditional set, not to a branch that mispredicts half the time. Measured on 100,000 × 45 with
 * 200 trees: 0.31 s against 1.2 s for one row at a time with a branch.
 */
function addDepthsOfFourRows(
  forest: IsolationForest,
  tree: number,
  values: Float64Array,
  rowStart: number,
  rowEnd: number,
  out: Float64Array,
): void {
  const { splitColumns, splitThresholds, leafPathLengths, heightLimit } = forest
  const columnCount = forest.columnNames.length
  const splitCount = 2 ** heightLimit - 1
  const first = tree * splitCount
  const firstLeaf = tree * (splitCount + 1) - splitCount
  for (let row = rowStart; row < rowEnd; row += 4) {
    const cells0 = row * columnCount
    const cells1 = cells0 + columnCount
    const cells2 = cells1 + columnCount
    const cells3 = cells2 + columnCount
    let node0 = 0
    let node1 = 0
    let node2 = 0
    let node3 = 0
    for (let level = 0; level < heightLimit; level++) {
      const at0 = first + node0
      const at1 = first + node1
      const at2 = first + node2
      const at3 = first + node3
      node0 = 2 * node0 + 1 + Number(values[cells0 + splitColumns[at0]!]! >= splitThresholds[at0]!)
      node1 = 2 * node1 + 1 + Number(values[cells1 + splitColumns[at1]!]! >= splitThresholds[at1]!)
      node2 = 2 * node2 + 1 + Number(values[cells2 + splitColumns[at2]!]! >= splitThresholds[at2]!)
      node3 = 2 * node3 + 1 + Number(values[cells3 + splitColumns[at3]!]! >= splitThresholds[at3]!)
    }
    out[row] = out[row]! + leafPathLengths[firstLeaf + node0]!
    out[row + 1] = out[row + 1]! + leafPathLengths[firstLeaf + node1]!
    out[row + 2] = out[row + 2]! + leafPathLengths[firstLeaf + node2]!
    out[row + 3] = out[row + 3]! + leafPathLengths[firstLeaf + node3]!
  }
}

/**
 * Sum of depths of one row, four trees at a time, added in the order of the trees: a row scores
 * the same bits alone as in a block. 2.5 times as fast as tree by tree.
 */
function sumOfDepths(forest: IsolationForest, values: Float64Array, row: number): number {
  const { splitColumns, splitThresholds, leafPathLengths, heightLimit, treeCount } = forest
  const cells = row * forest.columnNames.length
  const splitCount = 2 ** heightLimit - 1
  const fourthEnd = treeCount & ~3
  let sum = 0
  for (let tree = 0; tree < fourthEnd; tree += 4) {
    const first0 = tree * splitCount
    const first1 = first0 + splitCount
    const first2 = first1 + splitCount
    const first3 = first2 + splitCount
    let node0 = 0
    let node1 = 0
    let node2 = 0
    let node3 = 0
    for (let level = 0; level < heightLimit; level++) {
      const at0 = first0 + node0
      const at1 = first1 + node1
      const at2 = first2 + node2
      const at3 = first3 + node3
      node0 = 2 * node0 + 1 + Number(values[cells + splitColumns[at0]!]! >= splitThresholds[at0]!)
      node1 = 2 * node1 + 1 + Number(values[cells + splitColumns[at1]!]! >= splitThresholds[at1]!)
      node2 = 2 * node2 + 1 + Number(values[cells + splitColumns[at2]!]! >= splitThresholds[at2]!)
      node3 = 2 * node3 + 1 + Number(values[cells + splitColumns[at3]!]! >= splitThresholds[at3]!)
    }
    // Leaf i of tree t stands at t · (splits + 1) + i, and its node is splits + i.
    const leaf = tree * (splitCount + 1) - splitCount
    sum += leafPathLengths[leaf + node0]!
    sum += leafPathLengths[leaf + splitCount + 1 + node1]!
    sum += leafPathLengths[leaf + 2 * (splitCount + 1) + node2]!
    sum += leafPathLengths[leaf + 3 * (splitCount + 1) + node3]!
  }
  for (let tree = fourthEnd; tree < treeCount; tree++) {
    const first = tree * splitCount
    let node = 0
    for (let level = 0; level < heightLimit; level++) {
      const at = first + node
      node = 2 * node + 1 + Number(values[cells + splitColumns[at]!]! >= splitThresholds[at]!)
    }
    sum += leafPathLengths[first + tree - splitCount + node]!
  }
  return sum
}
