import {
  BIN_NUMBERS,
  COLUMNS_PER_WORD,
  type GrowthMemory,
  histogramLength,
} from './growth-memory.ts'
import type { HistogramKernel } from './histogram-kernel.ts'

/**
 * Sums gradient and packed hessian of the first `rowCount` task rows per bin, for the four columns
 * of one word. Cost: half a nanosecond per row and column with the kernel; most of a fit.
 * @param kernel absent: the plain loop, with the same result
 */
export function buildHistogram(
  memory: GrowthMemory,
  kernel: HistogramKernel | undefined,
  word: number,
  slot: number,
  rowCount: number,
): void {
  const { histograms, histogramStarts, codes, rows, pairs } = memory
  const column = word * COLUMNS_PER_WORD
  const slotStart = slotOffset(memory, slot)
  const start0 = slotStart + histogramStarts[column]! * BIN_NUMBERS
  const start1 = slotStart + histogramStarts[column + 1]! * BIN_NUMBERS
  const start2 = slotStart + histogramStarts[column + 2]! * BIN_NUMBERS
  const start3 = slotStart + histogramStarts[column + 3]! * BIN_NUMBERS
  histograms.fill(0, start0, slotStart + endOfColumn(memory, column + 3) * BIN_NUMBERS)
  const wordCodes = codes.subarray(word * memory.rowCount, (word + 1) * memory.rowCount)
  if (kernel === undefined) {
    addPairs(memory, wordCodes, rowCount, start0, start1, start2, start3)
    return
  }
  const { byteOffset } = histograms
  kernel.addPairs(
    wordCodes.byteOffset,
    rows.byteOffset,
    pairs.byteOffset,
    rows.byteOffset + rowCount * rows.BYTES_PER_ELEMENT,
    byteOffset + start0 * histograms.BYTES_PER_ELEMENT,
    byteOffset + start1 * histograms.BYTES_PER_ELEMENT,
    byteOffset + start2 * histograms.BYTES_PER_ELEMENT,
    byteOffset + start3 * histograms.BYTES_PER_ELEMENT,
  )
}

/** Plain twin of the kernel's `addPairs`. */
function addPairs(
  { histograms, rows, pairs }: GrowthMemory,
  wordCodes: Uint32Array,
  rowCount: number,
  start0: number,
  start1: number,
  start2: number,
  start3: number,
): void {
  for (let i = 0; i < rowCount; i++) {
    const packedCodes = wordCodes[rows[i]!]!
    const gradient = pairs[2 * i]!
    const packed = pairs[2 * i + 1]!
    const bin0 = start0 + ((packedCodes & 255) << 1)
    histograms[bin0] = histograms[bin0]! + gradient
    histograms[bin0 + 1] = histograms[bin0 + 1]! + packed
    const bin1 = start1 + ((packedCodes >>> 7) & 510)
    histograms[bin1] = histograms[bin1]! + gradient
    histograms[bin1 + 1] = histograms[bin1 + 1]! + packed
    const bin2 = start2 + ((packedCodes >>> 15) & 510)
    histograms[bin2] = histograms[bin2]! + gradient
    histograms[bin2 + 1] = histograms[bin2 + 1]! + packed
    const bin3 = start3 + ((packedCodes >>> 23) & 510)
    histograms[bin3] = histograms[bin3]! + gradient
    histograms[bin3 + 1] = histograms[bin3 + 1]! + packed
  }
}

/** Turns the parent's histogram of one word into the other child's. Sums are exact, see `FixedPoint`. */
export function subtractHistogram(
  memory: GrowthMemory,
  kernel: HistogramKernel | undefined,
  word: number,
  parentSlot: number,
  childSlot: number,
): void {
  const { histograms, histogramStarts } = memory
  const column = word * COLUMNS_PER_WORD
  const start = histogramStarts[column]! * BIN_NUMBERS
  const end = endOfColumn(memory, column + COLUMNS_PER_WORD - 1) * BIN_NUMBERS
  const parentStart = slotOffset(memory, parentSlot)
  const childStart = slotOffset(memory, childSlot)
  if (kernel === undefined) {
    for (let i = start; i < end; i++) {
      histograms[parentStart + i] = histograms[parentStart + i]! - histograms[childStart + i]!
    }
    return
  }
  const { byteOffset, BYTES_PER_ELEMENT } = histograms
  kernel.subtractPairs(
    byteOffset + (parentStart + start) * BYTES_PER_ELEMENT,
    byteOffset + (parentStart + end) * BYTES_PER_ELEMENT,
    byteOffset + (childStart + start) * BYTES_PER_ELEMENT,
  )
}

/** First number of a slot. */
export function slotOffset(memory: GrowthMemory, slot: number): number {
  return slot * histogramLength(memory.columnCount, memory.maxBins)
}

/** Bin after a column's last, the missing one included. */
function endOfColumn(memory: GrowthMemory, column: number): number {
  return memory.histogramStarts[column]! + memory.valueBinCounts[column]! + 1
}
