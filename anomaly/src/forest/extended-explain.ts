import {
  type FeatureMatrix,
  requireColumns,
  requireFinite,
  requireRowIndices,
  selectRows,
} from '../feature-matrix.ts'
import { scaleRow } from '../statistics/column-scaler.ts'
import type { ExtendedForest } from './extended-forest.ts'
import { project } from './extended-tree.ts'
import { averagePathLength } from './path-length.ts'

/** Explanation of extended forest scores. */
export type ExtendedExplanation = {
  /**
   * rowIndices.length × columns, row-major, in units of c(ψ): positive pushes towards anomaly.
   * expectedDepth − Σ contributions · c(ψ) is the row's mean path length.
   */
  readonly contributions: Float64Array
  /** Mean path length of the training rows. */
  readonly expectedDepth: number
}

/**
 * Explains rows by following them down the trees: each split changes the path length to expect, and
 * that change goes to the columns which took the row to its side, in proportion to
 * slope · (value − mean of the node's training rows). The parts add up to the row's path length
 * exactly; how a change is divided among the columns of one split is a convention, for Shapley
 * values of slanted splits are out of reach.
 * @throws COLUMN_MISMATCH, NOT_FINITE; INVALID_OPTION for an index outside the matrix
 * Cost O(treeCount · 2^heightLimit) once and O(treeCount · heightLimit · terms) per row.
 * Source: path changes after Palczewska et al. 2013 (random forests), division by the terms of the
 * hyperplane after Arcudi, Frizzo, Masiero & Susto 2024 (ExIFFI).
 */
export function explainExtendedForest(
  forest: ExtendedForest,
  matrix: FeatureMatrix,
  rowIndices: ArrayLike<number>,
): ExtendedExplanation {
  requireColumns(forest.columnNames, matrix)
  requireRowIndices(matrix, rowIndices)
  const rows = selectRows(matrix, rowIndices)
  requireFinite('extended isolation forest explain', rows)
  const columnCount = matrix.columnNames.length
  const scaled = new Float64Array(rows.values.length)
  for (let cells = 0; cells < scaled.length; cells += columnCount) {
    scaleRow(forest.scaler, rows.values, cells, scaled, cells)
  }
  const contributions = new Float64Array(rows.values.length)
  const expected = new Float64Array(2 ** (forest.heightLimit + 1) - 1)
  const shares = new Float64Array(forest.termCount)
  let expectedDepth = 0
  for (let tree = 0; tree < forest.treeCount; tree++) {
    fillExpectedDepths(forest, tree, expected)
    expectedDepth += expected[0]! / forest.treeCount
    for (let cells = 0; cells < scaled.length; cells += columnCount) {
      addPathChanges(forest, tree, expected, scaled, cells, shares, contributions)
    }
  }
  const depthUnit = averagePathLength(forest.sampleSize)
  const scale = depthUnit > 0 ? -1 / (forest.treeCount * depthUnit) : 0
  for (let i = 0; i < contributions.length; i++) contributions[i] = contributions[i]! * scale + 0
  return { contributions, expectedDepth }
}

/** Path length to expect at every node: the mean over the training rows that reached it. */
function fillExpectedDepths(forest: ExtendedForest, tree: number, expected: Float64Array): void {
  const { heightLimit, leafPathLengths, offsets, nodeRowCounts } = forest
  const splitCount = 2 ** heightLimit - 1
  const counts = nodeRowCounts.subarray(tree * expected.length, (tree + 1) * expected.length)
  for (let node = expected.length - 1; node >= 0; node--) {
    if (node >= splitCount) {
      expected[node] = leafPathLengths[tree * (splitCount + 1) + node - splitCount]!
      continue
    }
    const left = 2 * node + 1
    const isLeaf = offsets[tree * splitCount + node] === Number.POSITIVE_INFINITY
    const share = isLeaf || counts[node] === 0 ? 1 : counts[left]! / counts[node]!
    expected[node] = share * expected[left]! + (1 - share) * expected[left + 1]!
  }
}

/** Adds one tree's changes of the expected path length along a row's path to its columns. */
function addPathChanges(
  forest: ExtendedForest,
  tree: number,
  expected: Float64Array,
  scaled: Float64Array,
  cells: number,
  shares: Float64Array,
  contributions: Float64Array,
): void {
  const { heightLimit, termCount, splitColumns, offsets } = forest
  const splitCount = 2 ** heightLimit - 1
  let node = 0
  for (let level = 0; level < heightLimit; level++) {
    const split = tree * splitCount + node
    const offset = offsets[split]!
    if (offset === Number.POSITIVE_INFINITY) return
    const goesRight = project(forest, split, scaled, cells) > offset
    const next = 2 * node + 1 + Number(goesRight)
    const change = expected[next]! - expected[node]!
    const total = fillShares(forest, split, scaled, cells, goesRight ? 1 : -1, shares)
    for (let term = 0; term < termCount; term++) {
      const cell = cells + splitColumns[split * termCount + term]!
      contributions[cell] = contributions[cell]! + (change * shares[term]!) / total
    }
    node = next
  }
}

/** How far each term took the row to its side; returns their sum, > 0. */
function fillShares(
  { slopes, centres, splitColumns, termCount }: ExtendedForest,
  split: number,
  scaled: Float64Array,
  cells: number,
  side: number,
  shares: Float64Array,
): number {
  const first = split * termCount
  let total = 0
  for (let term = 0; term < termCount; term++) {
    const at = first + term
    const push = side * slopes[at]! * (scaled[cells + splitColumns[at]!]! - centres[at]!)
    shares[term] = push > 0 ? push : 0
    total += shares[term]!
  }
  if (total > 0) return total
  // A row on the near side of the cut and of the centre was pushed by nothing: all terms share.
  for (let term = 0; term < termCount; term++) shares[term] = slopes[first + term] === 0 ? 0 : 1
  return shares.reduce((sum, share) => sum + share, 0)
}
