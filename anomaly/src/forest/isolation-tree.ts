import type { FeatureMatrix } from '../feature-matrix.ts'
import { nextIndex, nextOpenUnit, type Random } from '../statistics/random.ts'
import { drawSample } from './draw-sample.ts'
import type { IsolationForest } from './isolation-forest.ts'
import { leafOf } from './isolation-layout.ts'
import { averagePathLength } from './path-length.ts'

/** What growing one tree reads and scribbles on; reused from tree to tree. */
export type TreeGrowth = {
  readonly matrix: FeatureMatrix
  /** Training row indices; left in their order. */
  readonly trainingRows: Uint32Array
  /** Scratch of ψ rows: the tree's sample, partitioned in place. */
  readonly sample: Uint32Array
  /** Scratch of ψ positions, to undo the draw. */
  readonly swappedWith: Uint32Array
  /** Scratch: a permutation of all column indices. */
  readonly candidates: Uint16Array
  readonly random: Random
}

/** Draws the sample of one tree and grows it into the forest's arrays. */
export function growIsolationTree(forest: IsolationForest, tree: number, growth: TreeGrowth): void {
  drawSample(growth.trainingRows, growth.sample, growth.swappedWith, growth.random)
  // The draws of a tree depend on its stream only, not on what an earlier tree left here.
  for (let c = 0; c < growth.candidates.length; c++) growth.candidates[c] = c
  growNode(forest, tree, growth, 0, 0, 0, forest.sampleSize, growth.candidates.length)
}

/**
 * Grows the subtree at `node` from `sample[start, end)`. Columns found constant among these rows
 * are constant in every subtree: they move behind `candidateCount` and are not tried again there.
 */
function growNode(
  forest: IsolationForest,
  tree: number,
  growth: TreeGrowth,
  node: number,
  depth: number,
  start: number,
  end: number,
  candidateCount: number,
): void {
  const splitCount = 2 ** forest.heightLimit - 1
  forest.nodeRowCounts[tree * (2 * splitCount + 1) + node] = end - start
  if (depth === forest.heightLimit || end - start <= 1) {
    endPath(forest, tree, node, depth, end - start)
    return
  }
  const { matrix, sample, random, candidates } = growth
  const { values } = matrix
  const columnCount = matrix.columnNames.length

  // Uniform among the columns with max > min: draw, discard constant ones, draw again.
  let remaining = candidateCount
  let column = -1
  let minimum = 0
  let maximum = 0
  while (column < 0 && remaining > 0) {
    const drawn = nextIndex(random, remaining)
    const candidate = candidates[drawn]!
    minimum = Number.POSITIVE_INFINITY
    maximum = Number.NEGATIVE_INFINITY
    for (let i = start; i < end; i++) {
      const value = values[sample[i]! * columnCount + candidate]!
      if (value < minimum) minimum = value
      if (value > maximum) maximum = value
    }
    if (maximum > minimum) {
      column = candidate
    } else {
      remaining--
      candidates[drawn] = candidates[remaining]!
      candidates[remaining] = candidate
    }
  }
  if (column < 0) {
    endPath(forest, tree, node, depth, end - start)
    return
  }

  const threshold = drawThreshold(random, minimum, maximum)
  const middle = partition(growth, start, end, column, threshold)
  forest.splitColumns[tree * splitCount + node] = column
  forest.splitThresholds[tree * splitCount + node] = threshold
  const left = 2 * node + 1
  growNode(forest, tree, growth, left, depth + 1, start, middle, remaining)
  growNode(forest, tree, growth, left + 1, depth + 1, middle, end, remaining)
}

/** Stores a leaf's path length where rows that fall left through it arrive on the last level. */
function endPath(
  forest: IsolationForest,
  tree: number,
  node: number,
  depth: number,
  rowCount: number,
): void {
  const leaf = leafOf(forest.heightLimit, tree, node, depth)
  forest.leafPathLengths[leaf] = depth + averagePathLength(rowCount)
}

/** Uniform in (minimum, maximum]; never the minimum, so that neither side is empty. */
function drawThreshold(random: Random, minimum: number, maximum: number): number {
  const unit = nextOpenUnit(random)
  const range = maximum - minimum
  const drawn = Number.isFinite(range)
    ? minimum + unit * range
    : minimum * (1 - unit) + maximum * unit
  return drawn > minimum && drawn <= maximum ? drawn : maximum
}

/** Moves rows below the threshold to the front of `sample[start, end)`; returns their end. */
function partition(
  growth: TreeGrowth,
  start: number,
  end: number,
  column: number,
  threshold: number,
): number {
  const { sample } = growth
  const { values } = growth.matrix
  const columnCount = growth.matrix.columnNames.length
  let middle = start
  for (let i = start; i < end; i++) {
    const row = sample[i]!
    if (values[row * columnCount + column]! < threshold) {
      sample[i] = sample[middle]!
      sample[middle] = row
      middle++
    }
  }
  return middle
}
