import { BIN_NUMBERS, missingSides } from './growth-memory.ts'
import type { BestSplit, ColumnScan } from './split-search.ts'

/** Limits on a node's leaf values (before the learning rate) and the direction of one column. */
export type LeafBounds = {
  readonly lowerBound: number
  readonly upperBound: number
  /** 1: the model may only rise with the column, −1: only fall, 0: free. */
  readonly direction: number
}

/** Best leaf value within bounds: −G/(H + λ), clipped. */
export function boundedLeafValue(
  gradient: number,
  weight: number,
  l2: number,
  lowerBound: number,
  upperBound: number,
): number {
  const value = weight + l2 > 0 ? -gradient / (weight + l2) : 0
  return Math.min(upperBound, Math.max(lowerBound, value))
}

/** Twice the loss that a leaf of the given value saves; G²/(H + λ) where nothing is clipped. */
export function boundedGain(gradient: number, weight: number, l2: number, value: number): number {
  return -(2 * gradient * value + (weight + l2) * value * value)
}

/**
 * Scores every cut, in both directions of missing rows, by what leaves within bounds save; a cut
 * against the column's direction is no candidate. Slower than the free scan, for constrained models.
 * Source: the bounds are those of XGBoost and LightGBM ("basic"): a child's values end half-way
 * towards its sibling's.
 */
export function scanWithBounds(scan: ColumnScan, bounds: LeafBounds, best: BestSplit): void {
  const isMissed = scan.missingPacked > 0
  scanSide(scan, bounds, isMissed ? missingSides.right : missingSides.unseen, best)
  if (isMissed) scanSide(scan, bounds, missingSides.left, best)
}

function scanSide(
  scan: ColumnScan,
  bounds: LeafBounds,
  missingSide: number,
  best: BestSplit,
): void {
  const { histograms, countUnit, l2, minLeafRows, minChildWeight } = scan
  const { lowerBound, upperBound, direction } = bounds
  const missingGoesLeft = missingSide === missingSides.left
  const rowCount = Math.floor(scan.packed / countUnit)
  const weight = scan.packed - rowCount * countUnit
  let gradient = missingGoesLeft ? scan.missingGradient : 0
  let packed = missingGoesLeft ? scan.missingPacked : 0
  const cutCount = missingGoesLeft ? scan.valueBinCount - 1 : scan.valueBinCount
  for (let bin = 0; bin < cutCount; bin++) {
    const at = scan.start + bin * BIN_NUMBERS
    if (histograms[at + 1] === 0) continue
    gradient += histograms[at]!
    packed += histograms[at + 1]!
    const leftRows = Math.floor(packed / countUnit)
    if (leftRows < minLeafRows) continue
    if (rowCount - leftRows < minLeafRows) break
    const leftWeight = packed - leftRows * countUnit
    const rightWeight = weight - leftWeight
    if (leftWeight < minChildWeight || rightWeight < minChildWeight) continue
    const rightGradient = scan.gradient - gradient
    const leftValue = boundedLeafValue(gradient, leftWeight, l2, lowerBound, upperBound)
    const rightValue = boundedLeafValue(rightGradient, rightWeight, l2, lowerBound, upperBound)
    if (direction * (rightValue - leftValue) < 0) continue
    const gain =
      boundedGain(gradient, leftWeight, l2, leftValue) +
      boundedGain(rightGradient, rightWeight, l2, rightValue)
    if (gain > best.gain) {
      best.gain = gain
      best.bin = bin
      best.missingSide = missingSide
      best.leftGradient = gradient
      best.leftPacked = packed
    }
  }
}
