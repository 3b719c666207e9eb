import { invalidOption, tooFewRows } from '../errors.ts'
import {
  type FeatureMatrix,
  requireFinite,
  requireFiniteRows,
  requireRowIndices,
  requireRows,
} from '../feature-matrix.ts'
import { createRandom, RANDOM_ALGORITHM } from '../statistics/random.ts'
import { growIsolationTree, type TreeGrowth } from './isolation-tree.ts'

/** Most rows a tree may be grown from; bounds the memory of the complete node layout. */
export const MAX_SAMPLE_SIZE = 65_536

/** Hyper-parameters of an isolation forest. */
export type IsolationForestOptions = {
  /** Number of trees, default 200. Scores settle at about 100; explanations gain from more. */
  readonly treeCount?: number
  /** Rows per tree ψ, drawn without replacement; all rows if fewer. Default 256. */
  readonly sampleSize?: number
  /** Seed of every random choice, default 42. */
  readonly seed?: number
}

/**
 * Learned state of an isolation forest: plain data.
 *
 * Every tree is stored as a complete binary tree of `heightLimit` levels in breadth-first order
 * (children of node n at 2n + 1 and 2n + 2), so that scoring walks a fixed number of levels
 * without a branch. A row goes right when its value is ≥ the node's threshold. A node that is a
 * leaf above the last level has threshold +∞: finite rows fall left through it to the last level,
 * where `leafPathLengths` holds its depth plus c(rows).
 */
export type IsolationForest = {
  readonly kind: 'isolation_forest'
  readonly stateVersion: 1
  readonly columnNames: readonly string[]
  readonly treeCount: number
  /** ψ: rows per tree, the smaller of the option and the training rows. */
  readonly sampleSize: number
  readonly heightLimit: number
  readonly seed: number
  readonly randomAlgorithm: typeof RANDOM_ALGORITHM
  readonly trainingRowCount: number
  /** treeCount × (2^heightLimit − 1) column indices. */
  readonly splitColumns: Uint16Array
  /** treeCount × (2^heightLimit − 1) thresholds, in the column's unit; +∞ marks a leaf. */
  readonly splitThresholds: Float64Array
  /** treeCount × (2^(heightLimit + 1) − 1) training rows per node; 0 where no node exists. */
  readonly nodeRowCounts: Uint32Array
  /** treeCount × 2^heightLimit path lengths of the last level. */
  readonly leafPathLengths: Float64Array
}

/**
 * Fits an isolation forest: trees of random splits, in which unusual rows end early.
 * @param matrix rowCount × columns, unscaled, no NaN and no infinite value
 * @param rows training rows, default all
 * @throws TOO_FEW_ROWS without rows, NOT_FINITE on NaN or ±∞, INVALID_OPTION
 * Cost O(treeCount · ψ · log ψ) time after one pass over the cells.
 * Source: Liu, Ting & Zhou, "Isolation Forest", ICDM 2008.
 */
export function fitIsolationForest(
  matrix: FeatureMatrix,
  options: IsolationForestOptions = {},
  rows?: ArrayLike<number>,
): IsolationForest {
  const { treeCount, sampleSize, seed } = completeOptions(options)
  requireRows('isolation forest', matrix)
  if (rows === undefined) {
    requireFinite('isolation forest fit', matrix)
  } else {
    requireRowIndices(matrix, rows)
    requireFiniteRows('isolation forest fit', matrix, rows)
  }
  const trainingRows = rows === undefined ? rowRange(matrix.rowCount) : Uint32Array.from(rows)
  if (trainingRows.length === 0) throw tooFewRows('isolation forest', 1, 0)

  const drawCount = Math.min(sampleSize, trainingRows.length)
  const heightLimit = Math.ceil(Math.log2(drawCount))
  const splitCount = 2 ** heightLimit - 1
  const forest: IsolationForest = {
    kind: 'isolation_forest',
    stateVersion: 1,
    columnNames: [...matrix.columnNames],
    treeCount,
    sampleSize: drawCount,
    heightLimit,
    seed,
    randomAlgorithm: RANDOM_ALGORITHM,
    trainingRowCount: trainingRows.length,
    splitColumns: new Uint16Array(treeCount * splitCount),
    splitThresholds: new Float64Array(treeCount * splitCount).fill(Number.POSITIVE_INFINITY),
    nodeRowCounts: new Uint32Array(treeCount * (2 * splitCount + 1)),
    leafPathLengths: new Float64Array(treeCount * (splitCount + 1)),
  }
  const growth: TreeGrowth = {
    matrix,
    trainingRows,
    sample: new Uint32Array(drawCount),
    swappedWith: new Uint32Array(drawCount),
    candidates: Uint16Array.from(matrix.columnNames.keys()),
    random: createRandom(seed),
  }
  for (let tree = 0; tree < treeCount; tree++) {
    growIsolationTree(forest, tree, { ...growth, random: createRandom(seed, tree) })
  }
  return forest
}

function completeOptions(options: IsolationForestOptions): Required<IsolationForestOptions> {
  const { treeCount = 200, sampleSize = 256, seed = 42 } = options
  if (!Number.isInteger(treeCount) || treeCount < 1 || treeCount > 100_000) {
    throw invalidOption('treeCount', 'an integer in [1, 100000]', treeCount)
  }
  if (!Number.isInteger(sampleSize) || sampleSize < 1 || sampleSize > MAX_SAMPLE_SIZE) {
    throw invalidOption('sampleSize', `an integer in [1, ${MAX_SAMPLE_SIZE}]`, sampleSize)
  }
  return { treeCount, sampleSize, seed }
}

function rowRange(rowCount: number): Uint32Array {
  const rows = new Uint32Array(rowCount)
  for (let row = 0; row < rowCount; row++) rows[row] = row
  return rows
}
