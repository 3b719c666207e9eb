import { logistic } from '../linear/margin-link.ts'
import {
  outputCountOf,
  type SupervisedTarget,
  targetValues,
} from '../validation/supervised-target.ts'

/**
 * Margin of every row before the first tree, per output: what a single leaf would say. Log-odds of
 * the weighted share for labels, the weighted mean for regression.
 */
export function baseMargins(target: SupervisedTarget, weights: Float64Array): Float64Array {
  const values = targetValues(target)
  const sums = new Float64Array(outputCountOf(target))
  let total = 0
  for (const [row, weight] of weights.entries()) {
    total += weight
    if (target.kind === 'classes') sums[values[row]!] = sums[values[row]!]! + weight
    else sums[0] = sums[0]! + weight * values[row]!
  }
  return sums.map((sum) => {
    if (target.kind === 'regression') return sum / total
    // A class without rows stays improbable, not impossible.
    const share = Math.max(sum / total, 1e-15)
    return target.kind === 'binary' ? Math.log(share / (1 - share)) : Math.log(share)
  })
}

/**
 * First and second derivative of the loss by the margin of output `output`, times the row's weight,
 * interleaved per row into `derivatives`; rows of weight 0 keep what was there.
 *
 * Logistic loss: p − y and p(1 − p). Softmax: the same per class, the second times K/(K − 1), the
 * constraint that margins of one class move against all others (Friedman 2001, section 4.6).
 * Squared error: F − y and 1.
 * @param margins output-major: outputs × rows; for `classes` the shares from `writeShares` instead
 */
export function writeDerivatives(
  target: SupervisedTarget,
  output: number,
  margins: Float64Array,
  weights: Float64Array,
  derivatives: Float64Array,
): void {
  const rowCount = weights.length
  const values = targetValues(target)
  const start = output * rowCount
  switch (target.kind) {
    case 'binary':
      for (let row = 0; row < rowCount; row++) {
        const weight = weights[row]!
        const share = logistic(margins[row]!)
        derivatives[2 * row] = weight * (share - values[row]!)
        derivatives[2 * row + 1] = weight * share * (1 - share)
      }
      break
    case 'classes': {
      const factor = target.classCount / (target.classCount - 1)
      for (let row = 0; row < rowCount; row++) {
        const weight = weights[row]!
        const share = margins[start + row]!
        derivatives[2 * row] = weight * (share - Number(values[row] === output))
        derivatives[2 * row + 1] = weight * factor * share * (1 - share)
      }
      break
    }
    case 'regression':
      for (let row = 0; row < rowCount; row++) {
        derivatives[2 * row] = weights[row]! * (margins[row]! - values[row]!)
        derivatives[2 * row + 1] = weights[row]!
      }
      break
  }
}

/** Softmax over the outputs of every row; both arrays output-major, outputs × rows. */
export function writeShares(margins: Float64Array, rowCount: number, shares: Float64Array): void {
  for (let row = 0; row < rowCount; row++) {
    let highest = Number.NEGATIVE_INFINITY
    for (let at = row; at < margins.length; at += rowCount) {
      highest = Math.max(highest, margins[at]!)
    }
    let sum = 0
    for (let at = row; at < margins.length; at += rowCount) {
      const share = Math.exp(margins[at]! - highest)
      shares[at] = share
      sum += share
    }
    for (let at = row; at < margins.length; at += rowCount) shares[at] = shares[at]! / sum
  }
}
