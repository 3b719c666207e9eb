import { hessianOf } from './fixed-point.ts'
import {
  BIN_NUMBERS,
  COLUMNS_PER_WORD,
  type GrowthMemory,
  missingSides,
  NODE_NUMBERS,
  nodeAt,
  taskAt,
} from './growth-memory.ts'
import { slotOffset } from './histogram.ts'
import { scanWithBounds } from './monotone-search.ts'

/** One node and column whose bins are scanned. */
export type ColumnScan = {
  readonly histograms: Float64Array
  /** First number of the column's bins. */
  readonly start: number
  readonly valueBinCount: number
  /** Gradient and packed hessian of all rows of the node, and of those that miss the column. */
  readonly gradient: number
  readonly packed: number
  readonly missingGradient: number
  readonly missingPacked: number
  readonly countUnit: number
  readonly l2: number
  readonly minLeafRows: number
  readonly minChildWeight: number
}

/** Best split of a scan so far. */
export type BestSplit = {
  gain: number
  bin: number
  missingSide: number
  leftGradient: number
  leftPacked: number
}

/**
 * Searches the best split of each column of a word in one of the task's two nodes and notes it in
 * `memory.found`. Ties go to the lower bin, and to missing rows on the right.
 * Cost O(bins of the four columns).
 */
export function searchSplits(
  memory: GrowthMemory,
  word: number,
  nodeIndex: number,
  slot: number,
): void {
  const { task, found, monotone } = memory
  const node = taskAt.firstNode + nodeIndex * NODE_NUMBERS
  const padded = memory.wordCount * COLUMNS_PER_WORD
  const lowerBound = task[node + nodeAt.lowerBound]!
  const upperBound = task[node + nodeAt.upperBound]!
  const isBounded = lowerBound > Number.NEGATIVE_INFINITY || upperBound < Number.POSITIVE_INFINITY
  const best: BestSplit = {
    gain: Number.NEGATIVE_INFINITY,
    bin: 0,
    missingSide: missingSides.unseen,
    leftGradient: 0,
    leftPacked: 0,
  }
  const firstColumn = word * COLUMNS_PER_WORD
  for (let column = firstColumn; column < firstColumn + COLUMNS_PER_WORD; column++) {
    best.gain = Number.NEGATIVE_INFINITY
    if (task[node + nodeAt.isOpen] === 1 && memory.isOffered[column] === 1) {
      const scan = columnScan(memory, column, node, slot)
      const direction = monotone[column]!
      if (isBounded || direction !== 0) {
        scanWithBounds(scan, { lowerBound, upperBound, direction }, best)
      } else {
        scanBins(scan, scan.missingPacked > 0 ? missingSides.right : missingSides.unseen, best)
        if (scan.missingPacked > 0) scanBins(scan, missingSides.left, best)
      }
    }
    const at = nodeIndex * padded + column
    found.gains[at] = best.gain
    found.bins[at] = best.bin
    found.missingSides[at] = best.missingSide
    found.leftGradients[at] = best.leftGradient
    found.leftPacked[at] = best.leftPacked
  }
}

function columnScan(memory: GrowthMemory, column: number, node: number, slot: number): ColumnScan {
  const { task, histograms, valueBinCounts } = memory
  const start = slotOffset(memory, slot) + memory.histogramStarts[column]! * BIN_NUMBERS
  const valueBinCount = valueBinCounts[column]!
  const missing = start + valueBinCount * BIN_NUMBERS
  return {
    histograms,
    start,
    valueBinCount,
    gradient: task[node + nodeAt.gradient]!,
    packed: task[node + nodeAt.packed]!,
    missingGradient: histograms[missing]!,
    missingPacked: histograms[missing + 1]!,
    countUnit: task[taskAt.countUnit]!,
    l2: task[taskAt.l2]!,
    minLeafRows: task[taskAt.minLeafRows]!,
    minChildWeight: task[taskAt.minChildWeight]!,
  }
}

/**
 * Scores every cut of the bins by G²/(H + λ) of both sides; the parent's own term is the same for
 * all and left to the caller. Source: Chen & Guestrin 2016, eq. 7.
 */
function scanBins(scan: ColumnScan, missingSide: number, best: BestSplit): void {
  const { histograms, countUnit, l2, minLeafRows, minChildWeight } = scan
  const missingGoesLeft = missingSide === missingSides.left
  const perCount = 1 / countUnit
  const total = scan.gradient
  const weight = hessianOf(scan.packed, countUnit)
  // Hessians never fill a count unit, so sums of at least k rows are those from k units on.
  const leastPacked = minLeafRows * countUnit
  const mostPacked = scan.packed - leastPacked
  // With missing rows on the left, some value has to stay on the right.
  const end = scan.start + BIN_NUMBERS * (scan.valueBinCount - (missingGoesLeft ? 1 : 0))
  let gradient = missingGoesLeft ? scan.missingGradient : 0
  let packed = missingGoesLeft ? scan.missingPacked : 0
  let bestGain = best.gain
  let bestAt = -1
  let bestGradient = 0
  let bestPacked = 0
  for (let at = scan.start; at < end; at += BIN_NUMBERS) {
    gradient += histograms[at]!
    packed += histograms[at + 1]!
    if (packed < leastPacked) continue
    if (packed > mostPacked) break
    const leftWeight = packed - Math.floor(packed * perCount) * countUnit
    const rightWeight = weight - leftWeight
    if (leftWeight < minChildWeight || rightWeight < minChildWeight) continue
    const rightGradient = total - gradient
    const gain =
      (gradient * gradient) / (leftWeight + l2) +
      (rightGradient * rightGradient) / (rightWeight + l2)
    if (gain > bestGain) {
      bestGain = gain
      bestAt = at
      bestGradient = gradient
      bestPacked = packed
    }
  }
  if (bestAt < 0) return
  best.gain = bestGain
  best.bin = (bestAt - scan.start) / BIN_NUMBERS
  best.missingSide = missingSide
  best.leftGradient = bestGradient
  best.leftPacked = bestPacked
}
