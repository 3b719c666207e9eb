import { invalidOption, tooFewRows } from '../errors.ts'
import { type FeatureMatrix, requireColumns, requireFinite, selectRows } from '../feature-matrix.ts'
import { selectQuantiles } from '../sketches/value-cells.ts'
import { createRandom, nextIndex, type Random, sampleIndices } from '../statistics/random.ts'

/** Options of `maximumMeanDiscrepancy`. */
export type MeanDiscrepancyOptions = {
  /** Rows of each side that are compared, drawn by seed where there are more. Default 1,000. */
  readonly maxRowCount?: number
  /** Relabelings of the permutation test. Default 500. */
  readonly permutationCount?: number
  /**
   * Rows that move together in a relabeling: about the time over which readings stay alike, so
   * that autocorrelated rows raise no false alarm. Default 1, independent rows.
   */
  readonly blockLength?: number
  /** Default 0. */
  readonly seed?: number
}

/** Joint comparison of all columns. */
export type MeanDiscrepancyResult = {
  /** Unbiased MMD²; around 0, slightly negative too, for one population. */
  readonly statistic: number
  /** (1 + relabelings with at least this statistic) / (relabelings + 1). */
  readonly pValue: number
  /** Kernel width s: the median distance of two rows of the pooled sample, in scaled units. */
  readonly width: number
  readonly countReference: number
  readonly countCurrent: number
}

/**
 * Maximum mean discrepancy with a Gaussian kernel: sees a shift in how columns go together that no
 * single column shows. Columns are scaled by median and interquartile range of the reference.
 * @param reference, current rows in time order if `blockLength` > 1; finite
 * @throws COLUMN_MISMATCH, NOT_FINITE, TOO_FEW_ROWS below two blocks per side, INVALID_OPTION
 * Cost O(N² (columns + permutations)) for N rows compared: 0.5 s for 1,000 + 1,000.
 * Source: Gretton et al. 2012, eq. 3 and section 6; MON-15.
 */
export function maximumMeanDiscrepancy(
  reference: FeatureMatrix,
  current: FeatureMatrix,
  options: MeanDiscrepancyOptions = {},
): MeanDiscrepancyResult {
  const { maxRowCount = 1000, permutationCount = 500, blockLength = 1, seed = 0 } = options
  requirePositive('maxRowCount', maxRowCount)
  requirePositive('permutationCount', permutationCount)
  requirePositive('blockLength', blockLength)
  requireColumns(reference.columnNames, current)
  requireFinite('mean discrepancy reference', reference)
  requireFinite('mean discrepancy current sample', current)
  const before = drawnBlocks(reference, maxRowCount, blockLength, createRandom(seed, 0))
  const now = drawnBlocks(current, maxRowCount, blockLength, createRandom(seed, 1))
  const scaled = scaledRows(before, now)
  const { kernel, width } = gaussianKernel(scaled, before.rowCount + now.rowCount)
  const sums = kernelSums(kernel, before.rowCount + now.rowCount)
  const rows = Uint32Array.from({ length: before.rowCount + now.rowCount }, (_, row) => row)
  const statistic = discrepancy(sums, rows, before.rowCount)
  const random = createRandom(seed, 2)
  let atLeast = 0
  for (let i = 0; i < permutationCount; i++) {
    shuffleBlocks(rows, blockLength, random)
    if (discrepancy(sums, rows, before.rowCount) >= statistic) atLeast++
  }
  return {
    statistic,
    pValue: (1 + atLeast) / (permutationCount + 1),
    width,
    countReference: before.rowCount,
    countCurrent: now.rowCount,
  }
}

/** Whole blocks of consecutive rows, all of them or as many as fit, in time order. */
function drawnBlocks(
  matrix: FeatureMatrix,
  maxRowCount: number,
  blockLength: number,
  random: Random,
): FeatureMatrix {
  const blockCount = Math.floor(matrix.rowCount / blockLength)
  const wanted = Math.min(blockCount, Math.floor(maxRowCount / blockLength))
  if (wanted < 2) throw tooFewRows('mean discrepancy', 2 * blockLength, matrix.rowCount)
  const blocks = sampleIndices(random, blockCount, wanted).sort()
  const rows = Uint32Array.from(
    { length: wanted * blockLength },
    (_, i) => blocks[Math.floor(i / blockLength)]! * blockLength + (i % blockLength),
  )
  return selectRows(matrix, rows)
}

