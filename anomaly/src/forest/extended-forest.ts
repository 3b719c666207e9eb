import type { ScaleFloors } from '../baseline/group-statistics.ts'
import { invalidOption } from '../errors.ts'
import { type FeatureMatrix, requireRows } from '../feature-matrix.ts'
import {
  type ColumnScaler,
  fitColumnScaler,
  type ScalingMethod,
  scaleColumns,
} from '../statistics/column-scaler.ts'
import { createRandom, RANDOM_ALGORITHM } from '../statistics/random.ts'
import { type ExtendedGrowth, growExtendedTree } from './extended-tree.ts'

/** Most rows an extended tree may be grown from; bounds the memory of the complete layout. */
export const MAX_EXTENDED_SAMPLE = 4096

/** Where a split cuts along its random direction. */
export type ExtendedCut =
  /** Through a point uniform in the node's box, as Hariri et al. wrote it; sides may be empty. */
  | 'box'
  /**
   * Uniform between the least and the largest projection of the node's rows, so that no side is
   * empty (Lesouple et al. 2021).
   */
  | 'projection'

/** Hyper-parameters of an extended isolation forest. */
export type ExtendedForestOptions = {
  /** Number of trees, default 100: scores settle there, and a node holds numbers per column. */
  readonly treeCount?: number
  /** Rows per tree ψ, drawn without replacement; all rows if fewer. Default 256. */
  readonly sampleSize?: number
  /**
   * Columns that a split combines, less one; 0 cuts along single columns. Default columns − 1:
   * only then do the scores keep no trace of the axes (Hariri et al., section 3).
   */
  readonly extensionLevel?: number
  /**
   * Default 'box', the published form. 'projection' wastes no split on an empty side, which on
   * generated tables separated outliers neither better nor worse.
   */
  readonly cut?: ExtendedCut
  /** Slanted splits need columns in one unit; default 'standard'. */
  readonly scaling?: ScalingMethod
  /** Smallest scale per column, in its unit. */
  readonly floors?: ScaleFloors
  /** Seed of every random choice, default 42. */
  readonly seed?: number
}

/**
 * Learned state of an extended isolation forest: plain data. Trees are laid out as in
 * `IsolationForest`; a node has `termCount` columns with slopes, and a row goes right if
 * Σ slope · scaled value > offset. A leaf above the last level has offset +∞.
 */
export type ExtendedForest = {
  readonly kind: 'extended_isolation_forest'
  readonly stateVersion: 1
  readonly columnNames: readonly string[]
  readonly treeCount: number
  readonly sampleSize: number
  readonly heightLimit: number
  /** extensionLevel + 1. */
  readonly termCount: number
  readonly seed: number
  readonly randomAlgorithm: typeof RANDOM_ALGORITHM
  readonly trainingRowCount: number
  readonly scaler: ColumnScaler
  /** treeCount × (2^heightLimit − 1) × termCount column indices; with all columns, in order. */
  readonly splitColumns: Uint16Array
  /** As many slopes; 0 for a column that does not vary in the node. */
  readonly slopes: Float32Array
  /** As many means of the node's training rows: what a row is compared with to explain it. */
  readonly centres: Float32Array
  /** treeCount × (2^heightLimit − 1). */
  readonly offsets: Float64Array
  /** treeCount × (2^(heightLimit + 1) − 1) training rows per node. */
  readonly nodeRowCounts: Uint32Array
  /** treeCount × 2^heightLimit path lengths of the last level. */
  readonly leafPathLengths: Float64Array
}

/**
 * Fits an extended isolation forest: like an isolation forest, with splits of random slope, so that
 * rows off the axes of a cloud or between two clouds are not taken for ordinary.
 * @param matrix rowCount × columns, unscaled, no NaN and no infinite value
 * @throws TOO_FEW_ROWS without rows, NOT_FINITE, INVALID_OPTION
 * Cost O(treeCount · ψ · log ψ · terms) after one pass over the cells; memory 10 bytes · treeCount
 * · ψ · terms, and one scaled copy of the rows.
 * Source: Hariri, Carrasco Kind & Brunner 2019; cuts of Lesouple, Baudoin, Spigai & Tourneret 2021.
 */
