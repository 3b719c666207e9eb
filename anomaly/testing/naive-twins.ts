import type { FeatureMatrix } from '../src/feature-matrix.ts'
import type { IsolationForest } from '../src/forest/isolation-forest.ts'
import { averagePathLength } from '../src/forest/path-length.ts'

/** Slow, plain versions of the fast code: what the tests trust. */

/** A tree as a person would write it, read back from the packed arrays. */
export type NaiveNode =
  | { readonly kind: 'leaf'; readonly rowCount: number; readonly depth: number }
  | {
      readonly kind: 'split'
      readonly rowCount: number
      readonly column: number
      readonly threshold: number
      readonly left: NaiveNode
      readonly right: NaiveNode
    }

/** Reads a tree by its row counts alone: a node with children is a split. */
export function naiveTree(forest: IsolationForest, tree: number, node = 0, depth = 0): NaiveNode {
  const splitCount = 2 ** forest.heightLimit - 1
  const nodeCount = 2 * splitCount + 1
  const rowCount = forest.nodeRowCounts[tree * nodeCount + node] ?? 0
  const left = 2 * node + 1
  const hasChildren = left < nodeCount && (forest.nodeRowCounts[tree * nodeCount + left] ?? 0) > 0
  if (!hasChildren) return { kind: 'leaf', rowCount, depth }
  return {
    kind: 'split',
    rowCount,
    column: forest.splitColumns[tree * splitCount + node] ?? -1,
    threshold: forest.splitThresholds[tree * splitCount + node] ?? Number.NaN,
    left: naiveTree(forest, tree, left, depth + 1),
    right: naiveTree(forest, tree, left + 1, depth + 1),
  }
}

/** h(x): edges to the leaf plus c(rows in the leaf). */
export function naivePathLength(node: NaiveNode, row: readonly number[]): number {
  if (node.kind === 'leaf') return node.depth + averagePathLength(node.rowCount)
  const goesRight = (row[node.column] ?? Number.NaN) >= node.threshold
  return naivePathLength(goesRight ? node.right : node.left, row)
}

/** Expected path length when only the columns in `known` are known: follows both sides else. */
export function naiveExpectation(
  node: NaiveNode,
  row: readonly number[],
  known: ReadonlySet<number>,
): number {
  if (node.kind === 'leaf') return node.depth + averagePathLength(node.rowCount)
  if (known.has(node.column)) {
    const goesRight = (row[node.column] ?? Number.NaN) >= node.threshold
    return naiveExpectation(goesRight ? node.right : node.left, row, known)
  }
  const leftShare = node.left.rowCount / node.rowCount
  return (
    leftShare * naiveExpectation(node.left, row, known) +
    (1 - leftShare) * naiveExpectation(node.right, row, known)
  )
}

/** Shapley values of one tree by enumerating every subset of columns. */
export function naiveShapley(tree: NaiveNode, row: readonly number[]): number[] {
  const columnCount = row.length
  const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1))
  return row.map((_, column) => {
    let value = 0
    for (let subset = 0; subset < 2 ** columnCount; subset++) {
      const known = new Set(row.keys().filter((other) => ((subset >> other) & 1) === 1))
      if (known.has(column)) continue
      const weight =
        (factorial(known.size) * factorial(columnCount - known.size - 1)) / factorial(columnCount)
      const without = naiveExpectation(tree, row, known)
      value += weight * (naiveExpectation(tree, row, new Set([...known, column])) - without)
    }
    return value
  })
}

/** Rows of a matrix as plain arrays. */
export function rowsOf(matrix: FeatureMatrix): number[][] {
  const columnCount = matrix.columnNames.length
  return Array.from({ length: matrix.rowCount }, (_, row) =>
    Array.from(matrix.values.subarray(row * columnCount, (row + 1) * columnCount)),
  )
}

/** Quantile from a full sort. */
export function naiveQuantile(values: readonly number[], probability: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const position = probability * (sorted.length - 1)
  const below = Math.floor(position)
  const lower = sorted[below] ?? Number.NaN
  const upper = sorted[Math.ceil(position)] ?? Number.NaN
  return lower + (upper - lower) * (position - below)
}