/** Both sides one below the other, each column less its median over its interquartile range. */
function scaledRows(before: FeatureMatrix, now: FeatureMatrix): FeatureMatrix {
  const columnCount = before.columnNames.length
  const values = new Float64Array(before.values.length + now.values.length)
  values.set(before.values)
  values.set(now.values, before.values.length)
  for (let c = 0; c < columnCount; c++) {
    const column = before.values.filter((_, i) => i % columnCount === c)
    const [low = 0, middle = 0, high = 0] = selectQuantiles(column, [0.25, 0.5, 0.75]).quantiles
    // A column whose middle half is one value keeps its own unit.
    const scale = high > low ? high - low : 1
    for (let i = c; i < values.length; i += columnCount) values[i] = (values[i]! - middle) / scale
  }
  return { values, rowCount: before.rowCount + now.rowCount, columnNames: before.columnNames }
}

function gaussianKernel(
  { values, columnNames }: FeatureMatrix,
  rowCount: number,
): { readonly kernel: Float64Array; readonly width: number } {
  const columnCount = columnNames.length
  const kernel = new Float64Array(rowCount * rowCount)
  const distances = new Float64Array((rowCount * (rowCount - 1)) / 2)
  let next = 0
  for (let row = 1; row < rowCount; row++) {
    for (let other = 0; other < row; other++) {
      let squares = 0
      for (let c = 0; c < columnCount; c++) {
        const difference = values[row * columnCount + c]! - values[other * columnCount + c]!
        squares += difference * difference
      }
      distances[next] = Math.sqrt(squares)
      next++
    }
  }
  const median = selectQuantiles(distances, [0.5]).quantiles[0]!
  // More than half of all pairs alike: any width tells them apart from the rest.
  const width = median > 0 ? median : 1
  next = 0
  for (let row = 1; row < rowCount; row++) {
    for (let other = 0; other < row; other++) {
      const ratio = distances[next]! / width
      const similarity = Math.exp(-0.5 * ratio * ratio)
      kernel[row * rowCount + other] = similarity
      kernel[other * rowCount + row] = similarity
      next++
    }
  }
  return { kernel, width }
}

type KernelSums = {
  readonly kernel: Float64Array
  readonly rowCount: number
  /** Sum of each row without its diagonal. */
  readonly rowSums: Float64Array
  readonly total: number
}

function kernelSums(kernel: Float64Array, rowCount: number): KernelSums {
  const rowSums = new Float64Array(rowCount)
  let total = 0
  for (let row = 0; row < rowCount; row++) {
    let sum = 0
    for (let i = row * rowCount; i < (row + 1) * rowCount; i++) sum += kernel[i]!
    rowSums[row] = sum
    total += sum
  }
  return { kernel, rowCount, rowSums, total }
}

/**
 * Unbiased MMD² when the first `countBefore` of `rows` are the reference. Only the sum within the
 * reference is walked; the other two follow from row sums and total.
 */
function discrepancy(
  { kernel, rowCount, rowSums, total }: KernelSums,
  rows: Uint32Array,
  countBefore: number,
): number {
  let within = 0
  let margin = 0
  for (let i = 0; i < countBefore; i++) {
    const start = rows[i]! * rowCount
    let sum = 0
    for (let j = 0; j < i; j++) sum += kernel[start + rows[j]!]!
    within += 2 * sum
    margin += rowSums[rows[i]!]!
  }
  const across = margin - within
  const withinNow = total - within - 2 * across
  const countNow = rowCount - countBefore
  return (
    within / (countBefore * (countBefore - 1)) +
    withinNow / (countNow * (countNow - 1)) -
    (2 * across) / (countBefore * countNow)
  )
}

/** Fisher–Yates over blocks of rows that stay together. */
function shuffleBlocks(rows: Uint32Array, blockLength: number, random: Random): void {
  for (let block = rows.length / blockLength - 1; block > 0; block--) {
    const other = nextIndex(random, block + 1)
    for (let i = 0; i < blockLength; i++) {
      const kept = rows[block * blockLength + i]!
      rows[block * blockLength + i] = rows[other * blockLength + i]!
      rows[other * blockLength + i] = kept
    }
  }
}

function requirePositive(option: string, value: number): void {
  if (!(Number.isInteger(value) && value >= 1)) throw invalidOption(option, 'an integer ≥ 1', value)
}
