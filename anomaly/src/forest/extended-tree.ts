import { nextIndex, nextNormal, nextOpenUnit, type Random } from '../statistics/random.ts'
import { drawSample } from './draw-sample.ts'
import type { ExtendedCut, ExtendedForest } from './extended-forest.ts'
import { leafOf } from './isolation-layout.ts'
import { averagePathLength } from './path-length.ts'

/** What growing one tree reads and scribbles on; reused from tree to tree. */
export type ExtendedGrowth = {
  /** Scaled rows, row-major. */
  readonly values: Float64Array
  readonly columnCount: number
  readonly cut: ExtendedCut
  readonly trainingRows: Uint32Array
  /** Scratch of ψ rows: the tree's sample, partitioned in place. */
  readonly sample: Uint32Array
  readonly swappedWith: Uint32Array
  /** Scratch: projection of each sampled row. */
  readonly projections: Float64Array
  /** Scratch: range of each column in the node. */
  readonly lowest: Float64Array
  readonly highest: Float64Array
  /** Scratch: columns that vary in the node. */
  readonly candidates: Uint16Array
  readonly random: Random
}

/** Draws the sample of one tree and grows it into the forest's arrays. */
export function growExtendedTree(
  forest: ExtendedForest,
  tree: number,
  growth: ExtendedGrowth,
): void {
  drawSample(growth.trainingRows, growth.sample, growth.swappedWith, growth.random)
  growNode(forest, tree, growth, 0, 0, 0, forest.sampleSize)
}

/** Grows the subtree at `node` from `sample[start, end)`. */
function growNode(
  forest: ExtendedForest,
  tree: number,
  growth: ExtendedGrowth,
  node: number,
  depth: number,
  start: number,
  end: number,
): void {
  const splitCount = 2 ** forest.heightLimit - 1
  forest.nodeRowCounts[tree * (2 * splitCount + 1) + node] = end - start
  const varyingCount =
    depth === forest.heightLimit || end - start <= 1 ? 0 : findVarying(growth, start, end)
  const split = tree * splitCount + node
  const middle =
    varyingCount === 0 ? -1 : splitNode(forest, growth, split, varyingCount, start, end)
  if (middle < 0) {
    const leaf = leafOf(forest.heightLimit, tree, node, depth)
    forest.leafPathLengths[leaf] = depth + averagePathLength(end - start)
    return
  }
  const left = 2 * node + 1
  growNode(forest, tree, growth, left, depth + 1, start, middle)
  growNode(forest, tree, growth, left + 1, depth + 1, middle, end)
}

/** Fills the range of every column and lists the ones that vary; returns their number. */
function findVarying(growth: ExtendedGrowth, start: number, end: number): number {
  const { values, columnCount, sample, lowest, highest, candidates } = growth
  lowest.fill(Number.POSITIVE_INFINITY)
  highest.fill(Number.NEGATIVE_INFINITY)
  for (let i = start; i < end; i++) {
    const cells = sample[i]! * columnCount
    for (let column = 0; column < columnCount; column++) {
      const value = values[cells + column]!
      if (value < lowest[column]!) lowest[column] = value
      if (value > highest[column]!) highest[column] = value
    }
  }
  let count = 0
  for (let column = 0; column < columnCount; column++) {
    if (highest[column]! > lowest[column]!) candidates[count++] = column
  }
  return count
}

/** Draws direction and cut; returns where the right side starts, or −1 if rounding left no cut. */
function splitNode(
  forest: ExtendedForest,
  growth: ExtendedGrowth,
  split: number,
  varyingCount: number,
  start: number,
  end: number,
): number {
  drawTerms(forest, growth, split, varyingCount)
  fillCentres(forest, growth, split, start, end)
  const { sample, projections, cut, random } = growth
  let least = Number.POSITIVE_INFINITY
  let largest = Number.NEGATIVE_INFINITY
  for (let i = start; i < end; i++) {
    const projection = project(forest, split, growth.values, sample[i]! * growth.columnCount)
    projections[i] = projection
    least = Math.min(least, projection)
    largest = Math.max(largest, projection)
  }
  if (!(largest > least)) return -1
  const offset =
    cut === 'box' ? boxOffset(forest, growth, split) : drawBelow(random, least, largest)
  forest.offsets[split] = offset
  let middle = start
  for (let i = start; i < end; i++) {
    if (projections[i]! > offset) continue
    const row = sample[i]!
    sample[i] = sample[middle]!
    sample[middle] = row
    const projection = projections[i]!
    projections[i] = projections[middle]!
    projections[middle] = projection
    middle++
  }
  return middle
}

/** Columns of the split, in column order, with standard normal slopes. */
function drawTerms(
  forest: ExtendedForest,
  { candidates, columnCount, random }: ExtendedGrowth,
  split: number,
  varyingCount: number,
): void {
  const { splitColumns, slopes, termCount } = forest
  const first = split * termCount
  if (termCount === columnCount) {
    for (let term = 0; term < termCount; term++) splitColumns[first + term] = term
    for (let i = 0; i < varyingCount; i++) {
      slopes[first + candidates[i]!] = nextNormal(random)
    }
    return
  }
  const drawCount = Math.min(termCount, varyingCount)
  for (let i = 0; i < drawCount; i++) {
    const other = i + nextIndex(random, varyingCount - i)
    const column = candidates[other]!
    candidates[other] = candidates[i]!
    candidates[i] = column
    splitColumns[first + i] = column
    slopes[first + i] = nextNormal(random)
  }
}

function fillCentres(
  { splitColumns, centres, termCount }: ExtendedForest,
  { values, columnCount, sample }: ExtendedGrowth,
  split: number,
  start: number,
  end: number,
): void {
  for (let at = split * termCount; at < (split + 1) * termCount; at++) {
    let sum = 0
    for (let i = start; i < end; i++) sum += values[sample[i]! * columnCount + splitColumns[at]!]!
    centres[at] = sum / (end - start)
  }
}

/** Projection on a split's direction of the scaled row at `scaled[cells…]`. */
export function project(
  { splitColumns, slopes, termCount }: ExtendedForest,
  split: number,
  scaled: Float64Array,
  cells: number,
): number {
  const first = split * termCount
  let sum = 0
  for (let at = first; at < first + termCount; at++) {
    sum += slopes[at]! * scaled[cells + splitColumns[at]!]!
  }
  return sum
}

/** The projection of a point drawn uniformly in the node's box. */
function boxOffset(forest: ExtendedForest, growth: ExtendedGrowth, split: number): number {
  const { splitColumns, slopes, termCount } = forest
  const { lowest, highest, random } = growth
  let sum = 0
  for (let at = split * termCount; at < (split + 1) * termCount; at++) {
    const column = splitColumns[at]!
    const range = highest[column]! - lowest[column]!
    sum += slopes[at]! * (lowest[column]! + nextOpenUnit(random) * range)
  }
  return sum
}

/** Uniform in [least, largest); never the largest, so that neither side is empty. */
function drawBelow(random: Random, least: number, largest: number): number {
  const drawn = least + nextOpenUnit(random) * (largest - least)
  return drawn >= least && drawn < largest ? drawn : least
}
