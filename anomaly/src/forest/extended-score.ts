import { type FeatureMatrix, outputFor, requireColumns, requireFinite } from '../feature-matrix.ts'
import { scaleRow } from '../statistics/column-scaler.ts'
import type { ExtendedForest } from './extended-forest.ts'
import { project } from './extended-tree.ts'
import { averagePathLength } from './path-length.ts'

/**
 * Raw anomaly score 2^(−E[h]/c(ψ)) of each row: in (0, 1], about 0.5 for ordinary rows, towards 1
 * for rows isolated early.
 * @throws COLUMN_MISMATCH, NOT_FINITE, SHAPE_MISMATCH
 * Cost O(rows · treeCount · heightLimit · terms).
 */
export function scoreExtendedForest(
  forest: ExtendedForest,
  matrix: FeatureMatrix,
  out?: Float64Array,
): Float64Array {
  requireColumns(forest.columnNames, matrix)
  const scores = outputFor(matrix, out)
  requireFinite('extended isolation forest score', matrix)
  scoreExtendedRows(forest, matrix.values, 0, matrix.rowCount, scores)
  return scores
}

/** Scores rows [rowStart, rowEnd) into `out` at the same indices. Inputs were checked. */
export function scoreExtendedRows(
  forest: ExtendedForest,
  values: Float64Array,
  rowStart: number,
  rowEnd: number,
  out: Float64Array,
): void {
  const columnCount = forest.columnNames.length
  const scaled = new Float64Array(columnCount)
  const depthUnit = averagePathLength(forest.sampleSize)
  // `exp` instead of `pow`, as in `scoreForestRows`.
  const exponent = depthUnit > 0 ? -Math.LN2 / depthUnit : 0
  for (let row = rowStart; row < rowEnd; row++) {
    scaleRow(forest.scaler, values, row * columnCount, scaled, 0)
    out[row] = Math.exp(extendedDepth(forest, scaled) * exponent)
  }
}

/** Mean path length of a scaled row. */
function extendedDepth(forest: ExtendedForest, scaled: Float64Array): number {
  const { treeCount, heightLimit, leafPathLengths } = forest
  const splitCount = 2 ** heightLimit - 1
  const isDense = forest.termCount === scaled.length
  let sum = 0
  for (let tree = 0; tree < treeCount; tree++) {
    const first = tree * splitCount
    const node = isDense ? denseWalk(forest, first, scaled) : sparseWalk(forest, first, scaled)
    sum += leafPathLengths[first + tree + node - splitCount]!
  }
  return sum / treeCount
}

/** Node of the last level in which a row ends. */
function sparseWalk(forest: ExtendedForest, firstSplit: number, scaled: Float64Array): number {
  const { heightLimit, offsets } = forest
  let node = 0
  for (let level = 0; level < heightLimit; level++) {
    const split = firstSplit + node
    node = 2 * node + 1 + Number(project(forest, split, scaled, 0) > offsets[split]!)
  }
  return node
}

/** `sparseWalk` where terms are all columns in order: the same sums without the indirection. */
function denseWalk(forest: ExtendedForest, firstSplit: number, scaled: Float64Array): number {
  const { heightLimit, offsets, slopes } = forest
  const columnCount = scaled.length
  let node = 0
  for (let level = 0; level < heightLimit; level++) {
    const split = firstSplit + node
    const first = split * columnCount
    let sum = 0
    for (let column = 0; column < columnCount; column++) {
      sum += slopes[first + column]! * scaled[column]!
    }
    node = 2 * node + 1 + Number(sum > offsets[split]!)
  }
  return node
}
