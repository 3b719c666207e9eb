import type { FeatureMatrix } from '../feature-matrix.ts'
import { COLUMNS_PER_WORD, type GrowthMemory } from './growth-memory.ts'
import type { TreeNode } from './tree-growth.ts'

/** Adds leaf values to the margins of the rows a tree was grown from, leaf by leaf. */
export function addLeavesByRange(
  rows: Uint32Array,
  nodes: readonly TreeNode[],
  margins: Float64Array,
  firstMargin: number,
): void {
  for (const [index, { left, start, end, value }] of nodes.entries()) {
    if (left !== index) continue
    for (let i = start; i < end; i++) {
      const at = firstMargin + rows[i]!
      margins[at] = margins[at]! + value
    }
  }
}

/** Adds leaf values to the margins of coded rows, drawn for the tree or not. */
export function addLeavesByCode(
  memory: GrowthMemory,
  rows: Uint32Array,
  nodes: readonly TreeNode[],
  margins: Float64Array,
  firstMargin: number,
): void {
  const { codes, rowCount, valueBinCounts } = memory
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    let index = 0
    let node = nodes[0]!
    while (node.left !== index) {
      const { column } = node
      const word = Math.floor(column / COLUMNS_PER_WORD) * rowCount
      const code = (codes[word + row]! >>> (8 * (column % COLUMNS_PER_WORD))) & 255
      const isMissing = code === valueBinCounts[column]
      index = (isMissing ? node.missingGoesLeft : code <= node.bin) ? node.left : node.right
      node = nodes[index]!
    }
    margins[firstMargin + row] = margins[firstMargin + row]! + node.value
  }
}

/** Adds leaf values to the output-major margins of rows that were never coded. */
export function addLeavesByValue(
  { values, rowCount, columnNames }: FeatureMatrix,
  nodes: readonly TreeNode[],
  margins: Float64Array,
  output: number,
): void {
  for (let row = 0; row < rowCount; row++) {
    let index = 0
    let node = nodes[0]!
    while (node.left !== index) {
      const value = values[row * columnNames.length + node.column]!
      const goesLeft = Number.isNaN(value) ? node.missingGoesLeft : value < node.threshold
      index = goesLeft ? node.left : node.right
      node = nodes[index]!
    }
    const at = output * rowCount + row
    margins[at] = margins[at]! + node.value
  }
}
