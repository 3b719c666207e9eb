/** Probability of a margin in log-odds. */
export function logistic(margin: number): number {
  return 1 / (1 + Math.exp(-margin))
}

/**
 * Turns row-major margins of rows [rowStart, rowEnd) into probabilities, in place: log-odds of
 * class 1 where there is one output, else softmax over the outputs.
 */
export function linkMargins(
  outputCount: number,
  margins: Float64Array,
  rowStart: number,
  rowEnd: number,
): void {
  if (outputCount === 1) {
    for (let row = rowStart; row < rowEnd; row++) margins[row] = logistic(margins[row]!)
    return
  }
  for (let start = rowStart * outputCount; start < rowEnd * outputCount; start += outputCount) {
    const end = start + outputCount
    let highest = Number.NEGATIVE_INFINITY
    for (let at = start; at < end; at++) highest = Math.max(highest, margins[at]!)
    let sum = 0
    for (let at = start; at < end; at++) {
      margins[at] = Math.exp(margins[at]! - highest)
      sum += margins[at]!
    }
    for (let at = start; at < end; at++) margins[at] = margins[at]! / sum
  }
}

/**
 * Probability of any class but 0, the normal one, per row of row-major shares.
 * @param out receives one probability per row of `shares`, from `rowStart` on
 */
export function abnormalShares(
  shares: Float64Array,
  outputCount: number,
  rowStart: number,
  out: Float64Array,
): void {
  for (let at = 0; at < shares.length; at += outputCount) {
    out[rowStart + at / outputCount] = 1 - shares[at]!
  }
}
