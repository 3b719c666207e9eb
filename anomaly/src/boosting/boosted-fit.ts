import { notFinite } from '../errors.ts'
import { type FeatureMatrix, requireRows } from '../feature-matrix.ts'
import { createRandom, RANDOM_ALGORITHM, sampleIndices } from '../statistics/random.ts'
import {
  combinedWeights,
  outputCountOf,
  requireTarget,
  type SupervisedTarget,
} from '../validation/supervised-target.ts'
import type { BoostedTrees } from './boosted-trees.ts'
import { type BoostingOptions, completeBoostingOptions } from './boosting-options.ts'
import { runRounds } from './boosting-rounds.ts'
import { type GrowthCrew, startGrowthCrew } from './growth-crew.ts'
import { COLUMNS_PER_WORD, taskAt, taskKinds } from './growth-memory.ts'
import { packTrees } from './tree-packing.ts'

/** Rows that bin edges are chosen from: with 255 bins about 200 rows decide on each edge. */
const EDGE_SAMPLE_ROWS = 50_000

/**
 * Fits gradient-boosted trees on binned columns.
 *
 * Columns are cut into at most 255 bins of equal counts, then every round grows one tree per output
 * on the loss's gradients. Sums of gradients are exact (see `FixedPoint`), so the same data, options
 * and seed give the same bytes on any machine and number of threads.
 * @param matrix rowCount × columns, unscaled; NaN is a missing cell, and every split learns on which
 *   side missing cells belong
 * @param target labels or values, one per row
 * @throws TOO_FEW_ROWS, SHAPE_MISMATCH, NOT_FINITE on ±∞, INVALID_OPTION, ONE_CLASS, COLUMN_MISMATCH
 *   of the validation matrix, WORKER_FAILED
 * Cost: about rounds · outputs · rows · columns · 4 ns in one thread; 10 bytes per cell, and
 * 4 kB per leaf and column.
 * Source: Friedman 2001; Chen & Guestrin 2016 for the second-order gain; Ke et al. 2017 for
 * histograms and leaf-wise growth.
 */
export function fitBoostedTrees(
  matrix: FeatureMatrix,
  target: SupervisedTarget,
  options: BoostingOptions = {},
): BoostedTrees {
  requireRows('boosted trees', matrix)
  requireTarget(target, matrix.rowCount)
  requireNotInfinite(matrix)
  const complete = completeBoostingOptions(matrix, target, options)
  const weights = combinedWeights(target, matrix.rowCount, options)
  const shape = {
    rowCount: matrix.rowCount,
    columnCount: matrix.columnNames.length,
    slotCount: complete.maxLeaves,
    maxBins: complete.maxBins,
  }
  const crew = startGrowthCrew(shape, complete.threadCount)
  try {
    copyByColumn(matrix, crew.memory.values)
    for (const [column, name] of matrix.columnNames.entries()) {
      crew.memory.monotone[column] = complete.monotone[name] ?? 0
    }
    const rows = rowsWithWeight(weights)
    binColumns(crew, rows, complete.seed)
    const fit = { columnNames: matrix.columnNames, target, weights, rows, options: complete }
    const { baseMargins, trees } = runRounds(crew, fit, options.validation)
    const outputCount = outputCountOf(target)
    return {
      kind: 'boosted_trees',
      stateVersion: 1,
      columnNames: [...matrix.columnNames],
      output: target.kind,
      outputCount,
      baseMargins,
      seed: complete.seed,
      randomAlgorithm: RANDOM_ALGORITHM,
      trainingRowCount: rows.length,
      ...packTrees(trees, (tree) => tree % outputCount),
    }
  } finally {
    crew.end()
  }
}

/** Chooses edges, codes all cells, and lays the columns out in a histogram. */
function binColumns({ memory, run }: GrowthCrew, rows: Uint32Array, seed: number): void {
  const count = Math.min(rows.length, EDGE_SAMPLE_ROWS)
  const sampled = sampleIndices(createRandom(seed, 0), rows.length, count).sort()
  for (let i = 0; i < count; i++) memory.rows[i] = rows[sampled[i]!]!
  memory.task[taskAt.kind] = taskKinds.bin
  memory.task[taskAt.rowCount] = count
  run()
  let start = 0
  for (let column = 0; column < memory.wordCount * COLUMNS_PER_WORD; column++) {
    memory.histogramStarts[column] = start
    start += memory.valueBinCounts[column]! + 1
  }
}

/** Rows copied at a time, so that the lines they share stay in the nearest cache. */
const COPY_ROWS = 64

function copyByColumn({ values, rowCount, columnNames }: FeatureMatrix, out: Float64Array): void {
  const columnCount = columnNames.length
  for (let block = 0; block < rowCount; block += COPY_ROWS) {
    const blockEnd = Math.min(block + COPY_ROWS, rowCount)
    for (let column = 0; column < columnCount; column++) {
      for (let row = block; row < blockEnd; row++) {
        out[column * rowCount + row] = values[row * columnCount + column]!
      }
    }
  }
}

function rowsWithWeight(weights: Float64Array): Uint32Array {
  const rows = new Uint32Array(weights.length)
  let count = 0
  for (let row = 0; row < weights.length; row++) {
    rows[count] = row
    count += Number(weights[row]! > 0)
  }
  return rows.slice(0, count)
}

function requireNotInfinite({ values, columnNames }: FeatureMatrix): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
      const row = Math.floor(i / columnNames.length)
      throw notFinite('boosted trees fit', row, columnNames[i % columnNames.length] ?? '', value)
    }
  }
}