export function fitExtendedForest(
  matrix: FeatureMatrix,
  options: ExtendedForestOptions = {},
): ExtendedForest {
  const { treeCount, sampleSize, termCount, cut, seed } = completeOptions(matrix, options)
  const { scaling = 'standard', floors = {} } = options
  requireRows('extended isolation forest', matrix)
  const scaler = fitColumnScaler(matrix, { method: scaling, floors })
  const drawCount = Math.min(sampleSize, matrix.rowCount)
  const heightLimit = Math.ceil(Math.log2(drawCount))
  const splitCount = 2 ** heightLimit - 1
  const forest: ExtendedForest = {
    kind: 'extended_isolation_forest',
    stateVersion: 1,
    columnNames: [...matrix.columnNames],
    treeCount,
    sampleSize: drawCount,
    heightLimit,
    termCount,
    seed,
    randomAlgorithm: RANDOM_ALGORITHM,
    trainingRowCount: matrix.rowCount,
    scaler,
    splitColumns: new Uint16Array(treeCount * splitCount * termCount),
    slopes: new Float32Array(treeCount * splitCount * termCount),
    centres: new Float32Array(treeCount * splitCount * termCount),
    offsets: new Float64Array(treeCount * splitCount).fill(Number.POSITIVE_INFINITY),
    nodeRowCounts: new Uint32Array(treeCount * (2 * splitCount + 1)),
    leafPathLengths: new Float64Array(treeCount * (splitCount + 1)),
  }
  const columnCount = matrix.columnNames.length
  const growth: Omit<ExtendedGrowth, 'random'> = {
    values: scaleColumns(scaler, matrix),
    columnCount,
    cut,
    trainingRows: rowRange(matrix.rowCount),
    sample: new Uint32Array(drawCount),
    swappedWith: new Uint32Array(drawCount),
    projections: new Float64Array(drawCount),
    lowest: new Float64Array(columnCount),
    highest: new Float64Array(columnCount),
    candidates: new Uint16Array(columnCount),
  }
  for (let tree = 0; tree < treeCount; tree++) {
    growExtendedTree(forest, tree, { ...growth, random: createRandom(seed, tree) })
  }
  return forest
}

function completeOptions(matrix: FeatureMatrix, options: ExtendedForestOptions) {
  const columnCount = matrix.columnNames.length
  const { treeCount = 100, sampleSize = 256, seed = 42, cut = 'box' } = options
  const { extensionLevel = columnCount - 1 } = options
  if (!Number.isInteger(treeCount) || treeCount < 1 || treeCount > 100_000) {
    throw invalidOption('treeCount', 'an integer in [1, 100000]', treeCount)
  }
  if (!Number.isInteger(sampleSize) || sampleSize < 1 || sampleSize > MAX_EXTENDED_SAMPLE) {
    throw invalidOption('sampleSize', `an integer in [1, ${MAX_EXTENDED_SAMPLE}]`, sampleSize)
  }
  if (!Number.isInteger(extensionLevel) || extensionLevel < 0 || extensionLevel >= columnCount) {
    throw invalidOption('extensionLevel', `an integer in [0, ${columnCount})`, extensionLevel)
  }
  if (cut !== 'projection' && cut !== 'box') {
    throw invalidOption('cut', "'projection' or 'box'", cut)
  }
  return { treeCount, sampleSize, termCount: extensionLevel + 1, cut, seed }
}

function rowRange(rowCount: number): Uint32Array {
  const rows = new Uint32Array(rowCount)
  for (let row = 0; row < rowCount; row++) rows[row] = row
  return rows
}
